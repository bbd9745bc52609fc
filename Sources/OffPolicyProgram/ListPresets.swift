// ListPresets.swift — `offpolicy list presets`: shows the built-in presets, each value with its source.

import ArgumentParser
import OffPolicy
import Presets

enum ListPresets {
  /// - Parameter filter: an algorithm or an environment; nil: all presets.
  static func show(of filter: String?, json: Bool) throws {
    let presets = PresetLibrary.all.filter { preset in
      filter.map { $0 == preset.algorithm || preset.environments.contains($0) } ?? true
    }
    if let filter, presets.isEmpty {
      throw ValidationError("no preset is for \(filter): `\(Output.command) list presets` shows all presets")
    }
    if json { return try Output.json(["presets": presets.map(Report.init)]) }
    print(
      "`\(Output.command) train ALGORITHM ENVIRONMENT` uses the preset of the pair; --preset none uses the defaults")
    for preset in presets {
      print("")
      print("\(preset.name)  \(preset.summary)")
      let own = preset.name.split(separator: "/").last.map { [String($0)] } ?? []
      if preset.environments.isEmpty {
        print("  for       any environment, by --preset \(preset.name)")
      } else if preset.environments != own {
        print("  for       \(preset.environments.joined(separator: ", "))")
      }
      print("  measured  \(preset.measured ?? "not with this program")")
      for (name, setting) in rows(preset) { print("  \(name)=\(setting.value.settingText)  from: \(setting.source)") }
    }
  }

  /// Everything that a preset sets, steps and environments first.
  private static func rows(_ preset: Preset) -> [(String, Preset.Setting)] {
    let counts = [("--steps", preset.steps), ("--environments", preset.laneCount)]
    return counts.compactMap { name, setting in setting.map { (name, $0) } } + preset.settings.map { ($0.name, $0) }
  }

  private struct Report: Encodable {
    struct Value: Encodable {
      let value: JSONValue
      let source: String
    }

    let name: String
    let algorithm: String
    let environments: [String]
    let summary: String
    let measured: String?
    let steps: Value?
    let laneCount: Value?
    let settings: [String: Value]

    init(_ preset: Preset) {
      (name, algorithm, summary, measured) = (preset.name, preset.algorithm ?? "", preset.summary, preset.measured)
      environments = preset.environments
      func value(_ setting: Preset.Setting) -> Value { Value(value: setting.value, source: setting.source) }
      (steps, laneCount) = (preset.steps.map(value), preset.laneCount.map(value))
      settings = Dictionary(uniqueKeysWithValues: preset.settings.map { ($0.name, value($0)) })
    }
  }
}
