// Drive.swift — trains a run from its current step to its last one, or to a signal: logs, progress, checkpoints.

import ArgumentParser
import Foundation
import OffPolicy

/// The run in memory: with its environment, or with the data that it learns from.
func makeTrainer(_ run: RunConfiguration) throws -> any TrainingRun {
  if let source = run.dataset { return try makeOfflineTrainer(run, source) }
  if let python = run.python { Program.python = Program.python.with(interpreter: python) }
  let task = try Program.environment(run.environment, run.environmentOptions ?? [:])
  if let makeVector = task.makeVector {
    return try Trainer(
      run, workers: makeWorkers(run.threads, patience: WorkerPool.shortPatience), algorithms: Program.algorithms,
      environments: makeVector(run.laneCount), makeEvaluationEnvironment: { try task.make() })
  }
  return try Trainer(run, workers: makeWorkers(run.threads), algorithms: Program.algorithms) {
    try task.make()
  }
}

private func makeOfflineTrainer(_ run: RunConfiguration, _ source: RunConfiguration.DataSource) throws -> OfflineTrainer
{
  guard FileManager.default.fileExists(atPath: source.path) else {
    throw ArgumentMismatch(
      "\(source.path) does not exist, but the run learns from it: bring it back, or give its new path with --dataset PATH"
    )
  }
  let entry = run.environment.isEmpty ? nil : try? Program.environment(run.environment)
  let task = try entry?.configured(run.environmentOptions ?? [:])
  var reading = DatasetReading(timeouts: try TimeoutReading.argument(source.timeouts), environment: task)
  reading.observations = source.observations
  let dataset = try DatasetFiles.read(source.path, reading)
  guard dataset.digest == source.digest else {
    throw DatasetError(
      source.path, "is not the data set that the run has learned from so far: bring the old one back")
  }
  let scaling = dataset.description.scaling
  return try OfflineTrainer(
    run, data: dataset.takeBuffer(), scaling: scaling, workers: makeWorkers(run.threads),
    algorithms: Program.algorithms, makeEnvironment: task.map { task in { try task.make() } })
}

/// The threads of a run, as many as were asked for.
private func makeWorkers(_ count: Int, patience: Int = WorkerPool.longPatience) throws -> WorkerPool {
  let workers = WorkerPool(count: count, patience: patience)
  guard workers.count == count else {
    throw ArgumentMismatch(
      "the system starts only \(workers.count) of \(count) threads: ask for fewer with --threads, or raise the limit of "
        + "processes or memory")
  }
  return workers
}

/// Trains to the last step. A signal stops it: everything is saved, and the exit code is 128 + the signal's number.
///
/// - Parameter tensorBoard: begins an event file; one that the run has already is continued in any case.
func drive(_ trainer: some TrainingRun, _ directory: RunDirectory, tensorBoard: Bool = false) throws {
  let stop = StopSignal.listen()
  let session = TrainingSession(trainer, directory)
  let learning = try trainer.run.learning(in: Program.algorithms)
  let progress = Progress(
    total: trainer.run.steps, firstStep: trainer.step, learningBegins: learning.updates == 0 ? 0 : learning.begins)
  session.sinks.append(progress)
  let metrics = try Program.algorithms.entry(trainer.run.algorithm).metrics
  var events: TensorBoardLog?
  do {
    events = try TensorBoardLog.open(directory, from: trainer.step, isWanted: tensorBoard, metrics: metrics)
  } catch { Output.note("the event file of TensorBoard is not gone on with: \(error)") }
  if let events { session.sinks.append(events) }
  session.shouldStop = { stop.wasReceived }
  session.stepped = { progress.show(trainer) }
  session.noticed = { notice in
    switch notice {
    case .notSaved(let what, let error):
      Output.note("\(what) could not be saved, the one before is kept, and training goes on: \(error)")
    case .dumped:
      Output.note("what led to the error is in \(directory.displayPath)/dump.safetensors")
    case .changed(let text): Output.note(text)
    }
  }
  let isDone: Bool
  do {
    isDone = try session.train()
  } catch {
    progress.finish()
    throw error
  }
  progress.finish()
  if let failure = events?.failure { Output.note("the event file of TensorBoard is not complete: \(failure)") }
  guard isDone else {
    Output.note(
      "stopped at step \(trainer.step.text) of \(trainer.run.steps.text), everything saved; go on with: "
        + "\(Output.command) resume \(shellWord(directory.displayPath))")
    throw ExitCode(128 + stop.number)
  }
  let rate = Double(trainer.step) / max(1e-9, directory.seconds)
  Output.note(
    "done: \(trainer.step.text) steps in \(clock(directory.seconds)), \(rate.text(0)) steps/s, "
      + "\(trainer.updates.text) updates")
  if let last = trainer.lastEvaluation {
    Output.note("last evaluation: return \(last.evaluation.mean.text()); best: \(trainer.bestReturn.text())")
  }
  Output.note("policy: \(directory.displayPath)/policy.safetensors")
  let run = shellWord(directory.displayPath)
  // without an environment there is nothing to evaluate in
  let evaluation = trainer.run.environment.isEmpty ? "" : "\(Output.command) evaluate \(run)   or   "
  Output.note("next: \(evaluation)\(Output.command) report \(run)")
}
