// SweepFile.swift — reads the YAML file of a sweep.

import Algorithms
import Formats
import Presets

/// The settings of a sweep in a file; nil where the file leaves one out.
///
///     algorithms: [sac, td3]
///     environments: [Hopper-v5, Walker2d-v5]
///     seeds: 0..4
///     steps: 100000
///     set:
///       discount: [0.98, 0.99]
///       hiddenSizes: [[64, 64], [256, 256]]
package struct SweepFile: Sendable {
  package var algorithms: [String]
  package var environments: [String]
  package var seeds: [UInt64]?
  /// The values of `set` by key: one value, or a list of values to try.
  package var settings: [String: JSONValue]
  /// Options of the environment, `key=value`.
  package var options: [String] = []
  package var preset: String?
  package var steps: Int?
  package var lanes: Int?
  package var evaluateEvery: Int?
  package var evaluationEpisodes: Int?
  package var checkpointEvery: Int?
  package var jobs: Int?

  private static let keys = [
    "algorithm", "algorithms", "environment", "environments", "seeds", "set", "options", "preset", "steps", "lanes",
    "evaluateEvery", "evaluationEpisodes", "checkpointEvery", "jobs",
  ]

  package init(_ path: String) throws { try self.init(try YAMLText.file(path), name: path) }

  package init(_ value: JSONValue, name: String) throws {
    guard case .object(let members) = value else {
      throw SweepError("\(name) must be a mapping, with algorithms, environments and more")
    }
    if let unknown = members.keys.sorted().first(where: { !Self.keys.contains($0) }) {
      let meant =
        nearestName(to: unknown, among: Self.keys).map { "did you mean \($0)?" }
        ?? "there are \(Self.keys.joined(separator: ", ")), and hyperparameters go under set"
      throw SweepError("\(name): there is no key \(unknown.debugDescription): \(meant)")
    }
    func texts(_ one: String, _ many: String) throws(SweepError) -> [String] {
      guard let value = members[many] ?? members[one] else { return [] }
      let texts = value.elements.compactMap(\.asText)
      guard texts.count == value.elements.count, !texts.isEmpty else {
        throw SweepError("\(name): \(members[many] == nil ? one : many) must be one name or a list of names")
      }
      return texts
    }
    func count(_ key: String, _ range: ClosedRange<Int>) throws(SweepError) -> Int? {
      guard let value = members[key] else { return nil }
      guard let whole = value.whole(range) else {
        throw SweepError(
          "\(name): \(key) cannot be \(value.settingText): it must be a whole number in [\(range.lowerBound), "
            + "\(range.upperBound)]")
      }
      return whole
    }
    algorithms = try texts("algorithm", "algorithms")
    environments = try texts("environment", "environments")
    seeds = try members["seeds"].map { try SeedList.read($0.elements.map(\.settingText).joined(separator: ",")) }
    guard case .object(let set) = members["set"] ?? .object([:]) else {
      throw SweepError("\(name): set must be a mapping of hyperparameters to values")
    }
    settings = set
    guard case .object(let options) = members["options"] ?? .object([:]) else {
      throw SweepError("\(name): options must be a mapping of options of the environment to values")
    }
    self.options = options.sorted { $0.key < $1.key }.map { "\($0)=\($1.settingText)" }
    if let value = members["preset"] {
      guard let text = value.asText else { throw SweepError("\(name): preset must be text") }
      preset = text
    }
    let many = 1_000_000_000_000_000
    steps = try count("steps", 1...many)
    lanes = try count("lanes", 1...4096)
    evaluateEvery = try count("evaluateEvery", 0...many)
    evaluationEpisodes = try count("evaluationEpisodes", 1...1_000_000_000)
    checkpointEvery = try count("checkpointEvery", 1...many)
    jobs = try count("jobs", 1...256)
  }
}
