// Drive.swift — a run from where it is to its end or to a signal: logs, progress, checkpoints.

import ArgumentParser
import OffPolicy

/// The run in memory: with its task, or with the data that it learns from.
func makeTrainer(_ run: RunConfiguration) throws -> any TrainingRun {
  if let source = run.dataset { return try makeOfflineTrainer(run, source) }
  let task = try EnvironmentRegistry.standard.entry(run.environment).configured(run.environmentOptions ?? [:])
  return try Trainer(run, workers: WorkerPool(count: run.threads)) { try task.make() }
}

private func makeOfflineTrainer(_ run: RunConfiguration, _ source: RunConfiguration.DataSource) throws -> OfflineTrainer
{
  let entry = run.environment.isEmpty ? nil : try? EnvironmentRegistry.standard.entry(run.environment)
  let task = try entry?.configured(run.environmentOptions ?? [:])
  let reading = DatasetReading(
    timeouts: source.timeouts.flatMap(TimeoutReading.init(text:)) ?? .stored, environment: task)
  let dataset = try DatasetFiles.read(source.path, reading)
  guard dataset.digest == source.digest else {
    throw DatasetError(
      source.path, "is not what the run has learned from so far: it was changed; bring the old data back")
  }
  let scaling = dataset.description.scaling
  return try OfflineTrainer(
    run, data: dataset.takeBuffer(), scaling: scaling, workers: WorkerPool(count: run.threads),
    makeEnvironment: task.map { task in { try task.make() } })
}

/// Trains to the last step. A signal stops it: everything is saved, and the exit code is 128 + the signal's number.
func drive(_ trainer: any TrainingRun, _ directory: RunDirectory) throws {
  let stop = StopSignal.listen()
  var progress = Progress(total: trainer.run.steps, firstStep: trainer.step)
  var checkpoints = CheckpointSchedule(every: trainer.run.checkpointEvery)
  var unsavedBest: SafeTensors?
  trainer.observer.shouldStop = { stop.wasReceived }
  trainer.observer.episodeEnded = { directory.log($0) }
  trainer.observer.metricsReady = { directory.log($0) }
  trainer.observer.healthAssessed = { record in
    directory.log(record)
    progress.show(record)
  }
  trainer.observer.evaluated = { record in
    directory.log(record)
    progress.show(record)
    if record.isBest { unsavedBest = trainer.policyFile() }
    saveBest()
  }
  func saveBest() {
    guard let best = unsavedBest else { return }
    let isSaved = attempt("the best policy") { try best.writeDurably(to: directory.bestPolicyPath) }
    if isSaved { unsavedBest = nil }
  }
  /// Tells what the checkpoint before has met. One that is not finite has nothing after it either.
  func finishSaving() throws {
    var fatal: NonFiniteState?
    attempt("a checkpoint") {
      do { try directory.finishSaving() } catch let error as NonFiniteState { fatal = error }
    }
    if let fatal { throw fatal }
  }
  trainer.observer.stepped = { step in
    if step % 64 == 0 {
      progress.show(trainer)
      if !directory.isSaving { try finishSaving() }
    }
    guard checkpoints.isDue(step: step, isSaving: directory.isSaving) else { return }
    try finishSaving()
    attempt("a checkpoint") { try directory.beginSaving(trainer) }
    saveBest()
  }
  trainer.observer.simulatorFailed = { record in
    Output.note("the simulator broke off an episode at step \(record.step.text): \(record.description)")
    attempt("the simulator's fault") { try record.dump.file.writeDurably(to: directory.simulatorFaultPath) }
  }
  trainer.observer.failed = { dump in
    attempt("what led to the error") {
      try dump.file.writeDurably(to: directory.dumpPath)
      Output.note("what led to the error is in \(directory.displayPath)/dump.safetensors")
    }
  }
  // from here on the run can be resumed, whatever ends it
  if trainer.step == 0 { try directory.save(trainer) }
  do {
    try trainer.train()
  } catch {
    progress.finish()
    // one that was begun before is whole
    try? directory.finishSaving()
    throw error
  }
  progress.finish()
  try finishSaving()
  try directory.save(trainer)
  saveBest()
  if trainer.step < trainer.run.steps {
    Output.note(
      "stopped at step \(trainer.step.text) of \(trainer.run.steps.text), everything saved; go on with: "
        + "\(Output.command) resume \(shellWord(directory.displayPath))")
    throw ExitCode(128 + stop.number)
  }
  let rate = Double(trainer.step) / max(1e-9, directory.seconds)
  Output.note("done: \(trainer.step.text) steps in \(clock(directory.seconds)), \(rate.text(0)) steps/s")
  if let last = trainer.lastEvaluation {
    Output.note("last evaluation: return \(last.evaluation.mean.text()); best: \(trainer.bestReturn.text())")
  }
  Output.note("policy: \(directory.displayPath)/policy.safetensors")
}

/// Tries to write something that training does not depend on. It goes on without; the next time may succeed.
@discardableResult
private func attempt(_ what: String, _ body: () throws -> Void) -> Bool {
  do {
    try body()
    return true
  } catch {
    Output.note("\(what) could not be saved, the one before is kept, and training goes on: \(error)")
    return false
  }
}

/// When checkpoints are due: every so many steps, or every 30 seconds.
private struct CheckpointSchedule {
  private let every: Int?
  private var last = ContinuousClock.now

  init(every: Int?) { self.every = every }

  /// - Parameter isSaving: the one before is still being written; the clock's next one waits for a slow disk.
  mutating func isDue(step: Int, isSaving: Bool) -> Bool {
    if let every, every > 0 { return step % every == 0 }
    // the clock is not asked at each step
    guard step % 32 == 0, !isSaving else { return false }
    let now = ContinuousClock.now
    guard now - last >= .seconds(30) else { return false }
    last = now
    return true
  }
}
