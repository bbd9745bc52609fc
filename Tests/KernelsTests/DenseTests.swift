import Kernels
import Platform
import Testing

@Suite struct DenseTests {
  // each pair of dimensions takes every size, the third a few: below, at and past a tile and a panel
  static let few = [1, 5, 17, 35]
  static let sizes = 1...70

  /// Every size in two of three dimensions; the first failure, if any.
  private func firstFailure(_ check: (_ rows: Int, _ inputs: Int, _ outputs: Int) -> String?) -> String? {
    for a in Self.sizes {
      for b in Self.sizes {
        for c in Self.few {
          for (rows, inputs, outputs) in [(a, b, c), (a, c, b), (c, a, b)] {
            if let failure = check(rows, inputs, outputs) { return "\(rows) × \(inputs) × \(outputs): \(failure)" }
          }
        }
      }
    }
    return nil
  }

  /// Some of `rows` rows, or all: which depends on the other sizes.
  private func someRows(_ rows: Int, _ inputs: Int, _ outputs: Int) -> Range<Int> {
    let first = min(rows - 1, inputs % 4)
    return first..<max(first + 1, rows - outputs % 3)
  }

  // MARK: forward

  private func forwardFailure(_ rows: Int, beside: Int, _ inputs: Int, _ outputs: Int, rectify: Bool) -> String? {
    let layer = LayerReference(inputs: inputs, outputs: outputs, seed: rows + 71 * inputs)
    let range = someRows(rows, inputs, outputs)
    var x = numbers(rows * inputs, seed: outputs)
    // a row that is not asked for must not be read into another
    for row in 0..<rows where !range.contains(row) { x[row * inputs] = .nan }
    let first = inputs - beside
    let left = Matrix(
      (0..<rows * first).map { x[$0 / first * inputs + $0 % first] }, rows: rows, columns: first)
    let right = Matrix(
      (0..<rows * beside).map { x[$0 / beside * inputs + first + $0 % beside] }, rows: rows, columns: beside)
    let y = Matrix(repeating: untouched, rows: rows, columns: outputs)
    let parameters = Block([untouched] + layer.panels)
    denseForward(
      beside > 0 ? Input(left, right) : Input(left), parameters, at: 1, into: y, rectify: rectify, rows: range)

    guard y.isPaddingZero else { return "the padding is not zero" }
    for row in 0..<rows {
      for output in 0..<outputs {
        let value = y.at(row, output)
        if range.contains(row) {
          var sum = SumReference()
          for input in 0..<inputs { sum.add(x[row * inputs + input], layer.weights[input * outputs + output]) }
          sum.add(1, layer.biases[output])
          if !sum.isNear(value, rectified: rectify) { return "(\(row), \(output)) is \(value), not \(sum.value)" }
        } else if value != untouched {
          return "row \(row) outside \(range) was touched"
        }
      }
    }
    return nil
  }

  @Test func `the forward product is near the sum in double precision, for every size`() {
    #expect(firstFailure { forwardFailure($0, beside: 0, $1, $2, rectify: false) } == nil)
  }

  @Test func `the rectified product is the product where it is positive and else zero, for every size`() {
    #expect(firstFailure { forwardFailure($0, beside: 0, $1, $2, rectify: true) } == nil)
  }

  @Test func `two inputs side by side are one input, for every size of both`() {
    for first in Self.sizes {
      for second in Self.sizes {
        for (rows, outputs) in [(1, 20), (7, 3)] {
          #expect(
            forwardFailure(rows, beside: second, first + second, outputs, rectify: second % 2 == 0) == nil,
            "\(rows) × (\(first) + \(second)) × \(outputs)")
        }
      }
    }
  }

  /// Large enough for the matrix unit, where there is one.
  @Test func `two inputs side by side are one input, wherever the panels of both end`() {
    let sizes = [1, 15, 16, 17, 31, 32, 33, 48, 49, 70]
    for first in sizes {
      for second in sizes {
        #expect(
          forwardFailure(33, beside: second, first + second, 48, rectify: second % 2 == 0) == nil,
          "33 × (\(first) + \(second)) × 48")
        #expect(weightGradientFailure(37, beside: second, first + second, 40) == nil, "\(first) + \(second), 37 × 40")
      }
    }
  }

  @Test(arguments: [(256, 23, 256), (100, 393, 250), (33, 300, 257), (256, 256, 6)])
  func `a layer of common size is as near`(rows: Int, inputs: Int, outputs: Int) {
    #expect(forwardFailure(rows, beside: 0, inputs, outputs, rectify: true) == nil)
    #expect(forwardFailure(rows, beside: 6, inputs, outputs, rectify: false) == nil)
    #expect(inputGradientFailure(rows, inputs, outputs, masked: true, from: 0) == nil)
    #expect(weightGradientFailure(rows, beside: 6, inputs, outputs) == nil)
  }

  @Test(arguments: [false, true])
  func `NaN passes through the product, the rectifier included`(rectify: Bool) {
    let x = Matrix(numbers(9 * 20, seed: 1), rows: 9, columns: 20)
    x[4, 3] = .nan
    let parameters = Block(LayerReference(inputs: 20, outputs: 33, seed: 2).panels)
    let y = Matrix(rows: 9, columns: 33)
    denseForward(Input(x), parameters, at: 0, into: y, rectify: rectify, rows: 0..<9)
    for row in 0..<9 {
      for output in 0..<33 { #expect(y[row, output].isNaN == (row == 4)) }
    }
  }

  // MARK: input gradient

  private func inputGradientFailure(_ rows: Int, _ inputs: Int, _ outputs: Int, masked: Bool, from first: Int)
    -> String?
  {
    let layer = LayerReference(inputs: inputs, outputs: outputs, seed: rows + 71 * inputs)
    let range = someRows(rows, inputs, outputs)
    var dy = numbers(rows * outputs, seed: inputs)
    for row in 0..<rows where !range.contains(row) { dy[row * outputs] = .nan }
    let width = inputs - first
    // a third of the mask positive, a third negative, and zeros
    let mask = numbers(rows * width, seed: 3).map { abs($0) < 0.3 ? 0 : $0 }
    let gradient = Matrix(dy, rows: rows, columns: outputs)
    let dx = Matrix(repeating: untouched, rows: rows, columns: width)
    let transposed = Block([untouched] + layer.transposed(from: first))
    if masked {
      denseInputGradient(
        gradient, transposed, at: 1, mask: Matrix(mask, rows: rows, columns: width), into: dx, rows: range)
    } else {
      denseInputGradient(gradient, transposed, at: 1, into: dx, rows: range)
    }

    guard dx.isPaddingZero else { return "the padding is not zero" }
    for row in 0..<rows {
      for column in 0..<width {
        let value = dx.at(row, column)
        if !range.contains(row) {
          if value != untouched { return "row \(row) outside \(range) was touched" }
        } else if masked && mask[row * width + column] <= 0 {
          if value != 0 { return "(\(row), \(column)) is \(value) where the mask is not positive" }
        } else {
          var sum = SumReference()
          for output in 0..<outputs {
            sum.add(dy[row * outputs + output], layer.weights[(first + column) * outputs + output])
          }
          if !sum.isNear(value) { return "(\(row), \(column)) is \(value), not \(sum.value)" }
        }
      }
    }
    return nil
  }

  @Test func `the input gradient is near the sum in double precision, for every size`() {
    #expect(firstFailure { inputGradientFailure($0, $1, $2, masked: false, from: 0) } == nil)
  }

  @Test func `the masked input gradient is zero where the mask is not positive, for every size`() {
    #expect(firstFailure { inputGradientFailure($0, $1, $2, masked: true, from: 0) } == nil)
  }

  @Test func `a gathered mask is the mask of the rows it names, for every size`() {
    for columns in Self.sizes {
      for rows in [1, 5, 9, 70] {
        let mask = Matrix(numbers(90 * columns, seed: 1), rows: 90, columns: columns)
        let dy = Matrix(numbers(rows * 19, seed: 2), rows: rows, columns: 19)
        let transposed = Block(LayerReference(inputs: columns, outputs: 19, seed: 3).transposed(from: 0))
        let owners = RowIndices(count: rows)
        let gathered = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
          owners[row] = (row * 37 + columns) % 90
          mask.copyRow(owners[row], to: gathered, row: row)
        }
        let expected = Matrix(repeating: untouched, rows: rows, columns: columns)
        let dx = Matrix(repeating: untouched, rows: rows, columns: columns)
        let range = min(1, rows - 1)..<rows
        denseInputGradient(dy, transposed, at: 0, mask: gathered, into: expected, rows: range)
        denseInputGradient(dy, transposed, at: 0, mask: mask, maskRows: owners, into: dx, rows: range)
        #expect(bits(dx.values) == bits(expected.values), "\(rows) rows of \(columns)")
      }
    }
  }

  @Test func `the gradient of the last inputs alone is the whole one's, for every first`() {
    for first in 0..<40 { #expect(inputGradientFailure(7, 40, 19, masked: false, from: first) == nil) }
  }

  // MARK: weight gradient

  private func weightGradientFailure(_ rows: Int, beside: Int, _ inputs: Int, _ outputs: Int) -> String? {
    let total = rows + inputs % 3
    let x = numbers(total * inputs, seed: outputs)
    let dy = numbers(total * outputs, seed: inputs)
    let first = inputs - beside
    let left = Matrix((0..<total * first).map { x[$0 / first * inputs + $0 % first] }, rows: total, columns: first)
    let right = Matrix(
      (0..<total * beside).map { x[$0 / beside * inputs + first + $0 % beside] }, rows: total, columns: beside)
    let dyMatrix = Matrix(dy, rows: total, columns: outputs)
    let firstPanel = min(dyMatrix.panels - 1, rows % 3)
    let panels = firstPanel..<max(firstPanel + 1, dyMatrix.panels - inputs % 2)
    let count = denseParameterCount(inputs: inputs, outputs: outputs)
    let gradients = Block([Float](repeating: untouched, count: count + 17))
    denseWeightGradient(
      beside > 0 ? Input(left, right) : Input(left), dyMatrix, rows: rows, into: gradients, at: 1, panels: panels)

    var expected = [SumReference?](repeating: nil, count: count)
    for output in 0..<outputs where panels.contains(output / 16) {
      for input in 0...inputs {
        var sum = SumReference()
        for row in 0..<rows {
          sum.add(input == inputs ? 1 : x[row * inputs + input], dy[row * outputs + output])
        }
        expected[LayerReference.index(input, output, inputs: inputs)] = sum
      }
    }
    let block = (inputs + 1) * 16
    for index in -1..<count + 16 {
      let value = gradients[index + 1]
      if index < 0 || index >= count || !panels.contains(index / block) {
        if value != untouched { return "value \(index) outside panels \(panels) was touched" }
      } else if let sum = expected[index] {
        if !sum.isNear(value) { return "value \(index) is \(value), not \(sum.value)" }
      } else if value != 0 {
        return "the padding is not zero"
      }
    }
    return nil
  }

  @Test func `the gradients of weights and biases are near the sums in double precision, for every size`() {
    #expect(firstFailure { weightGradientFailure($0, beside: 0, $1, $2) } == nil)
  }

  @Test func `the weight gradient of two inputs side by side is that of one, for every size of both`() {
    for first in Self.sizes {
      for second in Self.sizes {
        #expect(weightGradientFailure(5, beside: second, first + second, 20) == nil, "\(first) + \(second)")
      }
    }
  }

  // MARK: any division of the work

  @Test func `the bits of a row do not depend on the rows computed with it`() {
    let (rows, inputs, outputs) = (67, 37, 43)
    let layer = LayerReference(inputs: inputs, outputs: outputs, seed: 5)
    let x = Matrix(numbers(rows * inputs, seed: 6), rows: rows, columns: inputs)
    let dy = Matrix(numbers(rows * outputs, seed: 7), rows: rows, columns: outputs)
    let parameters = Block(layer.panels)
    let transposed = Block(layer.transposed(from: 0))

    func results(_ chunk: Int) -> [UInt32] {
      let y = Matrix(rows: rows, columns: outputs)
      let dx = Matrix(rows: rows, columns: inputs)
      for first in stride(from: 0, to: rows, by: chunk) {
        let range = first..<min(rows, first + chunk)
        denseForward(Input(x), parameters, at: 0, into: y, rectify: true, rows: range)
        denseInputGradient(dy, transposed, at: 0, mask: x, into: dx, rows: range)
      }
      return bits(y.values) + bits(dx.values)
    }
    let whole = results(rows)
    for chunk in 1..<rows { #expect(results(chunk) == whole, "\(chunk) rows at a time") }
  }

  @Test func `the bits of a weight gradient do not depend on the panels computed with it`() {
    let (rows, inputs, outputs) = (67, 37, 90)
    let x = Matrix(numbers(rows * inputs, seed: 6), rows: rows, columns: inputs)
    let dy = Matrix(numbers(rows * outputs, seed: 7), rows: rows, columns: outputs)

    func results(_ chunk: Int) -> [UInt32] {
      let gradients = Block(count: denseParameterCount(inputs: inputs, outputs: outputs))
      for first in stride(from: 0, to: dy.panels, by: chunk) {
        denseWeightGradient(
          Input(x), dy, rows: rows, into: gradients, at: 0, panels: first..<min(dy.panels, first + chunk))
      }
      return bits(gradients.values)
    }
    let whole = results(dy.panels)
    for chunk in 1..<dy.panels { #expect(results(chunk) == whole, "\(chunk) panels at a time") }
  }

  @Test func `the bits of a narrow layer's weight gradient do not depend on the inputs computed with it`() {
    let rows = 67
    for (inputs, outputs) in [(1, 1), (16, 16), (37, 3), (90, 12), (256, 2)] {
      let x = Matrix(numbers(rows * inputs, seed: 6), rows: rows, columns: inputs)
      let dy = Matrix(numbers(rows * outputs, seed: 7), rows: rows, columns: outputs)
      let whole = Block(count: denseParameterCount(inputs: inputs, outputs: outputs))
      denseWeightGradient(Input(x), dy, rows: rows, into: whole, at: 0, panels: 0..<1)
      for chunk in 1...x.panels {
        let gradients = Block([Float](repeating: untouched, count: whole.count + 2))
        for first in stride(from: 0, to: x.panels, by: chunk) {
          denseWeightGradient(
            x, dy, rows: rows, into: gradients, at: 1, inputPanels: first..<min(x.panels, first + chunk))
        }
        #expect(
          bits(gradients.values) == bits([untouched] + whole.values + [untouched]),
          "\(inputs) × \(outputs), \(chunk) panels at a time")
      }
    }
  }

  // MARK: misuse

  @Test func `rows that are not there trap instead of being read`() async {
    await #expect(processExitsWith: .failure) {
      let x = Matrix(rows: 4, columns: 3)
      let parameters = Block(count: denseParameterCount(inputs: 3, outputs: 2))
      denseForward(Input(x), parameters, at: 0, into: Matrix(rows: 8, columns: 2), rectify: false, rows: 0..<5)
    }
  }

  @Test func `a mask's row that is not there traps instead of being read`() async {
    await #expect(processExitsWith: .failure) {
      let owners = RowIndices(count: 4)
      owners[3] = 6
      denseInputGradient(
        Matrix(rows: 4, columns: 2), Block(count: denseTransposedCount(inputs: 3, outputs: 2)), at: 0,
        mask: Matrix(rows: 6, columns: 3), maskRows: owners, into: Matrix(rows: 4, columns: 3), rows: 0..<4)
    }
  }

  @Test func `a block too small for the layer traps instead of being read past its end`() async {
    await #expect(processExitsWith: .failure) {
      let x = Matrix(rows: 4, columns: 3)
      let parameters = Block(count: denseParameterCount(inputs: 2, outputs: 2))
      denseForward(Input(x), parameters, at: 0, into: Matrix(rows: 4, columns: 2), rectify: false, rows: 0..<4)
    }
  }

  // MARK: shared

  @Test func `products shared by any number of workers have the same bits`() {
    let (rows, inputs, outputs) = (150, 37, 75)
    let layer = LayerReference(inputs: inputs, outputs: outputs, seed: 1)
    let x = Matrix(numbers(rows * inputs, seed: 2), rows: rows, columns: inputs)
    let parameters = Block(layer.panels)

    func results(_ workers: Int) -> [UInt32] {
      let pool = WorkerPool(count: workers)
      let y = Matrix(rows: rows, columns: outputs)
      let gradients = Block(count: parameters.count)
      pool.forEachChunk(ofRows: rows) {
        denseForward(Input(x), parameters, at: 0, into: y, rectify: true, rows: $0)
      }
      pool.forEachShare {
        denseWeightGradient(Input(x), y, rows: rows, into: gradients, at: 0, panels: $0.range(of: y.panels))
      }
      return bits(y.values) + bits(gradients.values)
    }
    let one = results(1)
    for workers in 2...5 { #expect(results(workers) == one, "\(workers) workers") }
  }
}
