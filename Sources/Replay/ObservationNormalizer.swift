// ObservationNormalizer.swift — keeps the running mean and variance of a run's observations, and normalises rows by them.
// Chan, Golub and LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", STAN-CS-79-773.
//
//   m observations of mean x̄ and squares M = Σ (x − x̄)² are added to n of mean μ and squares M₂:               (eq. 2.1)
//     δ = x̄ − μ,   μ ← μ + δ m / (n + m),   M₂ ← M₂ + M + δ² n m / (n + m)
//   normalised   s̃ = clip((s − μ) / √(M₂ / n + ε), ±10),   ε = 1e-8
//
// Each observation that a run collects counts once, when the replay buffer stores it: the first of an episode, and the one
// after each step, the true final one included. Samples from the buffer do not count, since an observation would then be
// weighted by how often it is sampled. Evaluation only reads the statistics.
//
// The buffer keeps raw observations. Rows are normalised when they are gathered, so old rows follow the current statistics,
// and stored observations are never clipped.

import Kernels
import Platform

/// The running mean and standard deviation of observations, in double precision.
public final class ObservationNormalizer {
  /// Bound of a normalised value.
  public static let clip: Float = 10
  /// ε, added to the variance.
  static let epsilon = 1e-8

  /// n, the number of observations counted.
  public private(set) var count = 0.0
  private var mean: [Double]  // (S), μ
  private var squares: [Double]  // (S), M₂
  /// μ and √(M₂ / n + ε) in `Float`, by which rows are normalised.
  private let rows: RowNormalizer

  /// A normaliser without observations: it changes nothing except for the bound.
  ///
  /// - Parameter lanes: N, the environments that a policy acts in at once.
  public init(observationSize: Int, lanes: Int = 1) {
    mean = [Double](repeating: 0, count: observationSize)
    squares = mean
    rows = RowNormalizer(size: observationSize, bound: Self.clip, rows: lanes)
  }

  // differs: n begins with 0; Stable-Baselines3 and Gymnasium begin with 1e-4 observations of mean 0 and variance 1, which
  // make 31 of the deviation 1 of a value around 1e5 after 1,000 observations
  /// Counts one observation (S).
  public func update(_ observation: Span<Float>) {
    precondition(observation.count == mean.count, "\(observation.count) values for \(mean.count) means")
    for i in 0..<observation.count { join(i, count: 1, mean: Double(observation[i]), squares: 0) }
    finish(adding: 1)
  }

  /// Counts some rows of observations (B × S), those of several environments at one step.
  public func update(_ observations: borrowing Matrix, rows: Range<Int>) {
    precondition(observations.columns == mean.count, "\(observations.columns) values for \(mean.count) means")
    guard !rows.isEmpty else { return }
    let number = Double(rows.count)
    for i in 0..<mean.count {
      var sum = 0.0
      for row in rows { sum += Double(observations[row, i]) }
      let center = sum / number
      var squares = 0.0
      for row in rows {
        let difference = Double(observations[row, i]) - center
        squares += difference * difference
      }
      join(i, count: number, mean: center, squares: squares)
    }
    finish(adding: number)
  }

  private func join(_ i: Int, count m: Double, mean center: Double, squares more: Double) {
    let (total, difference) = (count + m, center - mean[i])
    mean[i] += difference * m / total
    squares[i] += more + difference * difference * count * m / total
  }

  private func finish(adding number: Double) {
    count += number
    publish()
  }

  /// Updates the mean and scale by which rows are normalised.
  private func publish() {
    for i in 0..<mean.count { rows.set(i, mean: Float(mean[i]), scale: scale(i)) }
  }

  /// The standard deviation of a column; 1 before anything was seen.
  private func scale(_ i: Int) -> Float { Float(count > 0 ? (squares[i] / count + Self.epsilon).squareRoot() : 1) }

  // MARK: use

  /// Normalises some rows of observations in place.
  public func apply(to observations: borrowing Matrix, rows: Range<Int>) {
    self.rows.apply(to: observations, rows: rows)
  }

  /// Normalises the observations and the next observations of a batch that was gathered from the buffer.
  public func apply(to batch: borrowing Batch, workers: WorkerPool) {
    workers.forEachChunk(ofRows: batch.count) { rows in
      self.rows.apply(to: batch.observations, rows: rows)
      self.rows.apply(to: batch.nextObservations, rows: rows)
    }
  }

  /// Writes a normalised observation (S) into another array.
  public func normalize(_ observation: Span<Float>, into result: inout MutableSpan<Float>) {
    rows.normalize(observation, into: &result)
  }

  /// Hands out the first rows of the environments' observations (N × S), normalised, for acting.
  package func withNormalized<Result>(
    _ observations: borrowing Matrix, rows count: Int, _ body: (borrowing Matrix) throws -> Result
  ) rethrows -> Result {
    rows.normalize(observations, rows: 0..<count)
    return try body(rows.normalized)
  }

  /// Mean and scale as they are now, for a policy file.
  public var snapshot: ObservationNormalization {
    ObservationNormalization(
      mean: mean.map { Float($0) }, scale: mean.indices.map { scale($0) }, clip: Self.clip)
  }

  // MARK: state

  /// The complete state, for a checkpoint.
  public var state: [(name: String, values: [Double])] {
    [("normalizer.count", [count]), ("normalizer.mean", mean), ("normalizer.squares", squares)]
  }

  /// Restores a saved state, with the same bits.
  ///
  /// - Throws: the error of `find` for a missing name, `MismatchedStatistics` for numbers of another run.
  public func restore(from find: (_ name: String) throws -> [Double]) throws {
    let number = try statistics("normalizer.count", count: 1, atLeast: 0, from: find)[0]
    let center = try statistics("normalizer.mean", count: mean.count, from: find)
    squares = try statistics("normalizer.squares", count: mean.count, atLeast: 0, from: find)
    (count, mean) = (number, center)
    publish()
  }
}

/// The error for saved statistics that do not fit the run.
public struct MismatchedStatistics: Error, CustomStringConvertible {
  /// The reason, in one line.
  public let description: String
}

/// Saved numbers by name, checked.
func statistics(
  _ name: String, count: Int, atLeast least: Double = -.infinity, from find: (String) throws -> [Double]
) throws -> [Double] {
  let values = try find(name)
  guard values.count == count else {
    throw MismatchedStatistics(
      description: "the saved state's \(name) has \(values.count) values, the run needs \(count): it is of another run")
  }
  guard values.allSatisfy({ $0.isFinite && $0 >= least }) else {
    throw MismatchedStatistics(
      description: "the saved state's \(name) holds an impossible number: resume from an earlier checkpoint")
  }
  return values
}
