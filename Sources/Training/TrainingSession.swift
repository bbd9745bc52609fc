// TrainingSession.swift — a run and its folder: logs, checkpoints, best policy and faults, while it trains.

import Algorithms
import Environments
import Formats

/// Something that went wrong beside training, which goes on.
public enum SessionNotice: Sendable {
  /// It could not be written; what was there before is kept.
  case notSaved(String, any Error)
  /// What led to the error that ends the run is in this file.
  case dumped(path: String)
  /// Another program removed, moved or changed something in the run's folder; what it was, and what was done about it.
  case changed(String)
}

/// A run that keeps itself on disk: everything from which it goes on is saved now and then, and at its end.
///
/// `train()` takes it to its last step. Somebody else may drive it instead, as `Trainer` says: `begin`, `action`, `observe`,
/// `learn`, and at the end `save`.
public final class TrainingSession<Run: TrainingRun> {
  /// The run.
  public let trainer: Run
  /// Its folder.
  public let directory: RunDirectory
  /// Who is told what happens, besides the run's own logs.
  public var sinks: [any MetricSink] = []
  /// Asked after every round; true asks to stop.
  public var shouldStop: () -> Bool = { false }
  /// Told after every round, cheaply.
  public var stepped: () -> Void = {}
  /// Called when something happens that a person should know.
  public var noticed: (SessionNotice) -> Void = { _ in }

  private var checkpoints: CheckpointSchedule
  private var polledStep = 0

  /// - Parameter directory: the run's folder, held by this process.
  public init(_ trainer: Run, _ directory: RunDirectory) {
    (self.trainer, self.directory) = (trainer, directory)
    checkpoints = CheckpointSchedule(every: trainer.run.checkpointEvery, step: trainer.step)
    polledStep = trainer.step
    observe()
  }

  /// Trains until the run's steps are taken or `shouldStop` says so, and saves everything.
  ///
  /// - Returns: whether the steps were taken.
  public func train() throws -> Bool {
    try start()
    do {
      try trainer.train()
    } catch {
      // one that was begun before is whole
      try? directory.finishSaving()
      throw error
    }
    try save()
    return trainer.step >= trainer.run.steps
  }

  /// Makes the run one that can be resumed, whatever ends it. `train()` begins with it.
  public func start() throws {
    if trainer.step == 0 { try directory.save(trainer) }
    // one that an earlier process could not write
    saveBest()
  }

  /// Saves everything from which the run goes on, and the policies, and returns when the disk has it.
  public func save() throws {
    try finishSaving()
    saveBest()
    try directory.save(trainer)
    tellChanges()
  }

  // MARK: what happens

  private func observe() {
    trainer.observer.shouldStop = { [unowned self] in shouldStop() }
    trainer.observer.episodeEnded = { [unowned self] in tell(.episode($0)) }
    trainer.observer.metricsReady = { [unowned self] in tell(.metrics($0)) }
    trainer.observer.healthAssessed = { [unowned self] in tell(.health($0)) }
    trainer.observer.evaluated = { [unowned self] record in
      tell(.evaluation(record))
      if record.isBest { directory.unsavedBest = trainer.policyFile() }
      saveBest()
    }
    trainer.observer.simulatorFailed = { [unowned self] record in
      tell(.simulatorFault(record))
      attempt("the simulator's fault") { try directory.write(record.dump.file, as: RunDirectory.simulatorFaultName) }
    }
    trainer.observer.failed = { [unowned self] dump in
      attempt("what led to the error") {
        try directory.write(dump.file, as: RunDirectory.dumpName)
        noticed(.dumped(path: directory.dumpPath))
      }
    }
    trainer.observer.stepped = { [unowned self] in try afterRound(step: $0) }
  }

  private func tell(_ record: RunRecord) {
    directory.logs.receive(record)
    for sink in sinks { sink.receive(record) }
  }

  private func afterRound(step: Int) throws {
    if step - polledStep >= 64 {
      polledStep = step
      stepped()
      if !directory.isSaving { try finishSaving() }
    }
    guard checkpoints.isDue(step: step, isSaving: directory.isSaving) else { return }
    try finishSaving()
    // before the checkpoint: one that the disk refuses is kept in it
    saveBest()
    attempt("a checkpoint") { try directory.beginSaving(trainer) }
    tellChanges()
  }

  // MARK: saving

  private func saveBest() {
    guard let best = directory.unsavedBest else { return }
    let isSaved = attempt("the best policy") { try directory.write(best, as: RunDirectory.bestPolicyName) }
    if isSaved { directory.unsavedBest = nil }
  }

  private func tellChanges() {
    for note in directory.takeNotes() { noticed(.changed(note)) }
  }

  /// Tells what the checkpoint before has met. One that is not finite has nothing after it either.
  private func finishSaving() throws {
    var fatal: NonFiniteState?
    attempt("a checkpoint") {
      do { try directory.finishSaving() } catch let error as NonFiniteState { fatal = error }
    }
    if let fatal { throw fatal }
  }

  /// Tries to write something that training does not depend on. It goes on without; the next time may succeed.
  @discardableResult
  private func attempt(_ what: String, _ body: () throws -> Void) -> Bool {
    do {
      try body()
      return true
    } catch {
      noticed(.notSaved(what, error))
      return false
    }
  }
}

extension TrainingSession where Run == Trainer {
  /// Starts a lane's episode with its first observation (S).
  public func begin(lane: Int, _ observation: Span<Float>) { trainer.begin(lane: lane, observation) }

  /// Chooses the lanes' actions (N × A), in the environment's units.
  public func action(into actions: inout MutableSpan<Float>) throws { try trainer.action(into: &actions) }

  /// Takes what a lane's step with its action gave; `next` (S) is the true next observation.
  public func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) throws {
    try trainer.observe(lane: lane, outcome, next: next)
  }

  /// The updates that the steps since the last call owe, then an evaluation and a checkpoint where they are due.
  public func learn() throws {
    try trainer.learn()
    try trainer.evaluateIfDue()
    try afterRound(step: trainer.step)
  }
}

/// When checkpoints are due: every so many steps, or every 30 seconds; by the clock the first ones come sooner, so that a run
/// can be looked at when it has just begun.
private struct CheckpointSchedule {
  static let firstPause = Duration.seconds(2)
  static let pause = Duration.seconds(30)

  private let every: Int?
  private var lastStep: Int
  private var askedStep: Int
  private var last = ContinuousClock.now
  private var pause = Self.firstPause

  init(every: Int?, step: Int) { (self.every, lastStep, askedStep) = (every, step, step) }

  /// - Parameter isSaving: the one before is still being written; the clock's next one waits for a slow disk.
  mutating func isDue(step: Int, isSaving: Bool) -> Bool {
    if let every, every > 0 {
      defer { lastStep = step }
      return step / every > lastStep / every
    }
    // the clock is not asked at each step
    guard step - askedStep >= 32, !isSaving else { return false }
    askedStep = step
    let now = ContinuousClock.now
    guard now - last >= pause else { return false }
    last = now
    pause = min(pause * 2, Self.pause)
    return true
  }
}
