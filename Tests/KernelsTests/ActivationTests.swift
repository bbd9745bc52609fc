import Foundation
import Kernels
import Testing

/// f and f′ in double precision, as they are printed.
private func reference(_ activation: Activation, _ x: Double) -> (value: Double, slope: Double) {
  switch activation {
  case .relu: return (max(0, x), x > 0 ? 1 : 0)
  case .tanh: return (tanh(x), 1 - tanh(x) * tanh(x))
  case .elu: return x > 0 ? (x, 1) : (exp(x) - 1, exp(x))
  case .silu:
    let s = 1 / (1 + exp(-x))
    return (x * s, s + x * s * (1 - s))
  }
}

@Suite struct ActivationTests {
  static let values: [Float] =
    numbers(60, seed: 1).map { 4 * $0 } + [0, 1e-8, -1e-8, 1e-3, -1e-3, 9, -9, 30, -30, 200, -200]

  @Test(arguments: Activation.allCases)
  func `values and slopes are those of double precision, and padding stays zero`(activation: Activation) {
    let x = Matrix(Self.values, rows: 1, columns: Self.values.count)
    let slopes = Matrix(rows: 1, columns: Self.values.count)
    activate(activation, x, slopes: slopes, rows: 0..<1)
    for (i, given) in Self.values.enumerated() {
      let expected = reference(activation, Double(given))
      #expect(abs(Double(x.at(0, i)) - expected.value) <= 3e-7 * max(1, abs(expected.value)), "f(\(given))")
      #expect(abs(Double(slopes.at(0, i)) - expected.slope) <= 3e-7, "f′(\(given))")
    }
    #expect(x.isPaddingZero == true)
  }

  @Test(arguments: Activation.allCases)
  func `a value that is not a number stays one, and other rows are not touched`(activation: Activation) {
    let x = Matrix([.nan, 1, 2, 3, 4, 5], rows: 3, columns: 2)
    let slopes = Matrix(repeating: untouched, rows: 3, columns: 2)
    activate(activation, x, slopes: slopes, rows: 0..<2)
    #expect(x.at(0, 0).isNaN && x.at(2, 0) == 4 && x.at(2, 1) == 5)
    #expect(slopes.at(2, 0) == untouched && slopes.at(1, 0) != untouched)
  }

  @Test func `factors multiply row by row, or by the rows that are named`() {
    let (rows, columns) = (5, 19)
    let given = numbers(rows * columns, seed: 2)
    let factors = Matrix(numbers(rows * columns, seed: 3), rows: rows, columns: columns)
    let own = Matrix(given, rows: rows, columns: columns)
    multiply(own, by: factors, rows: 1..<4)
    let named = Matrix(given, rows: rows, columns: columns)
    let owners = RowIndices(count: rows)
    for row in 0..<rows { owners[row] = (3 * row) % rows }
    multiply(named, by: factors, factorRows: owners, rows: 1..<4)
    for row in 0..<rows {
      for column in 0..<columns {
        let before = given[row * columns + column]
        let isIn = (1..<4).contains(row)
        #expect(own.at(row, column) == (isIn ? before * factors.at(row, column) : before))
        #expect(named.at(row, column) == (isIn ? before * factors.at((3 * row) % rows, column) : before))
      }
    }
  }

  @Test func `names are read back, and others are none`() {
    for activation in Activation.allCases { #expect(Activation(name: activation.name) == activation) }
    #expect(Activation(name: "gelu") == nil && Activation(name: "ReLU") == nil)
  }
}
