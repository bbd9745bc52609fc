// ReportCommand.swift — `offpolicy report` and `offpolicy plot`: show runs as one HTML page, or as picture files.

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
      in their seed alone are taken together. With --live the page is served to the browsers of this machine alone, and
      follows runs that train.
      """)

  @Argument(help: ArgumentHelp("The folders of the runs.", valueName: "run"))
  var folders: [String]

  @Option(help: "The file to write; an older one is replaced. Default: report.html.")
  var out: String?

  @Flag(help: "Put a film of the best policy into the page: one episode, some megabytes.")
  var film = false

  @Flag(help: "Serve the page on this machine until Ctrl-C, kept up to date, and write no file.")
  var live = false

  @Option(help: "The port of --live, 1 to 65535. Default: any free one.")
  var port: Int?

  func validate() throws {
    try (1...65_535).check(port, "--port")
    if live && (out != nil || film) {
      throw ValidationError("--live serves the page and writes no file: leave out \(out == nil ? "--film" : "--out")")
    }
    if !live && port != nil { throw ValidationError("--port is the port of --live: add --live, or leave it out") }
  }

  func run() throws {
    if live { return try serve() }
    var page = try reportPage(folders)
    if film { page.film = try Self.film(of: page) }
    let out = out ?? "report.html"
    try replaceFile(out, with: Array(page.html.utf8))
    Output.note("report: \(out)")
  }

  private func serve() throws {
    let page = try LivePage(distinct(folders)) { try reportPage(of: $0) }
    let server = try PageServer(port: port)
    let stop = StopSignal.listen("the page is no longer served")
    print(server.address)
    try Output.finish()
    Output.note("follows \(folders.joined(separator: ", ")); Ctrl-C ends it")
    server.serve(page) { stop.wasReceived }
  }
}

extension ReportCommand {
  /// An episode of the best policy of the best run.
  private static func film(of page: ReportPage) throws -> ReportPage.EmbeddedFilm {
    guard let run = page.bestRun else {
      throw RunDirectoryError("--film shows the policy of the best evaluation, and no run has one: leave out --film")
    }
    var settings = FilmSettings()
    (settings.width, settings.height, settings.episodes) = (320, 240, 1)
    let subject = try FilmSubject(run.path, best: true)
    // at most 250 pictures
    let longest = subject.task.maximumEpisodeSteps ?? 1000
    settings.every = max(1, (longest + 249) / 250)
    let recorder = try subject.recorder(settings)
    var encoder = AnimatedGIF(width: settings.width, height: settings.height)
    let result = try recorder.run(act: { subject.policy.act($0, into: &$1) }) {
      encoder.add($0.canvas, milliseconds: $0.milliseconds)
    }
    let words =
      "The best policy, \(run.name) at step \(subject.policy.description.step.text), on seed \(settings.seed): "
      + "return \((result.returns.first ?? .nan).text())"
    return ReportPage.EmbeddedFilm(
      address: "data:image/gif;base64," + Data(encoder.finish()).base64EncodedString(), words: words)
  }
}

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Write the figures of a report as SVG and PNG files.")

  @Argument(help: ArgumentHelp("The folders of the runs.", valueName: "run"))
  var folders: [String]

  @Option(help: "The folder to write into; it is made if it is missing.")
  var out = "plots"

  @Option(help: "What to write: svg, png or both.")
  var format = Format.both

  enum Format: String, ExpressibleByArgument, CaseIterable { case svg, png, both }

  func run() throws {
    let pictures = try reportPage(folders).pictures
    do { try Folder.makePath(out) } catch { throw RunDirectoryError("\(out) cannot be made: \(error.reason)") }
    for picture in pictures {
      if format != .png { try replaceFile("\(out)/\(picture.name).svg", with: Array(picture.svg.utf8)) }
      if format != .svg { try replaceFile("\(out)/\(picture.name).png", with: picture.png) }
    }
    Output.note("\(pictures.count) figures: \(out)")
  }
}

/// Paths that lead to different places.
private func distinct(_ folders: [String]) -> [String] {
  var seen: Set<String> = []
  return folders.filter { seen.insert(URL(fileURLWithPath: $0).standardizedFileURL.path).inserted }
}

/// The page on some runs. What has no evaluations is told, since the page then shows training returns alone.
private func reportPage(_ folders: [String]) throws -> ReportPage {
  let runs = try distinct(folders).map { try RunData($0) }
  for run in runs where run.inspection.lastReturn == nil {
    Output.note("\(run.path) has no evaluations: its training returns are shown")
  }
  return try reportPage(of: runs)
}

private func reportPage(of runs: [RunData]) throws -> ReportPage {
  let task = runs.first.flatMap { try? Program.environments.entry($0.run.environment) }
  return try ReportPage(
    runs, threshold: task?.rewardThreshold, algorithms: Program.algorithms.entries,
    commands: runs.map { command($0.run) })
}

/// The command that repeats a run, with every setting that is not the default.
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
  // the command names every setting, so none may come from a preset as well
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
