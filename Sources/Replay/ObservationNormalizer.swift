// ObservationNormalizer.swift — the running mean and variance of a run's observations, and rows normalised by them.
// Chan, Golub and LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", STAN-CS-79-773.
//
//   m observations of mean x̄ and squares M = Σ (x − x̄)² join n of mean μ and squares M₂:                       (eq. 2.1)
//     δ = x̄ − μ,   μ ← μ + δ m / (n + m),   M₂ ← M₂ + M + δ² n m / (n + m)
//   normalised   s̃ = clip((s − μ) / √(M₂ / n + ε), ±10),   ε = 1e-8
//
// Each observation that a run collects counts once, when the replay buffer stores it and in that order: the first of an
// episode, and each one that a step gave, the true final one included. What is drawn from the buffer never counts: it would
// weigh an observation by how often it was sampled. Evaluation only reads.
//
// The buffer keeps raw observations. Rows are normalised as they are gathered, so old ones follow the statistics of today,
// and nothing that was stored was ever clipped.

import Kernels
import Platform

/// Running mean and deviation of observations, in double precision.
public final class ObservationNormalizer {
  /// Bound of a normalised value.
  public static let clip: Float = 10
  /// ε, added to the variance.
  static let epsilon = 1e-8

  /// n, the observations taken in.
  public private(set) var count = 0.0
  private var mean: [Double]  // (S), μ
  private var squares: [Double]  // (S), M₂
  /// μ and √(M₂ / n + ε) in `Float`, as rows are normalised by.
  private let rows: RowNormalizer

  /// Nothing seen yet: observations stay as they are, but for the bound.
  ///
  /// - Parameter lanes: N, the environments that a policy acts in at once.
  public init(observationSize: Int, lanes: Int = 1) {
    mean = [Double](repeating: 0, count: observationSize)
    squares = mean
    rows = RowNormalizer(size: observationSize, bound: Self.clip, rows: lanes)
  }

  // differs: n begins with 0; Stable-Baselines3 and Gymnasium begin with 1e-4 observations of mean 0 and variance 1, which
  // make 31 of the deviation 1 of a value around 1e5 after 1,000 observations
  /// Takes in one observation (S).
  public func update(_ observation: Span<Float>) {
    precondition(observation.count == mean.count, "\(observation.count) values for \(mean.count) means")
    for i in 0..<observation.count { join(i, count: 1, mean: Double(observation[i]), squares: 0) }
    finish(adding: 1)
  }

  /// Takes in some rows of observations (B × S), those of several environments at one step.
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

  /// Brings what rows are normalised by up to date.
  private func publish() {
    for i in 0..<mean.count {
      let scale = count > 0 ? (squares[i] / count + Self.epsilon).squareRoot() : 1
      rows.set(i, mean: Float(mean[i]), scale: Float(scale))
    }
  }

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

  /// Normalises an observation (S) into another place.
  public func normalize(_ observation: Span<Float>, into result: inout MutableSpan<Float>) {
    rows.normalize(observation, into: &result)
  }

  /// Shows the first rows of the environments' observations (N × S) normalised, to act from.
  package func withNormalized<Result>(
    _ observations: borrowing Matrix, rows count: Int, _ body: (borrowing Matrix) throws -> Result
  ) rethrows -> Result {
    rows.normalize(observations, rows: 0..<count)
    return try body(rows.normalized)
  }

  /// Mean and scale as they are now, for a policy file.
  public var snapshot: ObservationNormalization {
    ObservationNormalization(
      mean: mean.map { Float($0) },
      scale: squares.map { Float(count > 0 ? ($0 / count + Self.epsilon).squareRoot() : 1) }, clip: Self.clip)
  }

  // MARK: state

  /// Everything, in full: for a checkpoint.
  public var state: [(name: String, values: [Double])] {
    [("normalizer.count", [count]), ("normalizer.mean", mean), ("normalizer.squares", squares)]
  }

  /// Goes on from a saved state, with the same bits.
  ///
  /// - Throws: what `find` throws for a name it does not have, `MismatchedStatistics` for numbers of another run.
  public func restore(from find: (_ name: String) throws -> [Double]) throws {
    let number = try statistics("normalizer.count", count: 1, atLeast: 0, from: find)[0]
    let center = try statistics("normalizer.mean", count: mean.count, from: find)
    squares = try statistics("normalizer.squares", count: mean.count, atLeast: 0, from: find)
    (count, mean) = (number, center)
    publish()
  }
}

/// Saved statistics that do not fit a run.
public struct MismatchedStatistics: Error, CustomStringConvertible {
  /// What is wrong with the statistics, in one line.
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
