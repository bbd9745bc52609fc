// RunGroups.swift — groups runs that differ only in their seed, and finds the settings in which the groups differ.

import Formats
import Training

/// Runs with the same settings except for the seed.
public struct RunGroup: Sendable {
  /// The algorithm, and the settings in which groups differ.
  public let label: String
  public let runs: [RunData]

  /// The last evaluation of each run that has one.
  var lastReturns: [Double] { runs.compactMap { $0.evaluated.last?.y } }
  /// The best evaluation of each run that has one.
  var bestReturns: [Double] { runs.compactMap { $0.evaluated.map(\.y).max() } }
}

/// A setting that not all groups share.
struct DifferingSetting {
  let name: String
  /// The value in each group, in their order; a dash where the group's algorithm has no such setting.
  let values: [String]
}

enum RunGroups {
  /// Groups runs by all settings that change the result, in the order in which they were given.
  static func of(_ runs: [RunData]) -> [RunGroup] {
    let settings = runs.map { flat($0.run) }
    var order: [[String: String]] = []
    var members: [[RunData]] = []
    for (run, settings) in zip(runs, settings) {
      let key = settings.filter { !isOfSeed($0.key) }
      if let index = order.firstIndex(of: key) {
        members[index].append(run)
      } else {
        order.append(key)
        members.append([run])
      }
    }
    let differing = names(in: order).filter { $0 != "algorithm" }
    let algorithms = order.map { $0["algorithm"] ?? "" }
    return zip(order, members).enumerated().map { index, group in
      let (key, runs) = group
      var label = key["algorithm"] ?? ""
      // the algorithm alone is the label, unless another group has the same algorithm
      if algorithms.count(where: { $0 == label }) > 1 {
        let further = differing.compactMap { name in key[name].map { "\(name)=\($0)" } }.prefix(3)
        label += further.isEmpty ? "" : " " + further.joined(separator: " ")
      }
      return RunGroup(label: label, runs: runs)
    }
  }

  /// The settings in which groups differ, sorted, and the seeds.
  static func differences(_ groups: [RunGroup]) -> [DifferingSetting] {
    let settings = groups.map { flat($0.runs[0].run) }
    let seeds = groups.map { $0.runs.map { "\($0.run.seed)" }.joined(separator: ", ") }
    return names(in: settings).filter { !isOfSeed($0) }.map { name in
      DifferingSetting(name: name, values: settings.map { $0[name] ?? "–" })
    } + [DifferingSetting(name: "seeds", values: seeds)]
  }

  /// Every setting by a path of names, as text.
  static func flat(_ run: RunConfiguration) -> [String: String] {
    guard let value = try? JSONValue(encoding: run), case .object(let members) = value else { return [:] }
    var result: [String: String] = [:]
    for (name, value) in members {
      if name == "configuration", case .object(let settings) = value {
        for (name, value) in settings { result[name] = plain(value) }
      } else {
        result[name] = plain(value)
      }
    }
    return result
  }

  /// A value as text, a string without its quotes.
  static func plain(_ value: JSONValue) -> String {
    if case .string(let text) = value { return text }
    return value.text()
  }

  private static func names(in settings: [[String: String]]) -> [String] {
    Set(settings.flatMap(\.keys)).filter { name in Set(settings.map { $0[name] }).count > 1 }.sorted()
  }

  /// Whether runs of one group may differ in this setting.
  private static func isOfSeed(_ name: String) -> Bool {
    ["seed", "threads", "checkpointEvery"].contains(name)
  }
}
