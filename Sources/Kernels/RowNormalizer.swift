// RowNormalizer.swift — rows of observations by a mean and a scale: clip((s − mean) / scale, ±c).

/// The mean and the scale of S values, and room for rows that are normalised.
///
/// Workers normalise disjoint rows at the same time, as they write those of any `Matrix`.
package final class RowNormalizer: Sendable {
  private let mean: Matrix  // (1 × S)
  private let scale: Matrix  // (1 × S), 1 beside the columns
  private let bound: Float
  /// What `normalize` writes.
  package let normalized: Matrix  // (B × S)

  /// Mean 0 and scale 1, until others are set.
  ///
  /// - Parameters:
  ///   - bound: c; infinity where nothing is clipped.
  ///   - rows: B, the room for rows; 0 where all are normalised in place.
  package init(size: Int, bound: Float, rows: Int = 0) {
    precondition(bound > 0, "a bound of \(bound)")
    self.bound = bound
    mean = Matrix(rows: 1, columns: size)
    scale = Matrix(rows: 1, columns: size)
    normalized = Matrix(rows: rows, columns: size)
    // beside the columns too: 0 stays 0 there
    for panel in 0..<scale.panels { scale.at(0, panel: panel).update(repeating: 1, count: panelWidth) }
  }

  /// Sets what one value of each row is normalised by.
  package func set(_ column: Int, mean: Float, scale: Float) {
    precondition(scale > 0, "value \(column) has the scale \(scale)")
    self.mean[0, column] = mean
    self.scale[0, column] = scale
  }

  /// s ← clip((s − mean) / scale, ±c) for some rows, in place.
  package func apply(to observations: borrowing Matrix, rows: Range<Int>) {
    normalize(observations, into: observations, rows: rows)
  }

  /// Writes some rows, normalised, into `normalized`.
  package func normalize(_ observations: borrowing Matrix, rows: Range<Int>) {
    normalize(observations, into: normalized, rows: rows)
  }

  /// One observation (S), normalised into another place.
  package func normalize(_ observation: Span<Float>, into result: inout MutableSpan<Float>) {
    precondition(
      observation.count == mean.columns && result.count == mean.columns,
      "\(observation.count) values into \(result.count) for \(mean.columns) means")
    for i in 0..<observation.count {
      let value = (observation[i] - mean[0, i]) / scale[0, i]
      result[i] = value > bound ? bound : value < -bound ? -bound : value
    }
  }

  private func normalize(_ source: borrowing Matrix, into target: borrowing Matrix, rows: Range<Int>) {
    precondition(
      source.columns == mean.columns && target.columns == mean.columns,
      "\(source.columns) columns for \(mean.columns) means")
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= min(source.rows, target.rows),
      "rows \(rows) of \(min(source.rows, target.rows))")
    let (low, high) = (SIMD16<Float>(repeating: -bound), SIMD16<Float>(repeating: bound))
    for panel in 0..<mean.panels {
      let mean = UnsafeRawPointer(self.mean.at(0, panel: panel)).load(as: SIMD16<Float>.self)
      let scale = UnsafeRawPointer(self.scale.at(0, panel: panel)).load(as: SIMD16<Float>.self)
      for row in rows {
        var values = UnsafeRawPointer(source.at(row, panel: panel)).load(as: SIMD16<Float>.self)
        values = (values - mean) / scale
        // NaN is neither above nor below: it stays, for the guard of the environment's actions to find
        values.replace(with: high, where: values .> high)
        values.replace(with: low, where: values .< low)
        UnsafeMutableRawPointer(target.at(row, panel: panel)).storeBytes(of: values, as: SIMD16<Float>.self)
      }
    }
  }
}
