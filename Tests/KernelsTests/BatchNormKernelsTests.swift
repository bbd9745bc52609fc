import Foundation
import Kernels
import Testing

/// Batch normalisation in double precision.
private struct BatchReference {
  var x: [[Double]]  // rows × columns
  var scale: [Double]
  var shift: [Double]
  var mean: [Double]
  var variance: [Double]
  let epsilon = 1e-3

  var rows: Int { x.count }
  var columns: Int { scale.count }

  /// μ and v of a column.
  func statistics(_ column: Int) -> (mean: Double, variance: Double) {
    let mean = x.reduce(0) { $0 + $1[column] } / Double(rows)
    return (mean, x.reduce(0) { $0 + ($1[column] - mean) * ($1[column] - mean) } / Double(rows))
  }

  /// r and d of a column.
  func renormalization(_ column: Int, bounds: (ratio: Double, distance: Double)) -> (ratio: Double, distance: Double) {
    let (batchMean, batchVariance) = statistics(column)
    let past = (variance[column] + epsilon).squareRoot()
    let ratio = (batchVariance + epsilon).squareRoot() / past
    return (
      min(max(ratio, 1 / bounds.ratio), bounds.ratio),
      min(max((batchMean - mean[column]) / past, -bounds.distance), bounds.distance)
    )
  }

  /// z of all rows with given r and d.
  func forward(_ constants: [(ratio: Double, distance: Double)]) -> [[Double]] {
    let all = (0..<columns).map(statistics)
    return x.map { row in
      row.indices.map { i in
        let plain = (row[i] - all[i].mean) / (all[i].variance + epsilon).squareRoot()
        return scale[i] * (constants[i].ratio * plain + constants[i].distance) + shift[i]
      }
    }
  }
}

/// Some rows in panels, and the same in double precision.
private struct Problem: ~Copyable {
  let x: Matrix
  let parameters: Block
  let running: Block
  let weights: [Float]
  let reference: BatchReference
  let settings: BatchNormSettings
  let bounds: (ratio: Double, distance: Double)

  /// - Parameter renormalizes: r within its bound in some columns and outside in others, and d too.
  init(rows: Int, columns: Int, renormalizes: Bool) {
    let values = numbers(rows * columns, seed: 1).map { 3 * $0 + 0.5 }
    x = Matrix(values, rows: rows, columns: columns)
    let (scale, shift) = (numbers(columns, seed: 2).map { 1 + 0.5 * $0 }, numbers(columns, seed: 3))
    let (mean, variance) = (numbers(columns, seed: 5), numbers(columns, seed: 6).map { 2.6 + 2.5 * $0 })
    weights = numbers(rows * columns, seed: 4)
    parameters = Block(count: 16 + batchNormParameterCount(columns))
    running = Block(count: 32 + batchNormParameterCount(columns))
    for i in 0..<columns {
      parameters[16 + i / 16 * 32 + i % 16] = scale[i]
      parameters[32 + i / 16 * 32 + i % 16] = shift[i]
      running[32 + i / 16 * 32 + i % 16] = mean[i]
      running[48 + i / 16 * 32 + i % 16] = variance[i]
    }
    reference = BatchReference(
      x: (0..<rows).map { row in values[row * columns..<(row + 1) * columns].map(Double.init) },
      scale: scale.map(Double.init), shift: shift.map(Double.init), mean: mean.map(Double.init),
      variance: variance.map(Double.init))
    bounds = renormalizes ? (1.5, 0.4) : (1, 0)
    settings =
      renormalizes
      ? BatchNormSettings(epsilon: 1e-3, momentum: 0.9, ratioBound: 1.5, distanceBound: 0.4)
      : BatchNormSettings(epsilon: 1e-3, momentum: 0.9)
  }

  var constants: [(ratio: Double, distance: Double)] {
    reference.scale.indices.map { reference.renormalization($0, bounds: bounds) }
  }

  func running(_ column: Int) -> (mean: Float, variance: Float) {
    (running[32 + column / 16 * 32 + column % 16], running[48 + column / 16 * 32 + column % 16])
  }

  /// z, with the panels in parts.
  func forward(into z: borrowing Matrix, _ record: borrowing BatchNormRecord, parts: Int = 1) {
    let panels = (x.columns + 15) / 16
    for part in 0..<parts {
      batchNormStatistics(
        x, rows: x.rows, parameters, at: 16, running: running, at: 32, settings, record,
        panels: part * panels / parts..<(part + 1) * panels / parts)
    }
    batchNormForward(x, record, into: z, rows: 0..<x.rows)
  }
}

@Suite struct BatchNormKernelsTests {
  static let shapes = [(1, 1), (3, 5), (4, 16), (7, 33), (41, 40)]

  @Test(arguments: shapes, [false, true])
  func `columns are normalised over a batch's rows, the running statistics move, and padding stays zero`(
    shape: (Int, Int), renormalizes: Bool
  ) {
    let (rows, columns) = shape
    let problem = Problem(rows: rows, columns: columns, renormalizes: renormalizes)
    let record = BatchNormRecord(columns: columns)
    let z = Matrix(rows: rows, columns: columns)
    let constants = problem.constants
    problem.forward(into: z, record)
    let expected = problem.reference.forward(constants)
    for i in 0..<columns {
      for row in 0..<rows { #expect(abs(Double(z.at(row, i)) - expected[row][i]) < 2e-5, "row \(row), column \(i)") }
      #expect(abs(Double(record.ratio(i)) - constants[i].ratio) < 1e-6)
      #expect(abs(Double(record.distance(i)) - constants[i].distance) < 1e-6)
      let (mean, variance) = problem.reference.statistics(i)
      let (oldMean, oldVariance) = (problem.reference.mean[i], problem.reference.variance[i])
      let (newMean, newVariance) = problem.running(i)
      #expect(abs(Double(newMean) - (0.9 * oldMean + 0.1 * mean)) < 1e-6)
      #expect(abs(Double(newVariance) - (0.9 * oldVariance + 0.1 * variance)) < 2e-6)
      #expect(abs(Double(record.lag(i)) - (mean - oldMean) / (oldVariance + 1e-3).squareRoot()) < 1e-5)
    }
    #expect(z.isPaddingZero == true)
  }

  @Test(arguments: shapes, [false, true])
  func `gradients are the finite differences of a weighted sum over the whole batch, r and d held`(
    shape: (Int, Int), renormalizes: Bool
  ) {
    let (rows, columns) = shape
    let problem = Problem(rows: rows, columns: columns, renormalizes: renormalizes)
    let record = BatchNormRecord(columns: columns)
    let z = Matrix(rows: rows, columns: columns)
    let constants = problem.constants
    problem.forward(into: z, record)
    let d = Matrix(problem.weights, rows: rows, columns: columns)
    let gradients = Block(count: 16 + batchNormParameterCount(columns))
    batchNormGradientSums(d, problem.x, rows: rows, record, into: gradients, at: 16, panels: 0..<(columns + 15) / 16)
    batchNormInputGradient(d, problem.x, record, mask: false, rows: 0..<rows)

    let reference = problem.reference
    let weights = problem.weights
    let h = 1e-5
    func loss(_ reference: BatchReference) -> Double {
      reference.forward(constants).enumerated().reduce(0) { sum, row in
        row.element.enumerated().reduce(sum) { $0 + $1.element * Double(weights[row.offset * columns + $1.offset]) }
      }
    }
    func difference(_ change: (inout BatchReference, Double) -> Void) -> Double {
      var (up, down) = (reference, reference)
      change(&up, h)
      change(&down, -h)
      return (loss(up) - loss(down)) / (2 * h)
    }
    for i in 0..<columns {
      for row in 0..<rows {
        let expected = difference { $0.x[row][i] += $1 }
        #expect(abs(Double(d.at(row, i)) - expected) < 2e-5, "row \(row), column \(i)")
      }
      let scale = difference { $0.scale[i] += $1 }
      let shift = difference { $0.shift[i] += $1 }
      #expect(abs(Double(gradients[16 + i / 16 * 32 + i % 16]) - scale) < 5e-5, "scale \(i)")
      #expect(abs(Double(gradients[32 + i / 16 * 32 + i % 16]) - shift) < 5e-5, "shift \(i)")
    }
    #expect(d.isPaddingZero == true)
  }

  @Test func `a gradient stops where a mask is not positive`() {
    let (rows, columns) = (7, 33)
    let problem = Problem(rows: rows, columns: columns, renormalizes: false)
    let record = BatchNormRecord(columns: columns)
    problem.forward(into: Matrix(rows: rows, columns: columns), record)
    let whole = Matrix(problem.weights, rows: rows, columns: columns)
    let masked = Matrix(problem.weights, rows: rows, columns: columns)
    let gradients = Block(count: batchNormParameterCount(columns))
    batchNormGradientSums(whole, problem.x, rows: rows, record, into: gradients, at: 0, panels: 0..<3)
    batchNormInputGradient(whole, problem.x, record, mask: false, rows: 0..<rows)
    batchNormInputGradient(masked, problem.x, record, mask: true, rows: 0..<rows)
    for row in 0..<rows {
      for i in 0..<columns {
        #expect(masked.at(row, i) == (problem.x.at(row, i) > 0 ? whole.at(row, i) : 0))
      }
    }
  }

  @Test func `within its bounds batch renormalisation gives what the running statistics give`() {
    let (rows, columns) = (50, 33)
    let problem = Problem(rows: rows, columns: columns, renormalizes: false)
    let settings = BatchNormSettings(epsilon: 1e-3, momentum: 0.9, ratioBound: 100, distanceBound: 100)
    let batch = BatchNormRecord(columns: columns)
    let running = BatchNormRecord(columns: columns)
    batchNormInference(
      problem.parameters, at: 16, running: problem.running, at: 32, epsilon: 1e-3, running, panels: 0..<3)
    let own = Matrix(rows: rows, columns: columns)
    let theirs = Matrix(rows: rows, columns: columns)
    batchNormForward(problem.x, running, into: theirs, rows: 0..<rows)
    batchNormStatistics(
      problem.x, rows: rows, problem.parameters, at: 16, running: problem.running, at: 32, settings, batch,
      panels: 0..<3)
    batchNormForward(problem.x, batch, into: own, rows: 0..<rows)
    let reference = problem.reference
    for row in 0..<rows {
      for i in 0..<columns {
        #expect(abs(own.at(row, i) - theirs.at(row, i)) < 2e-5)
        let deviation = (reference.variance[i] + 1e-3).squareRoot()
        let expected = reference.scale[i] * (reference.x[row][i] - reference.mean[i]) / deviation + reference.shift[i]
        #expect(abs(Double(theirs.at(row, i)) - expected) < 1e-5)
      }
    }
  }

  @Test func `panels in parts and rows in parts have the same bits`() {
    let (rows, columns) = (41, 40)
    func values(_ parts: Int) -> [UInt32] {
      let problem = Problem(rows: rows, columns: columns, renormalizes: true)
      let record = BatchNormRecord(columns: columns)
      let z = Matrix(rows: rows, columns: columns)
      problem.forward(into: z, record, parts: parts)
      let d = Matrix(problem.weights, rows: rows, columns: columns)
      let gradients = Block(count: batchNormParameterCount(columns))
      for part in 0..<parts {
        batchNormGradientSums(
          d, problem.x, rows: rows, record, into: gradients, at: 0, panels: part * 3 / parts..<(part + 1) * 3 / parts)
      }
      for part in 0..<parts {
        batchNormInputGradient(
          d, problem.x, record, mask: true, rows: part * rows / parts..<(part + 1) * rows / parts)
      }
      return bits(z.values) + bits(d.values) + bits(gradients.values) + bits(problem.running.values)
    }
    let whole = values(1)
    for parts in 2...3 { #expect(values(parts) == whole) }
  }

  @Test
  func `by the running statistics a gradient is scaled, its mask may be other rows, and the last columns may be all`() {
    let (rows, columns) = (9, 21)
    let problem = Problem(rows: rows, columns: columns, renormalizes: false)
    let record = BatchNormRecord(columns: columns)
    batchNormInference(
      problem.parameters, at: 16, running: problem.running, at: 32, epsilon: 1e-3, record, panels: 0..<2)
    let plain = Matrix(problem.weights, rows: rows, columns: columns)
    let masked = Matrix(problem.weights, rows: rows, columns: columns)
    let owned = Matrix(problem.weights, rows: rows, columns: columns)
    let last = Matrix(rows: rows, columns: 6)
    batchNormScaleLast(owned, record, into: last, rows: 0..<rows)
    batchNormScale(plain, record, rows: 0..<rows)
    batchNormScale(masked, record, mask: problem.x, rows: 0..<rows)
    let owners = RowIndices(count: rows)
    for row in 0..<rows { owners[row] = rows - 1 - row }
    batchNormScale(owned, record, mask: problem.x, maskRows: owners, rows: 2..<rows)
    for row in 0..<rows {
      for i in 0..<columns {
        let expected = problem.weights[row * columns + i] * record.scale(i)
        #expect(plain.at(row, i) == expected)
        #expect(masked.at(row, i) == (problem.x.at(row, i) > 0 ? expected : 0))
        let untouched = problem.weights[row * columns + i]
        #expect(owned.at(row, i) == (row < 2 ? untouched : problem.x.at(rows - 1 - row, i) > 0 ? expected : 0))
        if i >= 15 { #expect(last.at(row, i - 15) == expected) }
      }
    }
  }

  @Test(arguments: [(5, 3), (16, 16), (33, 40), (20, 4)])
  func `a layer with the statistics folded in computes what the layer of the normalised does`(inputs: Int, outputs: Int)
  {
    let problem = Problem(rows: 9, columns: inputs, renormalizes: false)
    let record = BatchNormRecord(columns: inputs)
    batchNormInference(
      problem.parameters, at: 16, running: problem.running, at: 32, epsilon: 1e-3, record,
      panels: 0..<(inputs + 15) / 16)
    let layer = LayerReference(inputs: inputs, outputs: outputs, seed: 4)
    let weights = Block([Float](repeating: 9, count: 16) + layer.panels)
    let folded = Block(count: 32 + denseParameterCount(inputs: inputs, outputs: outputs))
    batchNormFold(weights, at: 16, record, outputs: outputs, into: folded, at: 32)
    let z = Matrix(rows: 9, columns: inputs)
    batchNormForward(problem.x, record, into: z, rows: 0..<9)
    let one = Matrix(rows: 9, columns: outputs)
    let two = Matrix(rows: 9, columns: outputs)
    denseForward(Input(z), weights, at: 16, into: one, rectify: false, rows: 0..<9)
    denseForward(Input(problem.x), folded, at: 32, into: two, rectify: false, rows: 0..<9)
    for (a, b) in zip(one.values, two.values) { #expect(abs(a - b) < 2e-5) }
    #expect(two.isPaddingZero == true)
  }

  @Test func `two matrices are joined side by side, from any row on`() {
    let x = Matrix(numbers(5 * 17, seed: 1), rows: 5, columns: 17)
    let z = Matrix(numbers(5 * 6, seed: 2), rows: 5, columns: 6)
    let joined = Matrix(rows: 12, columns: 23)
    join(Input(x, z), into: joined, at: 6, rows: 1..<5)
    for row in 0..<12 {
      for i in 0..<23 {
        let source = row - 6
        let expected = !(1..<5).contains(source) ? 0 : i < 17 ? x.at(source, i) : z.at(source, i - 17)
        #expect(joined.at(row, i) == expected, "row \(row), column \(i)")
      }
    }
    #expect(joined.isPaddingZero == true)
  }
}
