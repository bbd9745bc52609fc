// SettingAxis.swift — one setting with the values that a sweep tries, and the short names of settings.

import Algorithms
import Formats
import Presets

/// A setting of a sweep such as `discount=0.98,0.99`: the keys that get the same value, and the values.
package struct SettingAxis: Sendable, Equatable {
  /// One hyperparameter, with the case it reaches into if any; several for a short name that means several.
  package var keys: [String]
  /// The text before the equals sign, for names of runs.
  package var label: String
  package var values: [String]

  /// Short names of other libraries, and the hyperparameters that take the same values here.
  private static let aliases = [
    "alpha": "temperature", "batch": "batchSize", "batch_size": "batchSize", "buffer": "bufferCapacity",
    "buffer_size": "bufferCapacity", "critic_lr": "criticLearningRate", "ent_coef": "temperature", "gamma": "discount",
    "hidden": "hiddenSizes", "learning_starts": "randomSteps", "n_step": "nSteps", "n_steps": "nSteps",
    "net_arch": "hiddenSizes", "policy_lr": "policyLearningRate", "q_lr": "criticLearningRate", "tau": "targetTracking",
    "utd": "updatesPerStep",
  ]

  /// Reads `key=value,value`. A list in brackets is one value: `hiddenSizes=[64,64],[256,256]`.
  ///
  /// - Throws: `SweepError` for a name that the algorithm does not have, with the nearest one.
  package init(_ text: String, for algorithm: AlgorithmEntry) throws {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw SweepError("\(text.debugDescription) is not key=value,value, such as discount=0.98,0.99")
    }
    label = String(text[..<equals])
    keys = try Self.keys(label, algorithm)
    let written = String(text[text.index(after: equals)...])
    let parts = Self.parts(written)
    // without brackets, 64,64 is one list
    values = Self.isList(keys[0], algorithm) && !written.hasPrefix("[") ? [written] : parts
    guard !values.contains("") else { throw SweepError("\(text.debugDescription) has an empty value") }
    try check(algorithm)
  }

  /// Reads the values of a file: one value or a list of values; for a setting whose values are lists, a list of lists.
  package init(_ label: String, _ value: JSONValue, for algorithm: AlgorithmEntry) throws {
    self.label = label
    keys = try Self.keys(label, algorithm)
    let isOne = Self.isList(keys[0], algorithm) && value.elements.allSatisfy { $0.asNumber != nil }
    values = isOne ? [value.text()] : value.elements.map(\.settingText)
    guard !values.isEmpty else { throw SweepError("\(label) has no value") }
    try check(algorithm)
  }

  /// `key=value` for each key.
  package func assignments(_ value: String) -> [String] { keys.map { "\($0)=\(value)" } }

  /// Throws when a value cannot be set, and when two are the same.
  private func check(_ algorithm: AlgorithmEntry) throws {
    for (n, value) in values.enumerated() {
      if values[..<n].contains(value) { throw SweepError("\(label) has the value \(value) twice") }
      _ = try algorithm.defaults.setting(assignments(value))
    }
  }

  private static func isList(_ key: String, _ algorithm: AlgorithmEntry) -> Bool {
    algorithm.hyperparameters.first { $0.name == key }?.isList == true
  }

  private static func keys(_ label: String, _ algorithm: AlgorithmEntry) throws(SweepError) -> [String] {
    let names = algorithm.hyperparameters.map(\.name)
    let name = String(label.prefix { $0 != "." })
    if names.contains(name) { return [label] }
    let plain = label.lowercased()
    if plain == "lr" || plain == "learning_rate" {
      // other libraries have one rate for every network
      let rates = names.filter { $0.hasSuffix("LearningRate") }
      if !rates.isEmpty { return rates }
    }
    if let known = aliases[plain], names.contains(known) { return [known] }
    let meant = meantNames(by: name, among: names)
    throw SweepError(
      "\(algorithm.name) has no hyperparameter \(label.debugDescription)"
        + (meant.isEmpty ? "" : ": did you mean \(meant.joined(separator: " or "))?"))
  }

  /// Splits a text at the commas outside brackets.
  private static func parts(_ text: String) -> [String] {
    var (parts, depth) = ([""], 0)
    for character in text {
      if character == "," && depth == 0 {
        parts.append("")
        continue
      }
      if "[{".contains(character) { depth += 1 }
      if "]}".contains(character) { depth -= 1 }
      parts[parts.count - 1].append(character)
    }
    return parts
  }
}
