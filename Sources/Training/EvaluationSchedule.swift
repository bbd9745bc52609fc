// EvaluationSchedule.swift — when a run is evaluated, on which seeds, and which evaluation was the best.

import Environments
import Kernels

final class EvaluationSchedule {
  private(set) var bestReturn = -Double.infinity
  private(set) var last: EvaluationRecord?
  /// The step of the last whole evaluation.
  private(set) var evaluatedStep = 0

  private let run: RunConfiguration
  /// Nil: the environment is not at hand, and nothing is evaluated.
  private let makeEnvironment: (() throws -> any Environment)?
  private var evaluator: Evaluator?

  init(_ run: RunConfiguration, makeEnvironment: (() throws -> any Environment)?) {
    (self.run, self.makeEnvironment) = (run, makeEnvironment)
  }

  func isDue(at step: Int) -> Bool {
    guard makeEnvironment != nil, run.evaluateEvery > 0 else { return false }
    // a round of several environments may step over the very number; the last policy is evaluated whatever its step is
    return step / run.evaluateEvery > evaluatedStep / run.evaluateEvery || step >= run.steps && step > evaluatedStep
  }

  /// Runs the episodes that are due, on an environment of their own; nil when they were stopped in the middle.
  func evaluate(
    step: Int, isCancelled: () -> Bool, act: (Span<Float>, inout MutableSpan<Float>) -> Void
  ) throws -> EvaluationRecord? {
    guard let evaluator = try self.evaluator ?? makeEnvironment.map({ Evaluator(try $0()) }) else { return nil }
    self.evaluator = evaluator
    // the same seeds at each evaluation of a run: what changes is the policy
    let result = try evaluator.run(
      episodes: run.evaluationEpisodes, firstSeed: run.evaluationSeed, isCancelled: isCancelled, act: act)
    // stopped in the middle: it is done again, whole, when the run goes on
    guard result.episodes == run.evaluationEpisodes else { return nil }
    let record = EvaluationRecord(step: step, evaluation: result, isBest: result.mean > bestReturn)
    (evaluatedStep, last, bestReturn) = (step, record, max(bestReturn, result.mean))
    return record
  }

  /// Goes on from a checkpoint.
  func restore(evaluatedStep: Int, bestReturn: Double) {
    (self.evaluatedStep, self.bestReturn) = (evaluatedStep, bestReturn)
  }
}

extension RunConfiguration {
  /// The seed of each evaluation's first episode; the next ones follow.
  public var evaluationSeed: UInt64 {
    var stream = RandomStream(seed: seed, purpose: "evaluation seeds")
    // 48 bits: headroom for consecutive seeds
    return stream.next() >> 16
  }
}
