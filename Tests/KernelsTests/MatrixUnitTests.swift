import Kernels
import Testing
import Vector512

/// The products on the matrix unit, called directly; only where there is one.
@Suite(.enabled(if: Processor.hasMatrixUnit)) struct MatrixUnitTests {
  private func scratch(_ tiles: Int, _ blocks: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    let count = MatrixUnit.scratchByteCount(tiles: tiles, blocks: blocks)
    let (beyond, unwritten) = (4096, UInt8(0xff))
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count + beyond, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: unwritten, count: count + beyond)
    body(memory)
    let after = UnsafeRawBufferPointer(start: memory + count, count: beyond)
    #expect(after.allSatisfy { $0 == unwritten }, "written past the scratch")
    memory.deallocate()
  }

  private func forward(
    _ x: borrowing Matrix, _ z: borrowing Matrix, _ weights: borrowing Block, rows: Range<Int>, into y: borrowing Matrix
  ) {
    let blocks = MatrixUnit.blocks(xColumns: x.columns, zColumns: z.columns)
    let start = rows.lowerBound * panelWidth
    scratch(MatrixUnit.panels(rows.count), blocks) {
      MatrixUnit.denseForward(
        rows: rows.count, x.pointer + start, x.stride, x.columns, z.pointer + start, z.stride, z.columns,
        weights.pointer, panels: y.panels, y.pointer + start, y.stride, rectify: false, $0)
    }
  }

  @Test(arguments: [
    (1, 1, 0, 1), (7, 17, 6, 33), (64, 40, 3, 70), (67, 23, 0, 250), (33, 300, 20, 48), (100, 64, 0, 64),
  ])
  func `its plain twin has the same bits`(rows: Int, inputs: Int, beside: Int, outputs: Int) {
    let x = Matrix(numbers(rows * inputs, seed: 1), rows: rows, columns: inputs)
    let z = Matrix(numbers(rows * beside, seed: 2), rows: rows, columns: beside)
    let layer = LayerReference(inputs: inputs + beside, outputs: outputs, seed: 4)
    let weights = Block(layer.panels)
    let y = Matrix(rows: rows, columns: outputs)
    forward(x, z, weights, rows: 0..<rows, into: y)

    // the inputs in the order of the panels, with zeros where a panel is not full
    let order: [Int?] = Twin.order(inputs, beside)
    var different = 0
    for row in 0..<rows {
      let left = order.map { i in i.map { $0 < inputs ? x[row, $0] : z[row, $0 - inputs] } ?? 0 }
      for output in 0..<outputs {
        let right = order.map { i in i.map { layer.weights[$0 * outputs + output] } ?? 0 }
        let sum = Twin.product(left, right) + layer.biases[output]
        if sum.bitPattern != y[row, output].bitPattern { different += 1 }
      }
    }
    #expect(different == 0)
  }

  @Test func `it is as exact as fused multiply-adds one after the other`() {
    let (rows, inputs, outputs) = (96, 256, 64)
    let x = Matrix(numbers(rows * inputs, seed: 1), rows: rows, columns: inputs)
    let none = Matrix(rows: rows, columns: 0)
    let layer = LayerReference(inputs: inputs, outputs: outputs, seed: 2)
    let weights = Block(layer.panels)
    let y = Matrix(rows: rows, columns: outputs)
    forward(x, none, weights, rows: 0..<rows, into: y)
    var (error, chainError) = (0.0, 0.0)
    for row in 0..<rows {
      for output in 0..<outputs {
        var exact = Double(layer.biases[output])
        var chain = layer.biases[output]
        for i in 0..<inputs {
          exact += Double(x[row, i]) * Double(layer.weights[i * outputs + output])
          chain = chain.addingProduct(x[row, i], layer.weights[i * outputs + output])
        }
        error += abs(Double(y[row, output]) - exact)
        chainError += abs(Double(chain) - exact)
      }
    }
    #expect(error < chainError)
  }

  @Test func `a row's bits do not depend on the rows beside it`() {
    let (rows, inputs, outputs) = (70, 48, 40)
    let x = Matrix(numbers(rows * inputs, seed: 1), rows: rows, columns: inputs)
    let none = Matrix(rows: rows, columns: 0)
    let weights = Block(LayerReference(inputs: inputs, outputs: outputs, seed: 2).panels)
    let whole = Matrix(rows: rows, columns: outputs)
    let parts = Matrix(rows: rows, columns: outputs)
    forward(x, none, weights, rows: 0..<rows, into: whole)
    for part in [0..<1, 1..<20, 20..<52, 52..<70] {
      forward(x, none, weights, rows: part, into: parts)
    }
    for row in 0..<rows {
      for output in 0..<outputs { #expect(whole[row, output].bitPattern == parts[row, output].bitPattern) }
    }
  }

  @Test(arguments: [
    Float.nan, -Float.nan, Float(bitPattern: 0x7fff_ffff), Float(bitPattern: 0x7f80_0001), .infinity, -.infinity,
  ])
  func `a number that is not finite is not lost`(bad: Float) {
    let x = Matrix(numbers(32 * 32, seed: 1), rows: 32, columns: 32)
    let none = Matrix(rows: 32, columns: 0)
    let layer = LayerReference(inputs: 32, outputs: 32, seed: 2)
    let y = Matrix(rows: 32, columns: 32)
    for (row, column) in [(0, 0), (5, 17), (31, 31)] {
      let good = x[row, column]
      x[row, column] = bad
      let weights = Block(layer.panels)
      forward(x, none, weights, rows: 0..<32, into: y)
      for output in 0..<32 { #expect(!y[row, output].isFinite) }
      for other in 0..<32 where other != row {
        for output in 0..<32 { #expect(y[other, output].isFinite) }
      }
      x[row, column] = good

      weights[LayerReference.index(column, row, inputs: 32)] = bad
      forward(x, none, weights, rows: 0..<32, into: y)
      for r in 0..<32 { #expect(!y[r, row].isFinite) }
    }
  }

  /// Sizes just within what goes to the unit, and one too small in each way: there the bits are those of vectors.
  @Test(arguments: [
    (32, 20, 32, true), (31, 20, 32, false), (32, 19, 32, false), (32, 20, 31, false), (40, 40, 48, true),
    (40, 39, 48, false),
  ])
  func `a layer's product goes to the unit where it fills it`(rows: Int, inputs: Int, outputs: Int, fills: Bool) {
    let x = Matrix(numbers(rows * inputs, seed: 1), rows: rows, columns: inputs)
    let none = Matrix(rows: rows, columns: 0)
    let weights = Block(LayerReference(inputs: inputs, outputs: outputs, seed: 2).panels)
    let y = Matrix(rows: rows, columns: outputs)
    let onUnit = Matrix(rows: rows, columns: outputs)
    let onVectors = Matrix(rows: rows, columns: outputs)
    denseForward(Input(x), weights, at: 0, into: y, rectify: false, rows: 0..<rows)
    forward(x, none, weights, rows: 0..<rows, into: onUnit)
    Vector512.denseForward(
      rows: rows, x.pointer, x.stride, inputs, x.pointer, x.stride, 0, weights.pointer, panels: y.panels,
      onVectors.pointer, y.stride, rectify: false)
    #expect(bits(onUnit.values) != bits(onVectors.values))
    #expect(bits(y.values) == (fills ? bits(onUnit.values) : bits(onVectors.values)))
  }

  @Test func `gradients of an empty batch are zero`() {
    let x = Matrix(rows: 8, columns: 96)
    let dy = Matrix(rows: 8, columns: 32)
    let gradient = Block(count: denseParameterCount(inputs: 96, outputs: 32))
    gradient.fill(7, 0..<gradient.count)
    denseWeightGradient(Input(x), dy, rows: 0, into: gradient, at: 0, panels: 0..<dy.panels)
    for i in 0..<gradient.count { #expect(gradient[i] == 0) }
  }

  @Test(arguments: [(32, 32, 0, 32), (37, 40, 23, 70), (100, 64, 6, 64), (256, 17, 20, 33)])
  func `gradients are those of double precision`(rows: Int, inputs: Int, beside: Int, outputs: Int) {
    let x = Matrix(numbers(rows * inputs, seed: 1), rows: rows, columns: inputs)
    let z = Matrix(numbers(rows * beside, seed: 2), rows: rows, columns: beside)
    let dy = Matrix(numbers(rows * outputs, seed: 3), rows: rows, columns: outputs)
    let all = inputs + beside
    let gradient = Block(count: denseParameterCount(inputs: all, outputs: outputs))
    scratch(MatrixUnit.panels(inputs) + MatrixUnit.panels(beside), MatrixUnit.blocks(rows: rows)) {
      MatrixUnit.denseWeightGradient(
        rows: rows, x.pointer, x.stride, inputs, z.pointer, z.stride, beside, dy.pointer, dy.stride, panels: dy.panels,
        gradient.pointer, $0)
    }
    let layer = LayerReference(inputs: all, outputs: outputs, seed: 4)
    var worst = 0.0
    for output in 0..<outputs {
      for input in 0...all {
        var sum = 0.0
        for row in 0..<rows {
          let value = input == all ? 1 : input < inputs ? x[row, input] : z[row, input - inputs]
          sum += Double(value) * Double(dy[row, output])
        }
        worst = max(worst, abs(Double(gradient[LayerReference.index(input, output, inputs: all)]) - sum))
      }
    }
    #expect(worst < 1e-5)

    let transposed = Block(layer.transposed(from: 0))
    let mask = Matrix(numbers(rows * all, seed: 5), rows: rows, columns: all)
    let dx = Matrix(rows: rows, columns: all)
    scratch(MatrixUnit.panels(rows), MatrixUnit.blocks(xColumns: outputs, zColumns: 0)) {
      MatrixUnit.denseInputGradient(
        rows: rows, dy.pointer, dy.stride, outputs, transposed.pointer, panels: dx.panels, mask: mask.pointer,
        mask.stride, maskRows: nil, dx.pointer, dx.stride, $0)
    }
    worst = 0
    for row in 0..<rows {
      for input in 0..<all {
        var sum = 0.0
        for output in 0..<outputs { sum += Double(dy[row, output]) * Double(layer.weights[input * outputs + output]) }
        worst = max(worst, abs(Double(dx[row, input]) - (mask[row, input] > 0 ? sum : 0)))
      }
    }
    #expect(worst < 1e-5)
  }
}

/// What the unit does, in plain words: Intel's description of TDPBF16PS, six of nine products of parts.
private enum Twin {
  /// Which input is at each step of k: whole panels of x, then of z, then zeros up to whole blocks.
  static func order(_ x: Int, _ z: Int) -> [Int?] {
    func panels(_ range: Range<Int>) -> [Int?] {
      range.map { $0 } + [Int?](repeating: nil, count: (16 - range.count % 16) % 16)
    }
    let order = panels(0..<x) + panels(x..<(x + z))
    return order + [Int?](repeating: nil, count: (32 - order.count % 32) % 32)
  }

  /// h, m and l of a number.
  static func parts(_ x: Float) -> [Float] {
    func rounded(_ x: Float) -> Float { Float(bitPattern: (x.bitPattern &+ 0x8000) & 0xffff_0000) }
    let h = rounded(x)
    let m = rounded(x - h)
    let l = x - h - m
    precondition(h + m + l == x && l.bitPattern & 0xffff == 0, "\(x) has not three parts")
    return [h, m, l]
  }

  static func product(_ left: [Float], _ right: [Float]) -> Float {
    let (a, b) = (left.map(parts), right.map(parts))
    var sum: Float = 0
    for block in stride(from: 0, to: a.count, by: 32) {
      for (i, j) in [(0, 2), (0, 1), (1, 1), (1, 0), (2, 0), (0, 0)] {
        var (even, odd): (Float, Float) = (0, 0)
        for p in block..<(block + 16) {
          even = even.addingProduct(a[p][i], b[p][j])
          odd = odd.addingProduct(a[p + 16][i], b[p + 16][j])
        }
        sum += even + odd
      }
    }
    return sum
  }
}
