import Foundation
import Kernels
import Testing

/// y = g ⊙ (x − mean) / √(var + ε) + b of a row in double precision.
private func normalized(_ x: [Double], _ scale: [Double], _ shift: [Double]) -> [Double] {
  let count = Double(x.count)
  let mean = x.reduce(0, +) / count
  let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
  return x.indices.map { scale[$0] * (x[$0] - mean) / (variance + 1e-5).squareRoot() + shift[$0] }
}

/// A problem of some rows: inputs, scale and shift in panels, and what comes back.
private struct Problem: ~Copyable {
  let rows: Int
  let columns: Int
  let x: [Float]
  let scale: [Float]
  let shift: [Float]
  let parameters: Block
  let weights: [Float]

  init(rows: Int, columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    x = numbers(rows * columns, seed: 1).map { 3 * $0 + 0.5 }
    (scale, shift) = (numbers(columns, seed: 2).map { 1 + 0.5 * $0 }, numbers(columns, seed: 3))
    weights = numbers(rows * columns, seed: 4)
    parameters = Block(count: 16 + layerNormParameterCount(columns))
    for i in 0..<columns {
      parameters[16 + i / 16 * 32 + i % 16] = scale[i]
      parameters[16 + i / 16 * 32 + 16 + i % 16] = shift[i]
    }
  }

  func row(_ row: Int) -> [Double] { x[row * columns..<(row + 1) * columns].map(Double.init) }
}

@Suite struct NormalizationTests {
  static let shapes = [(1, 1), (3, 5), (4, 16), (7, 33), (5, 256)]

  @Test(arguments: shapes)
  func `rows are normalised over their own columns, and padding stays zero`(rows: Int, columns: Int) {
    let problem = Problem(rows: rows, columns: columns)
    let x = Matrix(problem.x, rows: rows, columns: columns)
    let record = LayerNormRecord(rows: rows, columns: columns)
    layerNormForward(x, problem.parameters, at: 16, record, rows: 0..<rows)
    for row in 0..<rows {
      let expected = normalized(problem.row(row), problem.scale.map(Double.init), problem.shift.map(Double.init))
      for i in 0..<columns { #expect(abs(Double(x.at(row, i)) - expected[i]) < 2e-5, "row \(row), column \(i)") }
    }
    #expect(x.isPaddingZero == true)
    #expect(record.normalized.isPaddingZero == true)
  }

  @Test(arguments: shapes)
  func `gradients are the finite differences of a weighted sum`(rows: Int, columns: Int) {
    let problem = Problem(rows: rows, columns: columns)
    let x = Matrix(problem.x, rows: rows, columns: columns)
    let record = LayerNormRecord(rows: rows, columns: columns)
    layerNormForward(x, problem.parameters, at: 16, record, rows: 0..<rows)
    let dy = Matrix(problem.weights, rows: rows, columns: columns)
    let dx = Matrix(rows: rows, columns: columns)
    layerNormInputGradient(dy, problem.parameters, at: 16, record, into: dx, rows: 0..<rows)
    let gradients = Block(count: 16 + layerNormParameterCount(columns))
    let panels = (columns + 15) / 16
    layerNormAffineGradient(dy, record, rows: rows, into: gradients, at: 16, panels: 0..<panels)

    let (scale, shift) = (problem.scale.map(Double.init), problem.shift.map(Double.init))
    let h = 1e-6
    func loss(_ x: [Double], _ scale: [Double], _ shift: [Double], _ row: Int) -> Double {
      normalized(x, scale, shift).enumerated().reduce(0) {
        $0 + $1.element * Double(problem.weights[row * columns + $1.offset])
      }
    }
    for i in 0..<columns {
      var (scaleSum, shiftSum) = (0.0, 0.0)
      for row in 0..<rows {
        let given = problem.row(row)
        func difference(_ change: (inout [Double], inout [Double], inout [Double], Double) -> Void) -> Double {
          var (up, down) = ((given, scale, shift), (given, scale, shift))
          change(&up.0, &up.1, &up.2, h)
          change(&down.0, &down.1, &down.2, -h)
          return (loss(up.0, up.1, up.2, row) - loss(down.0, down.1, down.2, row)) / (2 * h)
        }
        let expected = difference { x, _, _, h in x[i] += h }
        #expect(abs(Double(dx.at(row, i)) - expected) < 1e-4, "row \(row), column \(i)")
        scaleSum += difference { _, scale, _, h in scale[i] += h }
        shiftSum += difference { _, _, shift, h in shift[i] += h }
      }
      #expect(abs(Double(gradients[16 + i / 16 * 32 + i % 16]) - scaleSum) < 1e-4, "scale \(i)")
      #expect(abs(Double(gradients[16 + i / 16 * 32 + 16 + i % 16]) - shiftSum) < 1e-4, "shift \(i)")
    }
    #expect(dx.isPaddingZero == true)
  }

  @Test func `a gradient of gathered rows is that of the rows they belong to`() {
    let problem = Problem(rows: 6, columns: 21)
    let x = Matrix(problem.x, rows: 6, columns: 21)
    let record = LayerNormRecord(rows: 6, columns: 21)
    layerNormForward(x, problem.parameters, at: 16, record, rows: 0..<6)
    let dy = Matrix(problem.weights, rows: 6, columns: 21)
    let whole = Matrix(rows: 6, columns: 21)
    layerNormInputGradient(dy, problem.parameters, at: 16, record, into: whole, rows: 0..<6)
    let gathered = Matrix(rows: 6, columns: 21)
    let owners = RowIndices(count: 6)
    (owners[0], owners[1]) = (4, 1)
    let part = Matrix(rows: 6, columns: 21)
    for (at, row) in [4, 1].enumerated() { dy.copyRow(row, to: part, row: at) }
    layerNormInputGradient(part, problem.parameters, at: 16, record, owners: owners, into: gathered, rows: 0..<2)
    for i in 0..<21 {
      #expect(gathered.at(0, i) == whole.at(4, i) && gathered.at(1, i) == whole.at(1, i))
    }
  }
}
