// ZooFile.swift — a file of hyperparameters of RL Baselines3 Zoo as a preset: which of its entries, and what it says.

import Algorithms
import Environments
import Formats

/// Hyperparameters of RL Baselines3 Zoo (`hyperparams/sac.yml`), by environment.
package struct ZooFile: Sendable {
  private let path: String
  private let entries: [String: JSONValue]

  package init(_ path: String) throws {
    self.path = path
    guard case .object(let entries) = try YAMLText.file(path) else {
      throw PresetError("\(path) is no mapping of environments to hyperparameters")
    }
    self.entries = entries
  }

  /// The entry for an environment, or the one that is asked for by its name.
  ///
  /// An environment that is not there has the entry of another version, or else `default`, where there is one.
  ///
  /// - Parameters:
  ///   - steps: of the run, where they are known otherwise: a share of exploration is of them.
  ///   - suggestedSteps: where neither they nor the file say how many.
  package func preset(
    for algorithm: AlgorithmEntry, environment: String, entry wanted: String? = nil, steps: Int?, suggestedSteps: Int
  ) throws -> Preset {
    let name = try name(environment, wanted)
    guard case .object(let members)? = entries[name] else {
      throw PresetError("\(path): \(name) is no mapping of hyperparameters")
    }
    var mapping = try ZooMapping(
      members, algorithm: algorithm, source: "\(path), \(name)", steps: steps, suggestedSteps: suggestedSteps)
    try mapping.read()
    var preset = Preset(name: "zoo:\(path)#\(name)", algorithm: algorithm.name)
    preset.path = path
    preset.environments = [name]
    preset.summary = "hyperparameters of RL Baselines3 Zoo"
    (preset.steps, preset.laneCount) = (mapping.runSteps, mapping.laneCount)
    (preset.settings, preset.leftOut) = (mapping.settings, mapping.leftOut)
    return preset
  }

  private func name(_ environment: String, _ wanted: String?) throws(PresetError) -> String {
    let names = entries.keys.sorted()
    if let wanted {
      if entries[wanted] != nil { return wanted }
      let meant = nearestName(to: wanted, among: names).map { "did you mean \($0)?" } ?? "no name is like it"
      throw PresetError("\(path) has no entry \(wanted.debugDescription): \(meant)")
    }
    let id = environment.hasPrefix("gym:") ? String(environment.dropFirst("gym:".count)) : environment
    if entries[id] != nil { return id }
    let stem = Self.stem(id)
    if let other = names.last(where: { Self.stem($0) == stem }) { return other }
    if entries["default"] != nil { return "default" }
    let meant = nearestName(to: id, among: names).map { ": did you mean \($0)?" } ?? ""
    throw PresetError("\(path) has no entry for \(id), nor one called default\(meant)")
  }

  /// `Hopper` of `Hopper-v4`.
  private static func stem(_ id: String) -> Substring {
    guard let dash = id.lastIndex(of: "-"), id[dash...].hasPrefix("-v"), Int(id[dash...].dropFirst(2)) != nil else {
      return id[...]
    }
    return id[..<dash]
  }
}
