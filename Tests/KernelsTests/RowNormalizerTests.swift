import Testing

@testable import Kernels

@Suite struct RowNormalizerTests {
  /// Values of very different sizes, some far beyond the bound.
  private static func filled(_ rows: Int, _ columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows, columns: columns)
    var stream = RandomStream(seed: 5, purpose: "rows")
    for row in 0..<rows {
      for column in 0..<columns { matrix[row, column] = (2 * stream.uniform() - 1) * (column % 3 == 0 ? 1e5 : 3) }
    }
    return matrix
  }

  private static func row(_ matrix: borrowing Matrix, _ row: Int) -> [Float] {
    var values: [Float] = []
    for i in 0..<matrix.columns { values.append(matrix[row, i]) }
    return values
  }

  private static func one(_ normalizer: RowNormalizer, _ values: [Float]) -> [Float] {
    var result = values
    var span = result.mutableSpan
    normalizer.normalize(values.span, into: &span)
    return result
  }

  private static func normalizer(_ columns: Int, bound: Float, rows: Int = 0) -> RowNormalizer {
    let normalizer = RowNormalizer(size: columns, bound: bound, rows: rows)
    for i in 0..<columns { normalizer.set(i, mean: Float(i) - 2, scale: i == 1 ? 1e-4 : 0.5 + Float(i)) }
    return normalizer
  }

  @Test(arguments: [1, 3, 15, 16, 17, 48, 105], [10, Float.infinity])
  func `rows are (s − mean) / scale, bounded, to the bit, and nothing else is touched`(columns: Int, bound: Float) {
    let given = Self.filled(7, columns)
    let inPlace = Self.filled(7, columns)
    let normalizer = Self.normalizer(columns, bound: bound, rows: 7)
    normalizer.apply(to: inPlace, rows: 2..<6)
    normalizer.normalize(given, rows: 2..<6)
    for row in 0..<7 {
      for i in 0..<columns {
        let plain = (given[row, i] - (Float(i) - 2)) / (i == 1 ? 1e-4 : 0.5 + Float(i))
        let expected = (2..<6).contains(row) ? min(bound, max(-bound, plain)) : given[row, i]
        #expect(inPlace[row, i] == expected)
        #expect(normalizer.normalized[row, i] == ((2..<6).contains(row) ? expected : 0))
      }
      if (2..<6).contains(row) {
        #expect(Self.one(normalizer, Self.row(given, row)) == Self.row(inPlace, row))
      }
      // beside the columns zero stays zero, or products would be wrong
      for i in columns..<(inPlace.panels * panelWidth) {
        #expect(inPlace.at(row, panel: i / panelWidth)[i % panelWidth] == 0)
      }
    }
  }

  @Test func `NaN stays NaN and infinity becomes the bound`() {
    let matrix = Matrix(rows: 1, columns: 3)
    (matrix[0, 0], matrix[0, 1], matrix[0, 2]) = (.nan, .infinity, -.infinity)
    Self.normalizer(3, bound: 10).apply(to: matrix, rows: 0..<1)
    #expect(matrix[0, 0].isNaN && matrix[0, 1] == 10 && matrix[0, 2] == -10)
  }
}
