// Support.swift — folders of runs, written by hand, for the tests of reports.

import Formats
import Foundation
import Training

@testable import Report

/// A folder that is removed with its owner.
final class Runs {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)")

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Writes a run whose evaluations are `returns`, every 1,000 steps.
  func run(
    _ name: String, algorithm: String = "sac", environment: String = "Pendulum-v1", seed: UInt64 = 0,
    settings: [String: JSONValue] = [:], returns: [Double] = [-900, -300, -150]
  ) throws -> RunData {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let run = RunConfiguration(
      algorithm: algorithm, environment: environment,
      configuration: .object(["discount": .number(0.99)].merging(settings) { $1 }), steps: 3000, seed: seed, threads: 1,
      evaluateEvery: 1000, evaluationEpisodes: 10, checkpointEvery: nil)
    let versions = RunDescription.Versions(program: "0.1.0", swift: "6.2", mujoco: nil, processor: "a <processor>")
    try JSONEncoder().encode(RunDescription(run: run, versions: versions))
      .write(to: url.appendingPathComponent("run.json"))
    func log(_ name: String, _ lines: [String]) throws {
      try (lines.joined(separator: "\n") + "\n").write(
        to: url.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    try log(
      "episodes.csv",
      ["step,episode,return,length,terminated,truncated,seconds"]
        + (1...15).map { "\($0 * 200),\($0),\(-1000 + 50 * $0),200,0,1,\($0)" })
    try log(
      "metrics.csv",
      ["step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds"]
        + (1...3).map { "\($0 * 1000),\($0 * 1000),\(3.5 / Double($0)),-1,-2,0.2,nan,\($0 * 5)" })
    if !returns.isEmpty {
      try log(
        "evaluations.csv",
        ["step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds"]
          + returns.enumerated().map { "\(($0 + 1) * 1000),10,\($1),12,\($1 - 20),\($1 + 20),200,\(($0 + 1) * 5)" })
    }
    return try RunData(url.path)
  }
}
