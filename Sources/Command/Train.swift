// Train.swift — `offpolicy train`: a new run from nothing to its last step.

import ArgumentParser
import Foundation
import OffPolicy

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an algorithm on a task, into a run directory.",
    discussion: "Hyperparameters are set with --set; `offpolicy list` shows them with their defaults and ranges.")

  @Argument(help: "The algorithm's name, such as sac, or dqn for discrete actions; see `offpolicy list`.")
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

  @Option(help: "Environment steps between checkpoints. Default: every 30 seconds.")
  var checkpointEvery: Int?

  func validate() throws {
    if let steps, steps < 1 { throw ValidationError("--steps must be at least 1, not \(steps)") }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256, not \(threads)") }
    if let evaluateEvery, evaluateEvery < 0 { throw ValidationError("--evaluate-every must not be negative") }
    if evaluationEpisodes < 1 { throw ValidationError("--evaluation-episodes must be at least 1") }
    if let checkpointEvery, checkpointEvery < 1 { throw ValidationError("--checkpoint-every must be at least 1") }
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
    try directory.lock()
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
