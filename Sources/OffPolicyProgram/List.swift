// List.swift — `offpolicy list`: shows the algorithms with their hyperparameters and the environments with their options.

import ArgumentParser
import OffPolicy

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Show the algorithms with their hyperparameters, the environments with their sizes and limits, or the presets.")

  @Argument(help: "One algorithm, one environment, or presets. Default: all algorithms and environments.")
  var name: String?

  @Argument(help: "After presets: only those of this algorithm or environment.")
  var filter: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    if name == "presets" { return try ListPresets.show(of: filter, json: json) }
    if let filter {
      throw ValidationError("list shows one thing: \(filter) is too much; only presets take a second word")
    }
    var algorithms = Program.algorithms.entries
    var tasks = Program.environments.entries.sorted { $0.id < $1.id }
    if let name {
      algorithms = algorithms.filter { $0.name == name.lowercased() }
      tasks = algorithms.isEmpty ? [try environment(name)] : []
    }
    if json {
      return try Output.json(
        Report(algorithms: algorithms.map(AlgorithmReport.init), environments: tasks.map(TaskReport.init)))
    }
    for algorithm in algorithms {
      print("\(algorithm.name)  \(algorithm.summary)")
      // ranges and sources on lines of their own: one line for all would be wider than a terminal
      let rows = algorithm.hyperparameters.flatMap { parameter in
        [
          [
            "  " + parameter.name, algorithm.defaults.values[parameter.name]?.text() ?? "null", parameter.symbol,
            parameter.summary,
          ],
          ["", "", "", "allowed: " + parameter.rangeText],
          ["", "", "", "default from: " + parameter.source],
        ]
      }
      show([["  name", "default", "symbol", "meaning"]] + rows)
      show([["  metric", "unit", "formula"]] + algorithm.metrics.map { ["  " + $0.name, $0.unit, $0.formula] })
      print("")
    }
    guard !tasks.isEmpty else { return }
    defer { showOptions(tasks) }
    show(
      [["environment", "observations", "actions", "limit", "solved at", "steps", "what"]]
        + tasks.map { task in
          [
            task.id, "\(task.observationSize)", task.actionText, task.maximumEpisodeSteps.map(String.init) ?? "none",
            task.rewardThreshold.map { $0.text(0) } ?? "–", task.suggestedSteps.text, task.summary,
          ]
        })
  }

  /// The environment of this name; where there is none, the error also knows the algorithms.
  private func environment(_ name: String) throws -> EnvironmentEntry {
    do { return try Program.environments.entry(name) } catch {
      let algorithms = Program.algorithms.entries.map(\.name)
      guard let meant = nearestName(to: name, among: algorithms) else { throw error }
      throw ValidationError("there is neither an algorithm nor an environment \(name): did you mean \(meant)?")
    }
  }

  /// Shows the options of one environment, or the names of the options of several.
  private func showOptions(_ tasks: [EnvironmentEntry]) {
    print("")
    if tasks.count == 1 {
      let rows = tasks[0].options.map { ["  " + $0.name, "\($0.defaultValue)", $0.allowedText, $0.summary] }
      return show([["  option", "default", "allowed", "meaning"]] + rows)
    }
    show(
      [["environment", "options (`offpolicy list ID` explains them)"]]
        + tasks.flatMap { task in
          wrap(task.options.map(\.name), to: 90).enumerated().map { [$0 == 0 ? task.id : "", $1] }
        })
  }

  /// Words in lines of at most some width.
  private func wrap(_ words: [String], to width: Int) -> [String] {
    words.reduce(into: [String]()) { lines, word in
      if let last = lines.last, last.count + word.count < width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(word)
      }
    }
  }

  /// Prints rows in aligned columns.
  private func show(_ rows: [[String]]) {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      var line = cells.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      print(line)
    }
  }

  private struct Report: Encodable {
    let algorithms: [AlgorithmReport]
    let environments: [TaskReport]
  }

  private struct AlgorithmReport: Encodable {
    let name: String
    let summary: String
    let actions: ActionKind
    let hyperparameters: [ParameterReport]
    let metrics: [Metric]

    init(_ entry: AlgorithmEntry) {
      (name, summary, actions, metrics) = (entry.name, entry.summary, entry.actions, entry.metrics)
      hyperparameters = entry.hyperparameters.map {
        ParameterReport(
          name: $0.name, symbol: $0.symbol, defaultValue: entry.defaults.values[$0.name] ?? .null,
          range: $0.rangeText, summary: $0.summary, source: $0.source)
      }
    }
  }

  private struct ParameterReport: Encodable {
    let name: String
    let symbol: String
    let defaultValue: JSONValue
    let range: String
    let summary: String
    let source: String

    enum CodingKeys: String, CodingKey {
      case name, symbol, range, summary, source
      case defaultValue = "default"
    }
  }

  private struct OptionReport: Encodable {
    let name: String
    let defaultValue: EnvironmentOptions.Value
    let allowed: String
    let summary: String

    init(_ option: EnvironmentOption) {
      (name, defaultValue) = (option.name, option.defaultValue)
      (allowed, summary) = (option.allowedText, option.summary)
    }

    enum CodingKeys: String, CodingKey {
      case name, allowed, summary
      case defaultValue = "default"
    }
  }

  private struct TaskReport: Encodable {
    let id: String
    let summary: String
    let observationSize: Int
    let actions: String
    let maximumEpisodeSteps: Int?
    let rewardThreshold: Double?
    let suggestedSteps: Int
    let options: [OptionReport]

    init(_ entry: EnvironmentEntry) {
      options = entry.options.map(OptionReport.init)
      (id, summary, observationSize) = (entry.id, entry.summary, entry.observationSize)
      (actions, maximumEpisodeSteps) = (entry.actionText, entry.maximumEpisodeSteps)
      (rewardThreshold, suggestedSteps) = (entry.rewardThreshold, entry.suggestedSteps)
    }
  }
}

extension EnvironmentEntry {
  /// The actions in words: `6 in [−1, 1]` or `2 choices`.
  fileprivate var actionText: String {
    switch actionSpace {
    case .discrete(let choices): return "\(choices.count) choices"
    case .box(let box):
      guard let low = box.low.min(), let high = box.high.max() else { return "0" }
      return "\(box.count) in [\(Double(low).short), \(Double(high).short)]"
    }
  }
}

extension Double {
  fileprivate var short: String {
    Int(exactly: self).map(String.init) ?? "\((self * 100).rounded() / 100)"
  }
}
