// PresetFile.swift — reads a YAML file with one preset, or with several by name.

import Algorithms
import Formats

/// The presets of one file.
///
///     algorithm: sac
///     source: a paper               # of every value without a source of its own
///     presets:
///       Hopper-v5:
///         summary: what it is
///         for: [Hopper-v5]            # environments; default: the preset's name
///         steps: 100000
///         environments: 4             # stepped at once
///         settings:
///           discount: 0.98
///           criticLearningRate: {value: 1e-3, source: a paper}
///
/// A file with one preset has `settings` and the rest of it at the top.
package struct PresetFile: Sendable {
  package var presets: [Preset] = []

  private static let presetKeys = ["for", "summary", "measured", "source", "steps", "environments", "settings"]

  /// - Parameters:
  ///   - name: what messages call the file; also the name of a preset without one.
  ///   - path: the path of a user's file; nil for a built-in one.
  package init(_ value: JSONValue, name: String, path: String?) throws {
    guard case .object(let members) = value else {
      throw PresetError("\(name) is not a mapping of keys to values, so it holds no preset; see Guides/Presets.md")
    }
    let algorithm = try Self.text(members["algorithm"], "algorithm", of: name)
    let source = try Self.text(members["source"], "source", of: name) ?? path ?? name
    guard let listed = members["presets"] else {
      try Self.check(members, Self.presetKeys + ["algorithm"], of: name)
      presets = [try Self.preset(members, name: name, algorithm, source, key: nil, path: path)]
      return
    }
    try Self.check(members, ["algorithm", "source", "presets"], of: name)
    guard case .object(let entries) = listed, !entries.isEmpty else {
      throw PresetError("\(name): presets must be a mapping of names to presets")
    }
    for (key, entry) in entries.sorted(by: { $0.key < $1.key }) {
      guard case .object(let members) = entry else { throw PresetError("\(name): \(key) must be a mapping") }
      try Self.check(members, Self.presetKeys, of: "\(name): \(key)")
      let full = algorithm.map { "\($0)/\(key)" } ?? key
      presets.append(
        try Self.preset(members, name: path == nil ? full : "\(name)#\(key)", algorithm, source, key: key, path: path))
    }
  }

  private static func preset(
    _ members: [String: JSONValue], name: String, _ algorithm: String?, _ common: String, key: String?, path: String?
  ) throws -> Preset {
    let source = try text(members["source"], "source", of: name) ?? common
    var preset = Preset(name: name, algorithm: algorithm)
    preset.path = path
    preset.summary = try text(members["summary"], "summary", of: name) ?? ""
    preset.measured = try text(members["measured"], "measured", of: name)
    preset.environments =
      try members["for"].map { try $0.elements.map { try need($0.asText, "for", of: name) } }
      ?? key.map { [$0] } ?? []
    preset.steps = try count(members["steps"], "steps", 1...1_000_000_000_000_000, source, of: name)
    preset.laneCount = try count(members["environments"], "environments", 1...4096, source, of: name)
    guard let settings = members["settings"] else { return preset }
    guard case .object(let values) = settings else { throw PresetError("\(name): settings must be a mapping") }
    preset.settings = try values.sorted { $0.key < $1.key }.map { try setting($0, $1, source, of: name) }
    return preset
  }

  /// A value, or `{value: …, source: …}`.
  private static func setting(
    _ name: String, _ value: JSONValue, _ common: String, of preset: String
  ) throws -> Preset.Setting {
    guard case .object(let members) = value, let inner = members["value"] else {
      return Preset.Setting(name: name, value: value, source: common)
    }
    try check(members, ["value", "source"], of: "\(preset): \(name)")
    let source = try text(members["source"], "\(name).source", of: preset) ?? common
    return Preset.Setting(name: name, value: inner, source: source)
  }

  private static func count(
    _ value: JSONValue?, _ key: String, _ range: ClosedRange<Int>, _ source: String, of name: String
  ) throws -> Preset.Setting? {
    guard let value else { return nil }
    let setting = try setting(key, value, source, of: name)
    guard setting.value.whole(range) != nil else {
      throw PresetError(
        "\(name): \(key) cannot be \(setting.value.text()): it must be a whole number in [\(range.lowerBound), "
          + "\(range.upperBound)]")
    }
    return setting
  }

  private static func text(_ value: JSONValue?, _ key: String, of name: String) throws -> String? {
    guard let value else { return nil }
    return try need(value.asText, key, of: name)
  }

  private static func need(_ text: String?, _ key: String, of name: String) throws(PresetError) -> String {
    guard let text else { throw PresetError("\(name): \(key) must be text") }
    return text
  }

  /// Throws for an unknown key.
  static func check(_ members: [String: JSONValue], _ known: [String], of name: String) throws(PresetError) {
    guard let unknown = members.keys.sorted().first(where: { !known.contains($0) }) else { return }
    let meant =
      nearestName(to: unknown, among: known).map { "did you mean \($0)?" }
      ?? "there are \(known.joined(separator: ", ")), and hyperparameters go under settings"
    throw PresetError("\(name): there is no key \(unknown.debugDescription): \(meant)")
  }
}
