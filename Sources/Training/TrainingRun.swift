// TrainingRun.swift — what a run directory and a command ask of a run, in an environment or on data.

import Algorithms
import Formats
import Replay

/// A run in an environment or on data, as a folder and a command see it.
public protocol TrainingRun: AnyObject {
  /// What the run is.
  var run: RunConfiguration { get }
  /// Environment steps taken; learning from data: updates.
  var step: Int { get }
  /// Updates made.
  var updates: Int { get }
  /// The mean return of the best evaluation.
  var bestReturn: Double { get }
  /// The last evaluation; nil before the first.
  var lastEvaluation: EvaluationRecord? { get }
  /// α after the last update; NaN where there is none.
  var temperature: Double { get }
  /// Who is told what happens.
  var observer: TrainingObserver { get set }
  /// What learns.
  var algorithm: any Algorithm { get }

  /// Goes on until the run's steps are taken or the observer asks to stop.
  func train() throws
  /// The policy as it is now, as a file's content.
  func policyFile() -> SafeTensors

  /// Begins with the networks of another run, before the first step.
  ///
  /// - Returns: the networks that stay as they were initialised.
  func begin(with weights: InitialWeights) throws -> [String]

  /// Everything that the rest of the run depends on, besides the buffer's frames.
  func state() throws -> TrainerState
  /// Goes on from a state, to the bit.
  func restore(_ state: TrainerState) throws
  /// Shows the buffer, where the run has one of its own to be saved.
  func withBuffer(_ body: (borrowing ReplayBuffer) throws -> Void) rethrows
  /// Puts frames back into that buffer, oldest first.
  func restoreBuffer(_ restore: (inout ReplayBuffer) throws -> Void) throws
}

extension TrainingRun {
  /// Says where in batch or networks the first number is that is not finite, and leaves a dump of them.
  func explain(_ error: any Error, step: Int, updates: Int, _ batch: borrowing Batch) -> any Error {
    let origin = (batch.tensors + algorithm.state.tensors).lazy.filter { $0.name != "log_temperature" }
      .compactMap(\.firstNonFinite).first
    var explained = error
    if var diverged = error as? DivergedUpdate {
      diverged.origin = origin ?? "every number of batch and networks being finite"
      explained = diverged
    }
    var dump = FailureDump(step: step, updates: updates, reason: "\(explained)")
    dump.add(batch)
    for tensor in algorithm.parameters { dump.add(tensor) }
    observer.failed(dump)
    return explained
  }
}

extension Trainer: TrainingRun {
  public func withBuffer(_ body: (borrowing ReplayBuffer) throws -> Void) rethrows { try body(buffer) }
}
