// SettingsSection.swift — the end of the page: every setting with its source, versions, digests, and how to make the runs again.

import Algorithms
import Formats
import Platform
import Training

struct SettingsSection {
  let runs: [RunData]
  let groups: [RunGroup]
  let entries: [String: AlgorithmEntry]
  let commands: [String]

  var html: String {
    var text = "<section aria-labelledby=\"settings\"><h2 id=\"settings\">Settings</h2>\n"
    for group in groups {
      let table = settings(of: group)
      let summary = element("summary", [:], "Settings of " + group.label.escaped)
      text += groups.count == 1 ? table : element("details", [:], summary + table) + "\n"
    }
    text += "</section>\n<section aria-labelledby=\"again\"><h2 id=\"again\">Repeat the runs</h2>\n"
    if !commands.isEmpty {
      text += "<p>On the same kind of processor, the same version of the program gives the same bits:</p>\n"
      text += "<pre>\(commands.map(\.escaped).joined(separator: "\n"))</pre>\n"
    }
    text += HTML.table(
      caption: "Where the runs come from",
      ["run", "seed", "step", "digest of the parameters", "program", "Swift", "MuJoCo", "processor", "started"],
      runs.map { run in
        let versions = run.description.versions
        return [
          run.name, "\(run.run.seed)", Int(clampingWhole: run.lastStep).grouped,
          run.inspection.digest ?? "no checkpoint yet",
          versions.program, versions.swift, versions.mujoco ?? "–",
          versions.processor + (versions.matrixUnit == true ? ", matrix unit" : ""), run.description.started,
        ]
      }, numeric: [1, 2])
    return text + "</section>\n"
  }

  private func settings(of group: RunGroup) -> String {
    let run = group.runs[0].run
    let entry = entries[run.algorithm]
    var rows: [[String]] = []
    func add(_ name: String, _ value: String, _ summary: String) { rows.append([name, value, "run.json", summary]) }
    add("algorithm", run.algorithm, "")
    add("environment", run.environment, run.environmentOptions.map { "options: \($0)" } ?? "")
    add("steps", run.steps.grouped, run.dataset == nil ? "environment steps" : "updates")
    add("seeds", group.runs.map { "\($0.run.seed)" }.joined(separator: ", "), "")
    add("environments", "\(run.laneCount)", "stepped at once")
    add("threads", "\(run.threads)", "change the speed, never the result")
    add("evaluateEvery", run.evaluateEvery.grouped, "steps between evaluations; 0: none")
    add("evaluationEpisodes", "\(run.evaluationEpisodes)", "")
    add("checkpointEvery", run.checkpointEvery.map(\.grouped) ?? "30 seconds", "")
    if let dataset = run.dataset { add("dataset", dataset.path, "digest \(dataset.digest)") }
    if case .object(let values) = run.configuration {
      let order = entry?.hyperparameters.map(\.name) ?? []
      let names = order.filter { values[$0] != nil } + values.keys.filter { !order.contains($0) }.sorted()
      for name in names {
        let parameter = entry?.hyperparameters.first { $0.name == name }
        let value = values[name] ?? .null
        let isDefault = entry?.defaults.values[name] == value
        rows.append([
          name, RunGroups.plain(value),
          source(of: name, parameter, isDefault, group.runs[0].description),
          parameter.map { [$0.symbol, $0.summary].filter { !$0.isEmpty }.joined(separator: ": ") } ?? "",
        ])
      }
    }
    if let preset = group.runs[0].description.preset {
      let leftOut = preset.leftOut.map { "left out: \($0.joined(separator: ", "))" } ?? ""
      rows.append(["preset", preset.name, "run.json", leftOut])
    }
    return HTML.table(caption: "Every setting of \(group.label)", ["setting", "value", "source", "meaning"], rows)
  }

  /// The source of a value: the one that the run kept, or else the source of the default.
  private func source(
    of name: String, _ parameter: Hyperparameter?, _ isDefault: Bool, _ description: RunDescription
  ) -> String {
    if let kept = description.source(of: name) { return kept }
    return parameter.map { isDefault ? "default: \($0.source)" : "set for this run" } ?? "run.json"
  }
}
