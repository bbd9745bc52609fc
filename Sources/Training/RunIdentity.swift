// RunIdentity.swift — the settings by which a checkpoint knows its run.

import Environments
import Formats

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Everything of a run's configuration that decides what is learned from one step to the next: a checkpoint of other settings
/// is another run's. Steps, threads, evaluations and the place of data may change in between; the number of environments is
/// that of the checkpoint's lanes.
package struct RunIdentity: Codable, Sendable, Equatable {
  package var algorithm: String
  package var environment: String
  package var environmentOptions: EnvironmentOptions
  package var configuration: JSONValue
  package var seed: UInt64
  /// A hash of the data that the run learns from.
  package var dataset: String?
  /// Whether environments step beside the updates; nil: no.
  package var overlap: Bool?

  package init(_ run: RunConfiguration) {
    (algorithm, environment, configuration, seed) = (run.algorithm, run.environment, run.configuration, run.seed)
    (environmentOptions, dataset, overlap) = (run.environmentOptions ?? [:], run.dataset?.digest, run.overlap)
  }

  /// The settings as JSON with sorted keys.
  package func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  /// What is other in another run, in words: "its seed was 1 and is 2".
  ///
  /// - Parameter changed: hyperparameters that were changed in mid-run.
  func differences(from now: RunIdentity, ignoring changed: Set<String> = []) -> [String] {
    var found: [String] = []
    func compare(_ name: String, _ was: String, _ now: String) {
      if was != now { found.append("its \(name) was \(was) and is \(now)") }
    }
    compare("algorithm", algorithm, now.algorithm)
    compare("environment", environment, now.environment)
    compare("options", "\(environmentOptions)", "\(now.environmentOptions)")
    compare("seed", "\(seed)", "\(now.seed)")
    compare("data", dataset ?? "none", now.dataset ?? "none")
    compare("overlap", "\(overlap ?? false)", "\(now.overlap ?? false)")
    guard case .object(let before) = configuration, case .object(let after) = now.configuration else { return found }
    for name in Set(before.keys).union(after.keys).subtracting(changed).sorted() {
      compare(name, before[name]?.text() ?? "not set", after[name]?.text() ?? "not set")
    }
    return found
  }
}
