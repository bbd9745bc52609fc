// Train.swift — `offpolicy train`: begins a new run and trains it to its last step.

import ArgumentParser
import Foundation
import OffPolicy
import Presets

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a policy in an environment, or on data; everything is written into the folder of a run.",
    discussion: """
      `offpolicy list ALGORITHM` shows the hyperparameters for --set, with defaults and ranges. If `offpolicy list presets` has \
      settings for the algorithm in the environment, the run uses them and says so.
      """)

  @Argument(
    help: "The algorithm's name, such as sac, dqn for discrete actions, or td3-bc with --dataset; see `offpolicy list`."
  )
  var algorithm: String

  @Argument(
    help:
      "The environment's id, such as HalfCheetah-v5; see `offpolicy list`. With --dataset it only evaluates the policy."
  )
  var environment: String?

  @Option(
    help: "Learn from data instead of an environment: a run's folder, or a data set of `offpolicy collect` or others.")
  var dataset: String?

  @Option(help: "Begin with the networks of another run or of a policy file, without its optimiser state and its data.")
  var from: String?

  @Option(help: .timeouts)
  var timeouts: String?

  @Option(help: .observations)
  var observations: String?

  @Option(
    help: "Environment steps; with --dataset updates. Default: what suits the environment, or 1,000,000 updates.",
    transform: wholeNumber)
  var steps: Int?

  @Option(help: "The same seed gives the same run, to the bit, on any number of threads.", transform: seedNumber)
  var seed: UInt64 = 0

  @Option(
    help: "Environments that are stepped at once; steps count over all of them. Default: 1.", transform: wholeNumber)
  var environments: Int?

  @Flag(
    help: ArgumentHelp(
      "Step environments in Python while the updates of the round before are computed. Actions then come from a policy that is "
        + "one round older; the result does not depend on timing."))
  var overlap = false

  @Option(help: "Threads of an update. Default: the machine's cores, at most 4.", transform: wholeNumber)
  var threads: Int?

  @Option(
    name: .customLong("set"), help: ArgumentHelp("Set a hyperparameter. May be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @OptionGroup var presetArgument: PresetArgument

  @OptionGroup var environmentOptions: EnvironmentOptionArguments

  @Option(help: "The folder of the run; it must not exist. Default: runs/ALGORITHM-ENVIRONMENT-seedSEED.")
  var runDirectory: String?

  @Option(
    help: "Environment steps between evaluations; 0: none. Default: a twentieth of the steps, 1,000 to 10,000.",
    transform: wholeNumber)
  var evaluateEvery: Int?

  @Option(help: "Episodes of an evaluation. Default: 10.", transform: wholeNumber)
  var evaluationEpisodes: Int?

  @Option(help: "Environment steps between checkpoints. Default: every 30 seconds.", transform: wholeNumber)
  var checkpointEvery: Int?

  @Flag(help: "Also write an event file for TensorBoard, with the tags of Stable-Baselines3.")
  var tensorboard = false

  func validate() throws {
    try Limits.steps.check(steps, "--steps")
    if runDirectory?.isEmpty == true { throw ValidationError("--run-directory is empty: give a path") }
    try Limits.environments.check(environments, "--environments")
    try Limits.threads.check(threads, "--threads")
    try Limits.stepsOrNone.check(evaluateEvery, "--evaluate-every")
    try Limits.episodes.check(evaluationEpisodes, "--evaluation-episodes")
    try Limits.steps.check(checkpointEvery, "--checkpoint-every")
  }

  func run() throws {
    // from here on no signal is lost: a signal before the first step leaves a run that can be resumed
    _ = StopSignal.listen()
    let algorithm = try Program.algorithms.entry(algorithm)
    switch (algorithm.source, dataset) {
    case (.task, nil), (.data, .some): break
    case (.task, .some):
      let names = Program.algorithms.entries.filter { $0.source == .data }.map(\.name).joined(separator: ", ")
      throw ArgumentMismatch(
        "\(algorithm.name) learns from an environment, not from data; \(names) learns from --dataset")
    case (.data, nil):
      throw ArgumentMismatch(
        "\(algorithm.name) learns from data: `\(Output.command) train \(algorithm.name)"
          + "\(environment.map { " " + shellWord($0) } ?? "") --dataset DATA`")
    case (.policy, _):
      throw ArgumentMismatch(
        "\(algorithm.name) learns no policy, but the value of a given one: use `\(Output.command) value POLICY --dataset DATA`"
      )
    }
    if let dataset { return try learn(algorithm, from: dataset) }
    guard let environment else {
      throw ArgumentMismatch(
        "name the environment, such as `\(Output.command) train \(algorithm.name) \(Self.example(algorithm.actions))`; "
          + "`\(Output.command) list` shows all of them")
    }
    if timeouts != nil || observations != nil {
      throw ArgumentMismatch("--timeouts and --observations say how to read --dataset: add it, or leave them out")
    }
    let task = try environmentOptions.entry(environment)
    try refuseOverlap(unlessInPython: task.id)
    if evaluateEvery != 0 { try task.requireLimit(for: "an evaluation (--evaluate-every 0: none)") }
    tellUnusedEpisodes()
    let preset = try presetArgument.preset(for: algorithm, in: task, steps: steps)
    let resolved = try ResolvedSettings(of: algorithm, for: task, preset: preset, settings: settings)
    let configuration = resolved.configuration
    let steps = steps ?? preset?.steps?.value.whole(Limits.steps) ?? task.suggestedSteps
    let environments = environments ?? preset?.laneCount?.value.whole(Limits.environments) ?? 1
    var run = RunConfiguration(
      algorithm: algorithm.name, environment: task.id, configuration: configuration.values, steps: steps, seed: seed,
      threads: threads ?? min(4, Processor.coreCount), evaluateEvery: evaluateEvery ?? evaluationInterval(steps),
      evaluationEpisodes: evaluationEpisodes ?? 10, checkpointEvery: checkpointEvery)
    run.environmentOptions = task.givenOptions.isEmpty ? nil : task.givenOptions
    if environments > 1 { run.environments = environments }
    if overlap { run.overlap = true }
    if PythonBridge.isReference(task.id) { run.python = Program.python.interpreter }
    try start(
      run, task: task, on: task.id, preset, resolved,
      "\(steps.text) steps" + (environments > 1 ? " in \(environments.text) environments" : ""))
  }

  /// A run on fixed data: its steps are updates.
  private func learn(_ algorithm: AlgorithmEntry, from path: String) throws {
    try refuseOverlap(unlessInPython: nil)
    let preset = try presetArgument.preset(for: algorithm, onDataOf: environment)
    let resolved = try ResolvedSettings(of: algorithm, for: nil, preset: preset, settings: settings)
    let configuration = resolved.configuration
    if (environments ?? 1) > 1 || preset?.laneCount != nil {
      throw ArgumentMismatch("--environments is for learning in an environment: leave it out with --dataset")
    }
    // a run keeps the options of the environment that it learned in
    let kept = (try? RunDirectory.describe(path)).map { [KeptOptions($0.run)] } ?? []
    var task = try environment.map { try environmentOptions.entry($0, over: kept) }
    var reading = try DatasetReading(timeouts: TimeoutReading.argument(timeouts), environment: task)
    reading.observations = DatasetReading.parts(observations)
    let dataset = try DatasetFiles.read(path, reading)
    // else the environment that the data name, if this program knows it
    if task == nil, let id = dataset.description.environment, (try? Program.environment(id)) != nil {
      task = try environmentOptions.entry(id, over: kept)
    }
    if let task {
      if evaluateEvery != 0 { try task.requireLimit(for: "an evaluation (--evaluate-every 0: none)") }
      tellUnusedEpisodes()
      let (own, data) = (task.observationSize, dataset.description.observationSize)
      if own != data {
        throw DatasetError(
          path,
          "has \(data) observations, \(task.id)\(task.optionsSuffix) has \(own): name the environment of the data, with its "
            + "options (--option)")
      }
    } else {
      try environmentOptions.refuseAny()
      if let evaluateEvery, evaluateEvery > 0 {
        throw ArgumentMismatch(
          "--evaluate-every needs an environment, and the data name none that this program knows: name it after the algorithm"
        )
      }
      try refuseEpisodes()
    }
    if let warning = DatasetStatistics(dataset).warning { Output.note("warning: " + warning) }
    let steps = steps ?? preset?.steps?.value.whole(Limits.steps) ?? 1_000_000
    var run = RunConfiguration(
      algorithm: algorithm.name, environment: task?.id ?? dataset.description.environment ?? "",
      configuration: configuration.values, steps: steps, seed: seed, threads: threads ?? min(4, Processor.coreCount),
      evaluateEvery: task == nil ? 0 : evaluateEvery ?? evaluationInterval(steps),
      evaluationEpisodes: evaluationEpisodes ?? 10, checkpointEvery: checkpointEvery)
    if let task, !task.givenOptions.isEmpty { run.environmentOptions = task.givenOptions }
    run.dataset = RunConfiguration.DataSource(
      path: URL(fileURLWithPath: path).standardizedFileURL.path, timeouts: reading.timeouts.text, digest: dataset.digest
    )
    run.dataset?.observations = reading.observations
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    try start(run, task: task, on: name, preset, resolved, "\(steps.text) updates on \(dataset.count.text) transitions")
  }

  /// Throws for a number of evaluation episodes in a run without evaluations.
  private func refuseEpisodes() throws {
    if evaluationEpisodes != nil {
      throw ArgumentMismatch("--evaluation-episodes needs evaluations, and this run has none: leave it out")
    }
  }

  /// Says that a number of evaluation episodes is for nothing where `--evaluate-every 0` asks for no evaluation.
  private func tellUnusedEpisodes() {
    if evaluateEvery == 0, let evaluationEpisodes {
      Output.note("--evaluate-every 0: there are no evaluations to have --evaluation-episodes \(evaluationEpisodes)")
    }
  }

  /// Throws for `--overlap` in an environment that is not in Python: only worker processes step beside the learner.
  private func refuseOverlap(unlessInPython id: String?) throws {
    guard overlap, !(id.map(PythonBridge.isReference) ?? false) else { return }
    throw ArgumentMismatch(
      "--overlap is for gym:ID and python:FILE:FUNCTION, whose processes step beside the learner, not \(id ?? "data"): leave it "
        + "out")
  }

  private static func example(_ actions: ActionKind) -> String {
    actions == .discrete ? "CartPole-v1" : "HalfCheetah-v5"
  }

  private func evaluationInterval(_ steps: Int) -> Int { max(1000, min(10_000, steps / 20)) }

  private func start(
    _ run: RunConfiguration, task: EnvironmentEntry?, on name: String, _ preset: Preset?, _ resolved: ResolvedSettings,
    _ amount: String
  ) throws {
    // everything that can be refused is refused before anything is written
    try run.checkLearning(in: Program.algorithms)
    let learning = try run.learning(in: Program.algorithms)
    let weights = try from.map(loadWeights)
    var run = run
    run.from = weights?.origin
    var description = RunDescription(
      run: run,
      versions: RunDescription.Versions(
        program: programVersion, swift: swiftVersion, mujoco: try task?.simulatorVersion(),
        processor: Processor.summary, matrixUnit: Processor.usesMatrixUnit))
    description.preset = preset?.use
    description.sources = sources(of: resolved)
    description.resume = run.dataset == nil ? task?.resumePromise : .exact
    if description.versions.mujoco != nil { description.versions.mujocoLibrary = try MuJoCoTasks.libraryPath() }
    let trainer = try makeTrainer(run)
    let left = try weights.map { try trainer.begin(with: $0) } ?? []
    let path = try runDirectory ?? freeDirectory(run.algorithm, name)
    try RunDirectory.checkSpace(for: trainer, at: path, available: DiskSpace.available(at: path))
    let directory = try makeDirectory(at: path, description, name)
    Output.note("training \(run.algorithm) on \(name), \(amount), into \(directory.displayPath)")
    preset?.tell(resolved, hasOwnSteps: steps == nil)
    if let origin = run.from {
      Output.note(
        "it begins with the networks of \(origin.algorithm) after \(origin.step.text) steps"
          + (left.isEmpty ? "" : ", except \(left.joined(separator: ", "))"))
    }
    if run.dataset == nil {
      Output.note(
        "learning begins after \(learning.begins.text) steps\(learning.isLeast ? ", or as soon as the buffer is full," : "") "
          + "and makes \(learning.updates.text) updates\(learning.isLeast ? " or more" : "")")
    }
    if description.resume == .episode {
      Output.note("\(run.environment) cannot save its state: when the run is resumed, the running episodes are lost")
    }
    try drive(trainer, directory, tensorBoard: tensorboard)
  }

  /// The source of each setting, those of the command line included.
  private func sources(of resolved: ResolvedSettings) -> [String: String] {
    var sources = resolved.sources
    if steps != nil { sources["steps"] = ResolvedSettings.chosen }
    if environments != nil { sources["environments"] = ResolvedSettings.chosen }
    return sources
  }

  /// Makes the folder. A default one that another process has just taken gets the next number.
  private func makeDirectory(at path: String, _ description: RunDescription, _ name: String) throws -> RunDirectory {
    let metrics = try Program.algorithms.entry(description.run.algorithm).metrics
    do {
      return try RunDirectory.create(path, description, metrics: metrics)
    } catch {
      let next = try runDirectory ?? freeDirectory(description.run.algorithm, name)
      guard next != path else { throw error }
      return try makeDirectory(at: next, description, name)
    }
  }

  /// The default folder, numbered when earlier runs have taken it.
  private func freeDirectory(_ algorithm: String, _ task: String) throws -> String {
    // gym:ALE/Pong-v5 and python:/home/me/task.py:make cannot be names of folders
    let last = task.hasPrefix("python:") ? task.split(separator: "/").last.map(String.init) ?? task : task
    let name = String(last.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" })
    let base = "runs/\(algorithm)-\(name)-seed\(seed)"
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

/// The version of the compiler that built the program.
let swiftVersion: String = {
  #if compiler(>=6.4)
    "6.4 or later"
  #elseif compiler(>=6.3)
    "6.3"
  #else
    "6.2"
  #endif
}()
