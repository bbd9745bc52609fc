// Train.swift — `offpolicy train`: a new run from nothing to its last step.

import ArgumentParser
import Foundation
import OffPolicy

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an algorithm in an environment, or on data, into a run directory.",
    discussion: "Hyperparameters are set with --set; `offpolicy list` shows them with their defaults and ranges.")

  @Argument(
    help: "The algorithm's name, such as sac, dqn for discrete actions, or td3-bc with --dataset; see `offpolicy list`."
  )
  var algorithm: String

  @Argument(help: "The environment's id, such as HalfCheetah-v5; see `offpolicy list`. With --dataset: to evaluate in.")
  var environment: String?

  @Option(help: "Learn from data instead of an environment: a run, or what `offpolicy collect` or others made.")
  var dataset: String?

  @Option(help: "How data without time-outs are read: from-next-observations, none, or \"every N\".")
  var timeouts: String?

  @Option(help: "Environment steps; with --dataset updates. Default: what suits the environment, or 1,000,000 updates.")
  var steps: Int?

  @Option(help: "The same seed gives the same run, to the bit, on any number of threads.")
  var seed: UInt64 = 0

  @Option(help: "Environments that are stepped at once; steps count over all of them.")
  var environments = 1

  @Option(help: "Threads of an update. Default: the machine's cores, at most 4.")
  var threads: Int?

  @Option(name: .customLong("set"), help: "Set a hyperparameter: key=value. May be repeated.")
  var settings: [String] = []

  @OptionGroup var environmentOptions: EnvironmentOptionArguments

  @Option(help: "The folder of the run; it must not exist. Default: runs/ALGORITHM-ENVIRONMENT-seedSEED.")
  var runDirectory: String?

  @Option(help: "Environment steps between evaluations; 0: none. Default: a twentieth of the steps, 1,000 to 10,000.")
  var evaluateEvery: Int?

  @Option(help: "Episodes of an evaluation.")
  var evaluationEpisodes = 10

  @Option(help: "Environment steps between checkpoints. Default: every 30 seconds.")
  var checkpointEvery: Int?

  @Flag(help: "Write an event file for TensorBoard too, with the names that Stable-Baselines3 has.")
  var tensorboard = false

  func validate() throws {
    if let steps, steps < 1 { throw ValidationError("--steps must be at least 1, not \(steps)") }
    if !(1...4096).contains(environments) {
      throw ValidationError("--environments must be 1 to 4096, not \(environments)")
    }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256, not \(threads)") }
    if let evaluateEvery, evaluateEvery < 0 { throw ValidationError("--evaluate-every must not be negative") }
    if evaluationEpisodes < 1 { throw ValidationError("--evaluation-episodes must be at least 1") }
    if let checkpointEvery, checkpointEvery < 1 { throw ValidationError("--checkpoint-every must be at least 1") }
  }

  func run() throws {
    let algorithm = try Program.algorithms.entry(algorithm)
    switch (algorithm.source, dataset) {
    case (.task, nil), (.data, .some): break
    case (.task, .some):
      let names = Program.algorithms.entries.filter { $0.source == .data }.map(\.name).joined(separator: ", ")
      throw ArgumentMismatch(
        "\(algorithm.name) learns from an environment, not from data; \(names) learns from --dataset")
    case (.data, nil):
      throw ArgumentMismatch("\(algorithm.name) learns from data: name them with --dataset")
    case (.policy, _):
      throw ArgumentMismatch("\(algorithm.name) learns no policy: `offpolicy value` runs it on a given one")
    }
    if let dataset { return try learn(algorithm, from: dataset) }
    guard let environment else {
      throw ArgumentMismatch("name the environment, such as HalfCheetah-v5; see `offpolicy list`")
    }
    let task = try environmentOptions.entry(environment)
    if evaluateEvery != 0 { try task.requireLimit(for: "an evaluation (--evaluate-every 0: none)") }
    let configuration = try algorithm.defaults.resolved(for: task, settings: settings)
    let steps = steps ?? task.suggestedSteps
    var run = RunConfiguration(
      algorithm: algorithm.name, environment: task.id, configuration: configuration.values, steps: steps, seed: seed,
      threads: threads ?? min(4, Processor.coreCount), evaluateEvery: evaluateEvery ?? evaluationInterval(steps),
      evaluationEpisodes: evaluationEpisodes, checkpointEvery: checkpointEvery)
    run.environmentOptions = task.givenOptions.isEmpty ? nil : task.givenOptions
    if environments > 1 { run.environments = environments }
    try start(
      run, task: task, on: task.id,
      "\(steps.text) steps" + (environments > 1 ? " in \(environments.text) environments" : ""))
  }

  /// A run on fixed data: its steps are updates.
  private func learn(_ algorithm: AlgorithmEntry, from path: String) throws {
    let configuration = try algorithm.defaults.setting(settings)
    if environments > 1 {
      throw ArgumentMismatch("--environments is for learning in an environment; data are learned from as they are")
    }
    // a run that learned in its environment kept the options of that
    let kept = (try? RunDirectory.describe(path)).map { [KeptOptions($0.run)] } ?? []
    var task = try environment.map { try environmentOptions.entry($0, over: kept) }
    let reading = try DatasetReading(timeouts: TimeoutReading.argument(timeouts), environment: task)
    let dataset = try DatasetFiles.read(path, reading)
    // an environment that the data name themselves serves too, where it is at hand
    if task == nil, let id = dataset.description.environment, (try? Program.environments.entry(id)) != nil {
      task = try environmentOptions.entry(id, over: kept)
    }
    if let task {
      if evaluateEvery != 0 { try task.requireLimit(for: "an evaluation (--evaluate-every 0: none)") }
      let (own, data) = (task.observationSize, dataset.description.observationSize)
      if own != data {
        throw DatasetError(
          path,
          "has \(data) observations, \(task.id)\(task.optionsSuffix) has \(own): name the environment of the data, and with "
            + "--option what was set of it")
      }
    } else {
      try environmentOptions.refuseAny()
    }
    let steps = steps ?? 1_000_000
    var run = RunConfiguration(
      algorithm: algorithm.name, environment: task?.id ?? dataset.description.environment ?? "",
      configuration: configuration.values, steps: steps, seed: seed, threads: threads ?? min(4, Processor.coreCount),
      evaluateEvery: task == nil ? 0 : evaluateEvery ?? evaluationInterval(steps),
      evaluationEpisodes: evaluationEpisodes, checkpointEvery: checkpointEvery)
    if let task, !task.givenOptions.isEmpty { run.environmentOptions = task.givenOptions }
    run.dataset = RunConfiguration.DataSource(
      path: URL(fileURLWithPath: path).standardizedFileURL.path, timeouts: reading.timeouts.text, digest: dataset.digest
    )
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    try start(run, task: task, on: name, "\(steps.text) updates on \(dataset.count.text) transitions")
  }

  private func evaluationInterval(_ steps: Int) -> Int { max(1000, min(10_000, steps / 20)) }

  private func start(_ run: RunConfiguration, task: EnvironmentEntry?, on name: String, _ amount: String) throws {
    let description = RunDescription(
      run: run,
      versions: RunDescription.Versions(
        program: programVersion, swift: swiftVersion, mujoco: try task?.simulatorVersion(),
        processor: Processor.summary, matrixUnit: Processor.usesMatrixUnit))
    // everything that can be refused is refused before anything is written
    let trainer = try makeTrainer(run)
    let path = try runDirectory ?? freeDirectory(run.algorithm, name)
    try RunDirectory.checkSpace(for: trainer, at: path, available: DiskSpace.available(at: path))
    let metrics = try Program.algorithms.entry(run.algorithm).metrics
    let directory = try RunDirectory.create(path, description, metrics: metrics, tensorBoard: tensorboard)
    try directory.lock()
    Output.note("training \(run.algorithm) on \(name), \(amount), into \(directory.displayPath)")
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
  /// The version of the environment's simulator; nil where it needs none.
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
