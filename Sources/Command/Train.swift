// Train.swift — `offpolicy train`: a new run from nothing to its last step.

import ArgumentParser
import Foundation
import OffPolicy

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an algorithm on a task, into a run directory.",
    discussion: "Hyperparameters are set with --set; `offpolicy list` shows them with their defaults and ranges.")

  @Argument(help: "ddpg, td3 or sac.")
  var algorithm: String

  @Argument(help: "The task's id, such as HalfCheetah-v5; see `offpolicy list`.")
  var environment: String

  @Option(help: "Environment steps. Default: what suits the task.")
  var steps: Int?

  @Option(help: "The same seed gives the same run, to the bit, on any number of threads.")
  var seed: UInt64 = 0

  @Option(help: "Threads of an update. Default: the machine's cores, at most 4.")
  var threads: Int?

  @Option(name: .customLong("set"), help: "Set a hyperparameter: key=value. May be repeated.")
  var settings: [String] = []

  @Option(help: "The folder of the run; it must not exist. Default: runs/ALGORITHM-ENVIRONMENT-seedSEED.")
  var runDirectory: String?

  @Option(help: "Environment steps between evaluations; 0: none. Default: a twentieth of the steps, 1,000 to 10,000.")
  var evaluateEvery: Int?

  @Option(help: "Episodes of an evaluation.")
  var evaluationEpisodes = 10

  @Option(help: "Environment steps between checkpoints; 0: only at the end.")
  var checkpointEvery = 50_000

  func validate() throws {
    if let steps, steps < 1 { throw ValidationError("--steps must be at least 1, not \(steps)") }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256, not \(threads)") }
    if let evaluateEvery, evaluateEvery < 0 { throw ValidationError("--evaluate-every must not be negative") }
    if evaluationEpisodes < 1 { throw ValidationError("--evaluation-episodes must be at least 1") }
    if checkpointEvery < 0 { throw ValidationError("--checkpoint-every must not be negative") }
  }

  func run() throws {
    let algorithm = try AlgorithmRegistry.entry(algorithm)
    let task = try EnvironmentRegistry.standard.entry(environment)
    let configuration = try algorithm.defaults.resolved(for: task, settings: settings)
    let steps = steps ?? task.suggestedSteps
    let description = RunDescription(
      run: RunConfiguration(
        algorithm: algorithm.name, environment: task.id, configuration: configuration.values, steps: steps, seed: seed,
        threads: threads ?? min(4, Processor.coreCount),
        evaluateEvery: evaluateEvery ?? max(1000, min(10_000, steps / 20)), evaluationEpisodes: evaluationEpisodes,
        checkpointEvery: checkpointEvery),
      versions: RunDescription.Versions(
        program: programVersion, swift: swiftVersion, mujoco: try task.simulatorVersion(), processor: Processor.summary)
    )
    // everything that can be refused is refused before anything is written
    let trainer = try makeTrainer(description.run)
    let directory = try RunDirectory.create(try runDirectory ?? freeDirectory(algorithm.name, task.id), description)
    Output.note("training \(algorithm.name) on \(task.id), \(steps.text) steps, into \(directory.displayPath)")
    try drive(trainer, directory)
  }

  /// The default folder, numbered when earlier runs have taken it.
  private func freeDirectory(_ algorithm: String, _ task: String) throws -> String {
    let base = "runs/\(algorithm)-\(task)-seed\(seed)"
    var path = base
    var number = 2
    while FileManager.default.fileExists(atPath: path) {
      path = "\(base)-\(number)"
      number += 1
    }
    return path
  }
}

struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Go on with a run exactly where it stopped.")

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var folder: String

  @Option(help: "Threads of an update; the result is the same. Default: as before.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256, not \(threads)") }
  }

  func run() throws {
    let directory = try RunDirectory.open(folder)
    var configuration = directory.description.run
    if let threads { configuration.threads = threads }
    let trainer = try makeTrainer(configuration)
    try directory.restore(trainer)
    Output.note("resuming \(directory.displayPath) at step \(trainer.step.text) of \(configuration.steps.text)")
    try drive(trainer, directory)
  }
}

// MARK: what both share

private func makeTrainer(_ run: RunConfiguration) throws -> Trainer {
  let task = try EnvironmentRegistry.standard.entry(run.environment)
  return try Trainer(run, workers: WorkerPool(count: run.threads)) { try task.make() }
}

/// Trains to the end or to a signal, with logs, progress and checkpoints.
private func drive(_ trainer: Trainer, _ directory: RunDirectory) throws {
  let stop = StopSignal.listen()
  var progress = Progress(total: trainer.run.steps, firstStep: trainer.step)
  trainer.observer.shouldStop = { stop.wasReceived }
  trainer.observer.episodeEnded = { try directory.log($0) }
  trainer.observer.metricsReady = { try directory.log($0) }
  trainer.observer.evaluated = { record in
    try directory.log(record)
    progress.show(record)
    if record.isBest { try trainer.policyFile().write(to: directory.bestPolicyPath) }
  }
  let every = trainer.run.checkpointEvery
  trainer.observer.stepped = { step in
    if step % 64 == 0 { progress.show(trainer) }
    if every > 0 && step % every == 0 { try directory.save(trainer) }
  }
  do {
    try trainer.train()
  } catch {
    progress.finish()
    throw error
  }
  try directory.save(trainer)
  progress.finish()
  if trainer.step < trainer.run.steps || stop.wasReceived {
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

extension RunDirectory {
  /// The path as a person would type it.
  var displayPath: String {
    let here = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}

extension EnvironmentEntry {
  /// The version of the task's simulator; nil where it needs none.
  func simulatorVersion() throws -> String? {
    MuJoCoTasks.entries.contains { $0.id == id } ? try MuJoCoTasks.simulatorVersion() : nil
  }
}

/// The compiler's version.
let swiftVersion: String = {
  #if compiler(>=6.4)
    "6.4 or later"
  #elseif compiler(>=6.3)
    "6.3"
  #else
    "6.2"
  #endif
}()
