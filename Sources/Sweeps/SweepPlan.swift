// SweepPlan.swift — the runs of a sweep: every combination of algorithm, environment, values and seed, each with its name.

import Algorithms
import Formats
import Platform

/// The runs of a sweep, as `sweep.json` keeps them.
package struct SweepPlan: Codable, Sendable, Equatable {
  package static let currentVersion = 1

  package var formatVersion = SweepPlan.currentVersion
  package var runs: [Run]

  /// One run.
  package struct Run: Codable, Sendable, Equatable {
    /// The name of its folder within the folder of the sweep.
    package var name: String
    package var algorithm: String
    package var environment: String
    package var seed: UInt64
    /// `key=value` of hyperparameters.
    package var settings: [String]
    /// Further arguments of `train`.
    package var further: [String]

    /// Everything that decides the result of the run.
    var words: [String] { [algorithm, environment, "\(seed)"] + settings + further }
  }

  package init(runs: [Run]) { self.runs = runs }

  /// A plan of every combination.
  ///
  /// - Parameters:
  ///   - axes: the settings for each algorithm, since a short name may mean different hyperparameters of each.
  ///   - common: further arguments of `train` for all runs.
  package init(
    algorithms: [AlgorithmEntry], environments: [String], axes: (AlgorithmEntry) throws -> [SettingAxis],
    seeds: [UInt64], common: [String]
  ) throws {
    for (kind, all) in [("algorithm", algorithms.map(\.name)), ("environment", environments)] {
      // the same runs again would count as others
      if let twice = all.enumerated().first(where: { all[..<$0.offset].contains($0.element) })?.element {
        throw SweepError("the \(kind) \(twice) is named twice")
      }
    }
    var plan = SweepPlan(runs: [])
    var names: Set<String> = []
    var total = 0
    for algorithm in algorithms {
      let axes = try axes(algorithm)
      try Self.check(axes)
      // before anything is made of them: six lists of a hundred values are a terabyte
      let combinations = axes.reduce(1) { $0.clampedProduct($1.values.count) }
      total = total.clampedSum(combinations.clampedProduct(environments.count).clampedProduct(seeds.count))
      guard total <= SeedList.maximum else {
        throw SweepError("the sweep has \(total) runs or more: more than \(SeedList.maximum) are a typing error")
      }
      for environment in environments {
        for values in Self.combinations(axes) {
          for seed in seeds {
            var words = [algorithm.name, Self.plain(environment)]
            for (axis, value) in zip(axes, values) where axis.values.count > 1 {
              words.append(Self.plain("\(axis.label)=\(value)"))
            }
            plan.add(
              Run(
                name: words.joined(separator: "-"), algorithm: algorithm.name, environment: environment, seed: seed,
                settings: zip(axes, values).flatMap { $0.assignments($1) }, further: common), &names)
          }
        }
      }
    }
    self = plan
  }

  /// This plan with the runs of another one that are new.
  ///
  /// - Throws: `SweepError` when the plans have different runs of the same name.
  package func adding(_ other: SweepPlan) throws(SweepError) -> SweepPlan {
    var plan = self
    let known = Dictionary(runs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for run in other.runs {
      guard let own = known[run.name] else {
        plan.runs.append(run)
        continue
      }
      guard own == run else {
        let differing = Self.difference(own.words, run.words)
        throw SweepError(
          "\(run.name) was begun with other arguments (\(differing)): give the sweep another folder")
      }
    }
    return plan
  }

  /// - Parameter names: of the runs so far.
  private mutating func add(_ run: Run, _ names: inout Set<String>) {
    // a folder's name has at most 255 bytes, and its logs have the same name
    var run = run
    let stem = run.name
    run.name = String(stem.prefix(180)) + "-seed\(run.seed)"
    var number = 2
    while !names.insert(run.name).inserted {
      run.name = String(stem.prefix(170)) + "-\(number)-seed\(run.seed)"
      number += 1
    }
    runs.append(run)
  }

  private static func check(_ axes: [SettingAxis]) throws(SweepError) {
    var seen: Set<String> = []
    for axis in axes {
      for key in axis.keys where !seen.insert(key).inserted {
        throw SweepError("\(key) is set twice, by \(axis.label) too: give its values once, with commas between them")
      }
    }
  }

  private static func combinations(_ axes: [SettingAxis]) -> [[String]] {
    axes.reduce([[]]) { rows, axis in rows.flatMap { row in axis.values.map { row + [$0] } } }
  }

  /// The first difference of two argument lists, as text.
  private static func difference(_ first: [String], _ second: [String]) -> String {
    guard let place = zip(first, second).enumerated().first(where: { $1.0 != $1.1 })?.offset else {
      return "other options"
    }
    return "\(first[max(0, place - 1)...place].joined(separator: " ")), now "
      + second[max(0, place - 1)...place].joined(separator: " ")
  }

  /// The text with only characters that suit the name of a folder.
  private static func plain(_ text: String) -> String {
    // python:/home/me/task.py:make: the last part says it
    let last = text.hasPrefix("python:") ? text.split(separator: "/").last.map(String.init) ?? text : text
    return String(last.map { $0.isASCII && ($0.isLetter || $0.isNumber) || "-_.=".contains($0) ? $0 : "_" })
  }
}
