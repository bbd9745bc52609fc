// PresetLibrary.swift — the built-in presets, found by environment or by name.

import Algorithms
import Formats

package enum PresetLibrary {
  /// Every preset, sorted by algorithm and environment. The files are compiled into the program.
  package static let all: [Preset] = {
    let files: [(String, [UInt8])] = [
      ("crossq.yaml", PackageResources.crossq_yaml), ("ddpg.yaml", PackageResources.ddpg_yaml),
      ("dqn.yaml", PackageResources.dqn_yaml), ("sac-discrete.yaml", PackageResources.sac_discrete_yaml),
      ("sac.yaml", PackageResources.sac_yaml), ("td3.yaml", PackageResources.td3_yaml),
    ]
    return files.flatMap { name, bytes in
      do {
        let value = try YAMLText.value(String(decoding: bytes, as: UTF8.self), name: name)
        return try PresetFile(value, name: name, path: nil).presets
      } catch {
        preconditionFailure("a preset of the program: \(error)")
      }
    }
  }()

  /// The preset for an algorithm in an environment; nil where there is none.
  ///
  /// - Parameter environment: an id; Gymnasium's environment is the built-in one of the same name.
  package static func matching(algorithm: String, environment: String) -> Preset? {
    let id = environment.hasPrefix("gym:") ? String(environment.dropFirst("gym:".count)) : environment
    return all.first { $0.algorithm == algorithm && $0.environments.contains(id) }
  }

  /// The preset with a name: `sac/Hopper-v5`, or `Hopper-v5` for the given algorithm.
  package static func named(_ name: String, for algorithm: String) throws(PresetError) -> Preset {
    let own = all.filter { $0.algorithm == algorithm }
    if let preset = all.first(where: { $0.name == name }) { return preset }
    if let preset = own.first(where: { $0.name == "\(algorithm)/\(name)" || $0.environments.contains(name) }) {
      return preset
    }
    let names = own.map { String($0.name.drop { $0 != "/" }.dropFirst()) }
    let meant =
      nearestName(to: name, among: names).map { "did you mean \($0)?" }
      ?? (names.isEmpty ? "\(algorithm) has none" : "\(algorithm) has \(names.joined(separator: ", "))")
    throw PresetError("there is no preset \(name.debugDescription): \(meant)")
  }
}
