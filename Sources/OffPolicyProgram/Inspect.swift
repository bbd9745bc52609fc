// Inspect.swift — `offpolicy inspect`: shows the configuration, progress and health of a run.

import ArgumentParser
import OffPolicy

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a run's configuration, progress, digest of the parameters, and health.")

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var folder: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let description = try RunDirectory.describe(folder)
    let inspection = try RunInspection(RunDirectory.open(folder))
    if json { return try Output.json(Report(description: description, inspection)) }
    let run = description.run
    print("run        \(run.algorithm) on \(run.environment), seed \(run.seed), started \(description.started)")
    if let options = run.environmentOptions { print("options    \(options)") }
    if let parent = description.parent {
      print("parent     \(parent.path) at step \(parent.step.text), digest \(parent.digest)")
    }
    if let preset = description.preset {
      print("preset     \(preset.name)" + (preset.path.map { ", \($0)" } ?? ""))
      if let leftOut = preset.leftOut { print("left out   \(leftOut.joined(separator: ", "))") }
    }
    print(
      "progress   step \(inspection.step.text) of \(run.steps.text), \(inspection.episodes.text) episodes, "
        + "\(inspection.updates.text) updates, \(clock(inspection.seconds))")
    if let logged = inspection.loggedStep, logged > inspection.step {
      print("logged     step \(logged.text); the next checkpoint will include it")
    }
    if let last = inspection.lastReturn { print("last       return \(last.text())") }
    if let best = inspection.bestReturn { print("best       return \(best.text())") }
    if inspection.pauses.count > 0 {
      print(
        "saved      \(inspection.pauses.count.text) times while training; training waited at most "
          + "\((1000 * inspection.pauses.longest).text()) ms, "
          + "\((100 * inspection.pauses.total / max(1e-9, inspection.seconds)).text(3)) % of its time in all")
    }
    if inspection.simulatorFaults > 0 {
      print("simulator  broke off \(inspection.simulatorFaults.text) episodes")
    }
    if let resume = description.resume {
      print(
        "resume     \(resume.rawValue)"
          + (resume == .exact ? "" : ": the episodes that run when training stops are lost")
      )
    }
    print("digest     \(inspection.digest ?? "no checkpoint yet")")
    print("health     \(inspection.health.status)")
    for finding in inspection.health.findings { print("           \(finding)") }
    print(
      "made with  offpolicy \(description.versions.program), Swift \(description.versions.swift)"
        + (description.versions.mujoco.map { ", MuJoCo \($0)" } ?? "") + ", \(description.versions.processor)")
    if let library = description.versions.mujocoLibrary { print("library    \(library)") }
    print("configuration\n\(run.configuration.text(pretty: true))")
    let sources = Self.sources(of: description)
    if !sources.isEmpty {
      print("settings that are not the algorithm's defaults")
      for (name, source) in sources.sorted(by: { $0.key < $1.key }) { print("  \(name): \(source)") }
    }
  }

  /// The source of each setting that is not the default, including changes in mid-run.
  private static func sources(of description: RunDescription) -> [String: String] {
    let changed = (description.changes ?? []).flatMap { $0.configuration.map { Array($0.keys) } ?? [] }
    let names = Set((description.sources ?? [:]).keys).union(changed)
    return Dictionary(uniqueKeysWithValues: names.map { ($0, description.source(of: $0) ?? "") })
  }

  private struct Report: Encodable {
    let run: RunConfiguration
    let versions: RunDescription.Versions
    let started: String
    let resume: ResumePromise
    let step: Int
    let episodes: Int
    let updates: Int
    let loggedStep: Int?
    let seconds: Double
    let digest: String?
    let lastReturn: Double?
    let bestReturn: Double?
    let simulatorFaults: Int
    let checkpoints: Checkpoints
    let health: HealthReport
    let preset: RunDescription.PresetUse?
    let sources: [String: String]
    let parent: RunDescription.Parent?

    struct Checkpoints: Encodable {
      let count: Int
      let longestPauseSeconds: Double
      let pauseSeconds: Double
    }

    init(description: RunDescription, _ inspection: RunInspection) {
      (preset, parent) = (description.preset, description.parent)
      sources = Inspect.sources(of: description)
      (run, versions, started) = (description.run, description.versions, description.started)
      resume = description.resume ?? .exact
      (step, episodes, updates) = (inspection.step, inspection.episodes, inspection.updates)
      (seconds, digest, loggedStep) = (inspection.seconds, inspection.digest, inspection.loggedStep)
      (lastReturn, bestReturn, health) = (inspection.lastReturn, inspection.bestReturn, inspection.health)
      simulatorFaults = inspection.simulatorFaults
      let pauses = inspection.pauses
      checkpoints = Checkpoints(count: pauses.count, longestPauseSeconds: pauses.longest, pauseSeconds: pauses.total)
    }
  }
}
