// TrainingRun.swift — what a run directory and a command ask of a run, whether it learns from a task or from data.

import Algorithms
import Formats

public protocol TrainingRun: AnyObject {
  var run: RunConfiguration { get }
  /// Environment steps taken; learning from data: updates.
  var step: Int { get }
  var bestReturn: Double { get }
  var lastEvaluation: EvaluationRecord? { get }
  /// α after the last update; NaN where there is none.
  var temperature: Double { get }
  var observer: TrainingObserver { get set }

  /// Goes on until the run's steps are taken or the observer asks to stop.
  func train() throws
  /// The policy as it is now, as a file's content.
  func policyFile() -> SafeTensors

  /// Everything that the rest of the run depends on, besides the buffer's frames.
  func state() throws -> TrainerState
  func restore(_ state: TrainerState) throws
  /// Shows the buffer, where the run has one of its own to be saved.
  func withBuffer(_ body: (borrowing ReplayBuffer) throws -> Void) rethrows
  /// Puts frames back into that buffer, oldest first.
  func restoreBuffer(_ restore: (inout ReplayBuffer) throws -> Void) throws
}

extension Trainer: TrainingRun {
  public func withBuffer(_ body: (borrowing ReplayBuffer) throws -> Void) rethrows { try body(buffer) }
}
