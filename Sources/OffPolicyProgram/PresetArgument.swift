// PresetArgument.swift — `--preset`: finds the preset that a run begins with, and prints it.

import ArgumentParser
import Foundation
import OffPolicy
import Presets

struct PresetArgument: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The settings to begin with: a name from `offpolicy list presets`; a YAML file, or FILE#NAME; zoo:FILE or zoo:FILE#ENTRY "
        + "for a file of RL Baselines3 Zoo; or none. Default: the preset of algorithm and environment, if there is one.",
      valueName: "name|file|none"))
  var preset: String?

  /// The preset of a run; nil where there is none.
  ///
  /// - Parameter steps: of the run, where they were given.
  func preset(for algorithm: AlgorithmEntry, in task: EnvironmentEntry, steps: Int? = nil) throws -> Preset? {
    guard let preset else { return PresetLibrary.matching(algorithm: algorithm.name, environment: task.id) }
    return try named(preset, for: algorithm, environment: task.id, steps: steps, suggested: task.suggestedSteps)
  }

  /// The preset of a run on data; nil where there is none.
  func preset(for algorithm: AlgorithmEntry, onDataOf environment: String?) throws -> Preset? {
    guard let preset else { return nil }
    return try named(preset, for: algorithm, environment: environment ?? "", steps: nil, suggested: 1_000_000)
  }

  private func named(
    _ preset: String, for algorithm: AlgorithmEntry, environment: String, steps: Int?, suggested: Int
  ) throws -> Preset? {
    if preset == "none" { return nil }
    if preset.isEmpty { throw ArgumentMismatch("--preset is empty: give a name, a file, or none") }
    if preset.hasPrefix("zoo:") {
      let (path, entry) = Self.split(String(preset.dropFirst("zoo:".count)))
      var found = try ZooFile(path).preset(
        for: algorithm, environment: environment, entry: entry, steps: steps, suggestedSteps: suggested)
      found.path = URL(fileURLWithPath: path).standardizedFileURL.path
      return found
    }
    let (path, entry) = Self.split(preset)
    guard path.hasSuffix(".yaml") || path.hasSuffix(".yml") || path.hasPrefix("/") || path.hasPrefix(".") else {
      return try PresetLibrary.named(preset, for: algorithm.name)
    }
    return try Self.choose(entry, of: path, for: algorithm, environment: environment)
  }

  /// Chooses a preset of a file: by name, by environment, or the only one.
  private static func choose(
    _ entry: String?, of path: String, for algorithm: AlgorithmEntry, environment: String
  ) throws -> Preset {
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    let all = try PresetFile(try YAMLText.file(path), name: path, path: full).presets
    let id = environment.hasPrefix("gym:") ? String(environment.dropFirst("gym:".count)) : environment
    let found =
      entry.map { entry in all.first { $0.name == "\(path)#\(entry)" } }
      ?? all.first { $0.environments.contains(id) } ?? (all.count == 1 ? all[0] : nil)
    guard let found else {
      let names = all.map { $0.name.split(separator: "#").last.map(String.init) ?? $0.name }.joined(separator: ", ")
      throw ArgumentMismatch(
        "\(path) has no preset \(entry.map { "called \($0)" } ?? "for \(id)"): it has \(names); name one with "
          + "--preset \(shellWord(path))#NAME")
    }
    return found
  }

  /// A path, and what is behind its last #.
  private static func split(_ text: String) -> (path: String, entry: String?) {
    guard let mark = text.lastIndex(of: "#"), !FileManager.default.fileExists(atPath: text) else { return (text, nil) }
    return (String(text[..<mark]), String(text[text.index(after: mark)...]))
  }
}

extension Preset {
  /// Prints the values that the run takes from the preset, and a warning about those it leaves out.
  func tell(_ resolved: ResolvedSettings, hasOwnSteps: Bool) {
    let mark = "preset \(name): "
    let used = settings.filter { resolved.sources[String($0.name.prefix { $0 != "." })]?.hasPrefix(mark) == true }
    var words = used.map { "\($0.name)=\($0.value.settingText)" }
    if let steps, hasOwnSteps { words.append("steps=\(steps.value.settingText)") }
    if let laneCount { words.append("environments=\(laneCount.value.settingText)") }
    Output.note("preset \(name): \(words.isEmpty ? "no setting" : words.joined(separator: ", "))\(escape)")
    if !leftOut.isEmpty {
      Output.note(
        "warning: this program has no counterpart of \(leftOut.joined(separator: ", ")) in \(path ?? name): left out")
    }
  }

  private var escape: String { path == nil ? " (--preset none: the defaults)" : "" }
}
