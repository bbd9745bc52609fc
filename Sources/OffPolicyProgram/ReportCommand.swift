// ReportCommand.swift — `offpolicy report` and `offpolicy plot`: runs as one page to look at, or as pictures.

import ArgumentParser
import Foundation
import OffPolicy
import Presets
import Report

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write one HTML page on runs: verdict, learning curves, health, comparison, settings.",
    discussion: """
      The page needs nothing besides itself: it can be opened from disk, sent by mail, or put on any server. Runs that differ
      in their seed alone are taken together.
      """)

  @Argument(help: ArgumentHelp("The folders of the runs.", valueName: "run"))
  var folders: [String]

  @Option(help: "The file to write; an older one is replaced.")
  var out = "report.html"

  func run() throws {
    let page = try reportPage(folders)
    try write(page.html, to: out)
    Output.note("report: \(out)")
  }
}

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Write the figures of a report as SVG files.")

  @Argument(help: ArgumentHelp("The folders of the runs.", valueName: "run"))
  var folders: [String]

  @Option(help: "The folder to write into; it is made where it is missing.")
  var out = "plots"

  func run() throws {
    let pictures = try reportPage(folders).pictures
    do { try Folder.makePath(out) } catch { throw RunDirectoryError("\(out) cannot be made: \(error.reason)") }
    for picture in pictures { try write(picture.svg, to: "\(out)/\(picture.name)") }
    Output.note("\(pictures.count) figures: \(out)")
  }
}

/// The page on some runs. What has no evaluations is told, since the page then shows training returns alone.
private func reportPage(_ folders: [String]) throws -> ReportPage {
  var seen: Set<String> = []
  let runs = try folders.filter { seen.insert(URL(fileURLWithPath: $0).standardizedFileURL.path).inserted }.map {
    try RunData($0)
  }
  for run in runs where run.inspection.lastReturn == nil {
    Output.note("\(run.path) has no evaluations: its training returns are shown")
  }
  let task = try? Program.environments.entry(runs[0].run.environment)
  return try ReportPage(
    runs, threshold: task?.rewardThreshold, algorithms: Program.algorithms.entries,
    commands: runs.map { command($0.run) })
}

/// Writes a file whole or not at all.
private func write(_ text: String, to path: String) throws {
  let bytes = Data(text.utf8)
  do { try DiskFile.replace(path, with: bytes.span) } catch {
    throw RunDirectoryError("\(path) cannot be written: \(error.reason)")
  }
}

/// The command that makes a run again: what is not as it would be by itself.
private func command(_ run: RunConfiguration) -> String {
  var words = [Output.command, "train", run.algorithm]
  if !run.environment.isEmpty { words.append(shellWord(run.environment)) }
  if let dataset = run.dataset {
    words += ["--dataset", shellWord(dataset.path)]
    if let timeouts = dataset.timeouts { words += ["--timeouts", shellWord(timeouts)] }
  }
  words += ["--steps", "\(run.steps)", "--seed", "\(run.seed)"]
  if run.laneCount > 1 { words += ["--environments", "\(run.laneCount)"] }
  words += ["--evaluate-every", "\(run.evaluateEvery)", "--evaluation-episodes", "\(run.evaluationEpisodes)"]
  if let every = run.checkpointEvery { words += ["--checkpoint-every", "\(every)"] }
  for (name, value) in (run.environmentOptions?.values ?? [:]).sorted(by: { $0.key < $1.key }) {
    words += ["--option", shellWord("\(name)=\(value)")]
  }
  let entry = try? Program.algorithms.entry(run.algorithm)
  let task = try? Program.environments.entry(run.environment)
  let usual = entry.flatMap { entry in
    run.dataset == nil ? task.flatMap { try? entry.defaults.resolved(for: $0, settings: []) } : entry.defaults
  }?.values
  // every setting is said: none may come from a preset as well
  if PresetLibrary.matching(algorithm: run.algorithm, environment: run.environment) != nil {
    words += ["--preset", "none"]
  }
  if case .object(let values) = run.configuration {
    for (name, value) in values.sorted(by: { $0.key < $1.key }) where usual?[name] != value {
      words += ["--set", shellWord("\(name)=\(value.text())")]
    }
  }
  return words.joined(separator: " ")
}
