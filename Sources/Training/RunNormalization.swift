// RunNormalization.swift — what a run normalises: observations before networks see them, rewards before critics do.

import Algorithms
import Environments
import Kernels
import Platform
import Replay

/// The running statistics that a run's settings ask for: fed as the buffer is, applied to whatever leaves it.
final class RunNormalization {
  /// Nil where observations stay as they are.
  let observations: ObservationNormalizer?
  /// Nil where rewards stay as they are.
  let rewards: RewardScaler?
  /// What whoever drives the run normalises by, as it is now; nil: nobody does. It is no part of the run's state.
  private(set) var given: GivenNormalization?
  private let returnSteps: Int
  /// The lanes' observations, normalised by what is given.
  private let seenLanes: Matrix  // (N × S)

  init(_ configuration: AnyConfiguration, observationSize: Int, lanes: Int) {
    returnSteps = configuration.returns.steps
    seenLanes = Matrix(rows: lanes, columns: observationSize)
    observations =
      configuration.normalizeObservations
      ? ObservationNormalizer(observationSize: observationSize, lanes: lanes) : nil
    rewards =
      configuration.scaleRewards
      ? RewardScaler(
        discount: Double(configuration.returns.discount), bound: configuration.returnBound.map(Double.init),
        lanes: lanes) : nil
  }

  /// What critics' values are multiplied by to be in the unit of the environment's rewards.
  var divisor: Double { rewards?.divisor ?? given?.rewardDivisor ?? 1 }

  /// Normalises by these numbers from now on.
  ///
  /// - Throws: where the run's settings normalise, too.
  func use(_ given: GivenNormalization?) throws {
    guard given == nil || observations == nil && rewards == nil else {
      throw MismatchedRun(
        "the run normalises by itself (normalizeObservations, scaleRewards): set them to false, or give no statistics")
    }
    self.given = given
  }

  // MARK: what is stored

  /// A lane's episode begins with an observation (S).
  func begin(_ observation: Span<Float>) { observations?.update(observation) }

  /// A lane's step was stored, its reward in single precision.
  func add(lane: Int, _ outcome: StepOutcome, next: Span<Float>) {
    observations?.update(next)
    rewards?.update(lane: lane, reward: Double(Float(outcome.reward)), endsEpisode: outcome.endsEpisode)
  }

  /// A lane's episode was broken off.
  func abandonEpisode(lane: Int) { rewards?.endEpisode(lane: lane) }

  // MARK: use

  /// Normalises a batch that was gathered from the buffer.
  func apply(to batch: borrowing Batch, workers: WorkerPool) {
    observations?.apply(to: batch, workers: workers)
    rewards?.apply(to: batch)
    given?.apply(to: batch, steps: returnSteps)
  }

  /// Shows the first rows of some observations (N × S) as the policy is to see them.
  func withObservations(_ raw: borrowing Matrix, rows: Int, _ body: (borrowing Matrix) -> Void) {
    if let given {
      given.normalize(raw, rows: 0..<rows, into: seenLanes)
      body(seenLanes)
    } else if let observations {
      observations.withNormalized(raw, rows: rows, body)
    } else {
      body(raw)
    }
  }

  /// An observation as the policy sees it where somebody else normalises; else as it is.
  func seen(_ observation: [Float]) -> [Float] { given?.normalized(observation) ?? observation }

  // MARK: state

  /// Fields of a checkpoint; none where nothing is normalised.
  var state: [String: [Double]] {
    Dictionary(
      uniqueKeysWithValues: ((observations?.state ?? []) + (rewards?.state ?? [])).map { ($0.name, $0.values) })
  }

  func restore(_ state: [String: [Double]]) throws {
    let find = { (name: String) throws in
      guard let values = state[name] else {
        throw MismatchedRun("the checkpoint has no \(name): it is of a run without that setting")
      }
      return values
    }
    try observations?.restore(from: find)
    try rewards?.restore(from: find)
  }
}
