// Preset.swift — settings that suit an environment, each with its source, and what a run's settings are with one.

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
    /// Where the value comes from.
    package var source: String
  }

  /// `sac/Hopper-v5`, or what its file calls it.
  package var name: String
  /// The algorithm that it is for; nil: any that has its hyperparameters.
  package var algorithm: String?
  /// Ids of environments that it suits.
  package var environments: [String] = []
  package var summary: String = ""
  /// What runs with it gave here; nil where none was made.
  package var measured: String? = nil
  /// Steps of a run.
  package var steps: Setting? = nil
  /// Environments that are stepped at once.
  package var laneCount: Setting? = nil
  package var settings: [Setting] = []
  /// What its file says and this program has no counterpart of.
  package var leftOut: [String] = []
  /// The file; nil: it is built in.
  package var path: String? = nil

  package init(name: String, algorithm: String?) { (self.name, self.algorithm) = (name, algorithm) }

  /// As `run.json` keeps it.
  package var use: RunDescription.PresetUse {
    RunDescription.PresetUse(name: name, path: path, leftOut: leftOut.isEmpty ? nil : leftOut)
  }

  /// Throws where it is another algorithm's.
  package func check(for algorithm: AlgorithmEntry) throws(PresetError) {
    guard let own = self.algorithm, own != algorithm.name else { return }
    throw PresetError("the preset \(name) is for \(own), not for \(algorithm.name)")
  }
}

/// A configuration, and where its values come from.
package struct ResolvedSettings: Sendable {
  package var configuration: AnyConfiguration
  /// By name, of what is not the algorithm's default.
  package var sources: [String: String] = [:]

  /// Text of a source that is a person's own choice.
  package static let chosen = "set for this run"

  /// The defaults, then what the environment suggests, then a preset, then what was set: later ones win.
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
