// ZooFile.swift — reads a file of hyperparameters of RL Baselines3 Zoo, and turns one of its entries into a preset.

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
      throw PresetError(
        "\(path) is not a mapping of environments to hyperparameters, as files of RL Baselines3 Zoo are")
    }
    self.entries = entries
  }

  /// The entry for an environment, or the entry with a given name.
  ///
  /// Without an entry for the environment, the entry of another version of it is taken, or else `default`.
  ///
  /// - Parameters:
  ///   - steps: steps of the run, if they are given: `exploration_fraction` is a share of them.
  ///   - suggestedSteps: steps of the run if neither `steps` nor the file says them.
  package func preset(
    for algorithm: AlgorithmEntry, environment: String, entry wanted: String? = nil, steps: Int?, suggestedSteps: Int
  ) throws -> Preset {
    let name = try name(environment, wanted)
    guard case .object(let members)? = entries[name] else {
      throw PresetError("\(path): \(name) must be a mapping of hyperparameters")
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
      let meant = nearestName(to: wanted, among: names).map { "did you mean \($0)?" } ?? "no name is similar"
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
