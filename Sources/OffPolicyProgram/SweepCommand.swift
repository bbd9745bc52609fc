// SweepCommand.swift — `offpolicy sweep`: trains many runs, over seeds, values, algorithms and environments.

import ArgumentParser
import Foundation
import OffPolicy
import Presets
import Report
import Sweeps

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train many runs, several at a time, over seeds, values and environments, and compare them.",
    discussion: """
      offpolicy sweep sac Hopper-v5 Walker2d-v5 --seeds 0..4 --set lr=3e-4,1e-3
      offpolicy sweep experiment.yaml
      offpolicy sweep sweeps/sac-Hopper-v5

      The first two begin a sweep, or continue it if its folder exists already. The last one continues the sweep in a folder. A \
      sweep that was stopped and continued has the same bits as one that was never stopped. Each run is a process with a folder \
      of its own; a run that fails does not stop the others. Ctrl-C saves all runs.
      """)

  @Argument(
    help: ArgumentHelp(
      "An algorithm (or several with commas) and environments; or a YAML file; or the folder of a sweep.",
      valueName: "algorithm environment"))
  var words: [String]

  @Option(help: "Seeds: 0..9, or 1,4,7..9. Default: 0..4.")
  var seeds: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "A hyperparameter and its values. May be repeated: every combination is a run. lr stands for every learning rate.",
      valueName: "key=value,value")
  )
  var settings: [String] = []

  @Option(help: "Environment steps of each run. Default: what suits the environment.", transform: wholeNumber)
  var steps: Int?

  @Option(help: "Runs at the same time. Default: one for each core.", transform: wholeNumber)
  var jobs: Int?

  @Option(
    help: "Threads of each run; the result is the same. Default: cores divided by jobs, at most 4.",
    transform: wholeNumber)
  var threads: Int?

  @Option(help: "The folder of the sweep. Default: sweeps/ALGORITHM-ENVIRONMENT, or sweeps/FILE.")
  var directory: String?

  @Option(help: ArgumentHelp("As for train.", valueName: "name|file|none"))
  var preset: String?

  @Option(name: .customLong("option"), help: "An option of the environment, as for train. May be repeated.")
  var options: [String] = []

  @Option(help: "Environments that each run steps at once, as for train.", transform: wholeNumber)
  var environments: Int?

  @Option(help: "Environment steps between evaluations, as for train.", transform: wholeNumber)
  var evaluateEvery: Int?

  @Option(help: "Episodes of an evaluation, as for train.", transform: wholeNumber)
  var evaluationEpisodes: Int?

  @Option(help: "Environment steps between checkpoints, as for train.", transform: wholeNumber)
  var checkpointEvery: Int?

  @Option(help: ArgumentHelp("Write a script for Slurm (sbatch FILE) instead of running anything.", valueName: "file"))
  var slurm: String?

  @Option(help: "Train only the run with this number, from 0, for one job of an array.", transform: wholeNumber)
  var only: Int?

  @Flag(help: "Print the runs, but train none.")
  var dryRun = false

  @Flag(help: "Print JSON at the end.")
  var json = false

  func validate() throws {
    try Limits.steps.check(steps, "--steps")
    try (1...256).check(jobs, "--jobs")
    try Limits.threads.check(threads, "--threads")
    try Limits.environments.check(environments, "--environments")
    try Limits.stepsOrNone.check(evaluateEvery, "--evaluate-every")
    try Limits.episodes.check(evaluationEpisodes, "--evaluation-episodes")
    try Limits.steps.check(checkpointEvery, "--checkpoint-every")
    try (0...9999).check(only, "--only")
    if dryRun && (json || slurm != nil || only != nil) {
      throw ValidationError("--dry-run prints all runs and starts none: leave out --json, --slurm and --only")
    }
    if slurm != nil && (json || only != nil) {
      throw ValidationError("--slurm writes a script for all runs and starts none: leave out --json and --only")
    }
    if directory?.isEmpty == true { throw ValidationError("--directory is empty: give a path") }
    if slurm?.isEmpty == true { throw ValidationError("--slurm is empty: give a path") }
  }

  func run() throws {
    let isFolder = words.count == 1 && FileManager.default.fileExists(atPath: "\(words[0])/\(SweepFolder.planName)")
    let file = try isFolder ? nil : sweepFile()
    let folder = SweepFolder(isFolder ? words[0] : defaultDirectory(file))
    if isFolder { try refuseChanges() }
    let made = try isFolder ? nil : self.plan(file)
    _ = try folder.plan()
    // before the plan is read: of two that begin one sweep, the second adds its runs to the plan of the first, or none
    let held = dryRun || slurm != nil || only != nil ? nil : try folder.lock()
    defer { withExtendedLifetime(held) {} }
    let before = try folder.plan()
    guard let plan = try before.flatMap({ before in try made.map(before.adding) ?? before }) ?? made else {
      throw SweepError("\(words[0]) is not the folder of a sweep")
    }
    if let only, !plan.runs.indices.contains(only) {
      throw SweepError("--only \(only): the sweep has the runs 0 to \(plan.runs.count - 1)")
    }
    if dryRun { return show(plan, folder) }
    if let slurm { return try write(plan, before, folder, slurm, jobs ?? file?.jobs) }
    // from here on no signal is lost
    let stop = StopSignal.listen("stopping: saving every run …")
    if plan != before { try folder.write(plan) }
    if let before, plan.runs.count > before.runs.count {
      Output.note("\(folder.path) had \(before.runs.count) runs, and gets \(plan.runs.count - before.runs.count) more")
    }
    let wanted = only.map { [plan.runs[$0]] } ?? plan.runs
    let jobs = min(wanted.count, jobs ?? file?.jobs ?? Processor.coreCount)
    let threads = threads ?? max(1, min(4, Processor.coreCount / jobs))
    let runner = SweepRunner(folder, wanted, jobs: jobs, threads: threads, stop)
    let outcomes = try runner.run()
    if stop.wasReceived {
      Output.note("stopped, every run saved; go on with: \(Output.command) sweep \(shellWord(folder.path))")
      throw ExitCode(128 + stop.number)
    }
    try finish(outcomes, folder)
  }

  // MARK: what to do

  private func sweepFile() throws -> SweepFile? {
    guard let first = words.first, words.count == 1 else { return nil }
    let isNamedSo = first.hasSuffix(".yaml") || first.hasSuffix(".yml")
    return isNamedSo ? try SweepFile(first) : nil
  }

  private func defaultDirectory(_ file: SweepFile?) -> String {
    if let directory { return directory }
    if file != nil { return "sweeps/" + URL(fileURLWithPath: words[0]).deletingPathExtension().lastPathComponent }
    let text = words.joined(separator: "-").replacing(",", with: "-")
    return "sweeps/" + String(text.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }.prefix(120))
  }

  /// Throws for options that would change the runs of a sweep that is continued by its folder.
  private func refuseChanges() throws {
    let isChanged =
      seeds != nil || !settings.isEmpty || steps != nil || directory != nil || preset != nil || !options.isEmpty
      || environments != nil || evaluateEvery != nil || evaluationEpisodes != nil || checkpointEvery != nil
    if isChanged {
      throw SweepError(
        "\(words[0]) is a sweep already: besides its folder only --jobs, --threads, --only, --slurm and --json are taken; "
          + "repeat the command that began it to add seeds or values")
    }
  }

  /// The runs of the command line, or of the file and the command line. Everything that can be refused is refused here.
  private func plan(_ file: SweepFile?) throws -> SweepPlan {
    let (names, ids) = try subjects(file)
    let algorithms = try names.map { try Program.algorithms.entry($0) }
    let seeds = try seeds.map { try SeedList.read($0) } ?? file?.seeds ?? Array(0...4)
    let options = (file?.options ?? []) + options
    let preset = preset ?? file?.preset
    var common: [String] = []
    for option in options { common += ["--option", option] }
    if let preset { common += ["--preset", Self.absolute(preset)] }
    let numbers: [(String, Int?)] = [
      ("--steps", steps ?? file?.steps), ("--environments", environments ?? file?.lanes),
      ("--evaluate-every", evaluateEvery ?? file?.evaluateEvery),
      ("--evaluation-episodes", evaluationEpisodes ?? file?.evaluationEpisodes),
      ("--checkpoint-every", checkpointEvery ?? file?.checkpointEvery),
    ]
    for case (let flag, let value?) in numbers { common += [flag, "\(value)"] }
    let plan = try SweepPlan(
      algorithms: algorithms, environments: try ids.map { try canonical($0) },
      axes: { algorithm in
        // a setting of the command line replaces the file's setting of the same name
        let own = try settings.map { try SettingAxis($0, for: algorithm) }
        let given = try (file?.settings ?? [:]).sorted { $0.key < $1.key }
          .filter { key, _ in !own.contains { $0.label == key } }.map { try SettingAxis($0, $1, for: algorithm) }
        return given + own
      }, seeds: seeds, common: common)
    for algorithm in algorithms { try check(algorithm, ids, options, preset) }
    return plan
  }

  private func subjects(_ file: SweepFile?) throws -> ([String], [String]) {
    let names = file?.algorithms ?? words[0].split(separator: ",").map(String.init)
    let ids =
      file?.environments
      ?? words.dropFirst().flatMap { id in
        PythonBridge.isReference(id) ? [id] : id.split(separator: ",").map(String.init)
      }
    guard !names.isEmpty else { throw SweepError("the sweep names no algorithm, such as sac") }
    guard !ids.isEmpty else {
      throw SweepError(
        "name the environments too, such as `\(Output.command) sweep \(names.joined(separator: ",")) Hopper-v5`")
    }
    return (names, ids)
  }

  /// The id as the registry has it: an id without a version means the highest version.
  private func canonical(_ id: String) throws -> String {
    PythonBridge.isReference(id) ? PythonBridge.absolute(id) : try Program.environments.entry(id).id
  }

  /// A preset that means the same in any working folder.
  private static func absolute(_ preset: String) -> String {
    let isZoo = preset.hasPrefix("zoo:")
    let path = isZoo ? String(preset.dropFirst("zoo:".count)) : preset
    let isFile = isZoo || path.hasPrefix(".") || [".yaml", ".yml"].contains { path.contains($0) }
    return isFile ? (isZoo ? "zoo:" : "") + URL(fileURLWithPath: path).standardizedFileURL.path : preset
  }

  private func check(_ algorithm: AlgorithmEntry, _ ids: [String], _ options: [String], _ preset: String?) throws {
    guard algorithm.source == .task else {
      throw SweepError(
        "\(algorithm.name) does not learn in an environment: a sweep needs an algorithm that does, such as sac")
    }
    for id in ids where !PythonBridge.isReference(id) {
      var given = EnvironmentOptionArguments()
      given.assignments = options
      let task = try Program.environment(id, try given.options())
      try algorithm.checkActions(task.actionSpace, of: task.id, among: Program.algorithms)
      var argument = PresetArgument()
      argument.preset = preset
      _ = try ResolvedSettings(
        of: algorithm, for: task, preset: try argument.preset(for: algorithm, in: task, steps: steps), settings: [])
    }
  }

  // MARK: what comes out

  private func show(_ plan: SweepPlan, _ folder: SweepFolder) {
    for (number, run) in plan.runs.enumerated() {
      print("\(number)  \(run.name)  train \(run.arguments.map(shellWord).joined(separator: " "))")
    }
    Output.note("\(plan.runs.count) runs, into \(folder.path); none was started (--dry-run)")
  }

  private func write(
    _ plan: SweepPlan, _ before: SweepPlan?, _ folder: SweepFolder, _ path: String, _ jobs: Int?
  ) throws {
    if plan != before { try folder.write(plan) }
    let name = URL(fileURLWithPath: folder.path).lastPathComponent
    let program = ExecutablePath.current ?? Program.name
    let script = SlurmScript(
      name: name, count: plan.runs.count, jobs: jobs, threads: threads ?? 1,
      command: [shellWord(program), "sweep", shellWord(folder.path), "--threads", "\(threads ?? 1)"])
    do { try DiskFile.replace(path, with: Data(script.text.utf8).span) } catch {
      throw SweepError("\(path) cannot be written: \(error.reason)")
    }
    Output.note(
      "\(plan.runs.count) runs: `sbatch \(shellWord(path))`, then `\(Output.command) sweep \(shellWord(folder.path))` for the table"
    )
  }

  private func finish(_ outcomes: [SweepRunner.Outcome], _ folder: SweepFolder) throws {
    let failed = outcomes.filter { $0.failure != nil }
    let done = outcomes.filter { $0.failure == nil }
    let runs = done.compactMap { try? RunData(folder.runPath($0.run)) }
    let table = RunTable(runs)
    if json {
      try Output.json(Report(folder: folder, outcomes: outcomes, table: table))
    } else if only == nil {
      if table.rows.isEmpty { print("no run has an evaluation") } else { table.show() }
    }
    for outcome in failed { Output.note("failed: \(outcome.run.name): \(outcome.failure ?? "")") }
    guard failed.isEmpty else {
      throw SweepError(
        "\(failed.count) of \(outcomes.count) runs failed; their logs are in \(folder.path)/logs, and the same command tries "
          + "them again")
    }
    Output.note("done: \(outcomes.count) runs in \(folder.path)")
  }

  private struct Report: Encodable {
    struct Run: Encodable {
      let name: String
      let path: String
      /// done or failed
      let state: String
      let failure: String?
      let step: Int?
      let digest: String?
      let lastReturn: Double?
      let bestReturn: Double?
    }

    let directory: String
    let runs: [Run]
    let table: RunTable

    init(folder: SweepFolder, outcomes: [SweepRunner.Outcome], table: RunTable) {
      (directory, self.table) = (folder.path, table)
      runs = outcomes.map { outcome in
        let path = folder.runPath(outcome.run)
        let found = (try? RunDirectory.open(path)).flatMap { try? RunInspection($0) }
        return Run(
          name: outcome.run.name, path: path, state: outcome.failure == nil ? "done" : "failed",
          failure: outcome.failure, step: found?.step, digest: found?.digest, lastReturn: found?.lastReturn,
          bestReturn: found?.bestReturn)
      }
    }
  }
}
