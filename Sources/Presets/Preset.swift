// Preset.swift — settings that suit an environment, each with its source, and the settings of a run that uses them.

import Algorithms
import Environments
import Formats
import Training

/// A preset that cannot be used, in one line.
package struct PresetError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// Settings for an algorithm in some environments.
package struct Preset: Sendable, Equatable {
  package struct Setting: Sendable, Equatable {
    /// A hyperparameter, with the case it reaches into if any: `temperature.learned.initial`.
    package var name: String
    package var value: JSONValue
    /// The source of the value, such as a paper or a program.
    package var source: String
  }

  /// `sac/Hopper-v5`, or what its file calls it.
  package var name: String
  /// The algorithm that it is for; nil: any that has its hyperparameters.
  package var algorithm: String?
  /// Ids of environments that it suits.
  package var environments: [String] = []
  package var summary: String = ""
  /// The results of runs of this program with exactly these settings; nil where there are none.
  package var measured: String? = nil
  /// Steps of a run.
  package var steps: Setting? = nil
  /// Number of environments that are stepped at once.
  package var laneCount: Setting? = nil
  package var settings: [Setting] = []
  /// Settings of the file that have no counterpart in this program, `key=value` each.
  package var leftOut: [String] = []
  /// The file that the preset was read from; nil where it is built in.
  package var path: String? = nil

  package init(name: String, algorithm: String?) { (self.name, self.algorithm) = (name, algorithm) }

  /// The preset as `run.json` keeps it.
  package var use: RunDescription.PresetUse {
    RunDescription.PresetUse(name: name, path: path, leftOut: leftOut.isEmpty ? nil : leftOut)
  }

  /// Throws where the preset is for another algorithm.
  package func check(for algorithm: AlgorithmEntry) throws(PresetError) {
    guard let own = self.algorithm, own != algorithm.name else { return }
    throw PresetError("the preset \(name) is for \(own), not for \(algorithm.name)")
  }
}

/// A configuration with the source of each value.
package struct ResolvedSettings: Sendable {
  package var configuration: AnyConfiguration
  /// The source of each setting that is not the algorithm's default, by name.
  package var sources: [String: String] = [:]

  /// The source of a value that was set on the command line.
  package static let chosen = "set for this run"

  /// The defaults, then the environment's suggestions, then the preset, then `settings`. Later ones win.
  ///
  /// - Parameters:
  ///   - environment: nil for a run on data.
  ///   - settings: `key=value`.
  /// - Throws: `PresetError` for a value of the preset, `ConfigurationError` for one of `settings`.
  package init(
    of algorithm: AlgorithmEntry, for task: EnvironmentEntry?, preset: Preset?, settings: [String]
  ) throws {
    configuration = algorithm.defaults
    if let task {
      let before = configuration.values
      configuration = try configuration.resolved(for: task, settings: [])
      note(changesFrom: before, "suggested by the environment")
    }
    if let preset {
      try preset.check(for: algorithm)
      for setting in preset.settings {
        do {
          configuration = try configuration.setting(["\(setting.name)=\(setting.value.settingText)"])
        } catch let error as ConfigurationError {
          throw PresetError("the preset \(preset.name) cannot be used: \(error)")
        }
        sources[Self.hyperparameter(setting.name)] = "preset \(preset.name): \(setting.source)"
      }
      if let steps = preset.steps { sources["steps"] = "preset \(preset.name): \(steps.source)" }
      if let lanes = preset.laneCount { sources["environments"] = "preset \(preset.name): \(lanes.source)" }
    }
    configuration = try configuration.setting(settings)
    for setting in settings {
      sources[Self.hyperparameter(String(setting.prefix { $0 != "=" }))] = Self.chosen
    }
  }

  private mutating func note(changesFrom before: JSONValue, _ source: String) {
    guard case .object(let members) = configuration.values else { return }
    for (name, value) in members where before[name] != value { sources[name] = source }
  }

  private static func hyperparameter(_ key: String) -> String { String(key.prefix { $0 != "." }) }
}
