// RunGroups.swift — which runs repeat each other with other seeds, and which settings tell the others apart.

import Formats
import Training

/// Runs with the same settings but for the seed.
public struct RunGroup: Sendable {
  /// The algorithm, and the settings in which groups differ.
  public let label: String
  public let runs: [RunData]

  /// The last evaluation of each run that has one.
  var lastReturns: [Double] { runs.compactMap { $0.evaluated.last?.y } }
  /// The best evaluation of each run that has one.
  var bestReturns: [Double] { runs.compactMap { $0.evaluated.map(\.y).max() } }
}

/// A setting that not all runs share.
struct DifferingSetting {
  let name: String
  /// Of each run, in their order.
  let values: [String]
}

enum RunGroups {
  /// Groups runs by what they compute, in the order in which they were given.
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
      // the algorithm alone says it, unless another group has the same
      if algorithms.count(where: { $0 == label }) > 1 {
        let further = differing.compactMap { name in key[name].map { "\(name)=\($0)" } }.prefix(3)
        label += further.isEmpty ? "" : " " + further.joined(separator: " ")
      }
      return RunGroup(label: label, runs: runs)
    }
  }

  /// The settings in which runs differ, sorted; the seed among them.
  static func differences(_ runs: [RunData]) -> [DifferingSetting] {
    let settings = runs.map { flat($0.run) }
    return names(in: settings).map { name in
      DifferingSetting(name: name, values: settings.map { $0[name] ?? "–" })
    }
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

  /// A value as people write it: a string without its quotes.
  static func plain(_ value: JSONValue) -> String {
    if case .string(let text) = value { return text }
    return value.text()
  }

  private static func names(in settings: [[String: String]]) -> [String] {
    Set(settings.flatMap(\.keys)).filter { name in Set(settings.map { $0[name] }).count > 1 }.sorted()
  }

  /// What may differ between runs that repeat each other.
  private static func isOfSeed(_ name: String) -> Bool {
    ["seed", "threads", "checkpointEvery"].contains(name)
  }
}
