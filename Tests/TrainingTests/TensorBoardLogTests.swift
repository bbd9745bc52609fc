// TensorBoardLogTests.swift — the event file beside the logs: what it tells, and that no step is in it twice.

import Foundation
import OffPolicy
import Testing

@testable import Training

@Suite struct TensorBoardLogTests {
  let folder: TemporaryFolder
  let directory: RunDirectory

  init() throws {
    folder = try TemporaryFolder()
    let run = RunConfiguration(
      algorithm: "dqn", environment: "CartPole-v1", configuration: try AlgorithmRegistry.entry("dqn").defaults.values,
      steps: 5000, seed: 1, threads: 1, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: nil)
    let versions = RunDescription.Versions(program: "0", swift: "6.2", mujoco: nil, processor: "")
    directory = try RunDirectory.create(folder.path("run"), RunDescription(run: run, versions: versions))
  }

  private func open(from step: Int, isWanted: Bool = true) throws -> TensorBoardLog? {
    try TensorBoardLog.open(directory, from: step, isWanted: isWanted, metrics: Metric.common)
  }

  private func episode(_ number: Int) -> RunRecord {
    .episode(
      EpisodeRecord(
        step: 10 * number, episode: number, episodeReturn: Double(number), length: 10, terminated: true,
        truncated: false))
  }

  private func file() throws -> [UInt8] {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasPrefix("events.") }
    #expect(names.count == 1)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/\(names[0])")))
  }

  private func occurrences(of text: String) throws -> Int {
    String(decoding: try file(), as: UTF8.self).components(separatedBy: text).count - 1
  }

  @Test func `means over episodes are told at every fourth`() throws {
    let log = try #require(try open(from: 0))
    for number in 1...3 { log.receive(episode(number)) }
    #expect(try occurrences(of: "rollout/ep_rew_mean") == 1, "the tag is among the hyperparameters' metrics")
    for number in 4...8 { log.receive(episode(number)) }
    #expect(try occurrences(of: "rollout/ep_rew_mean") == 3)
    #expect(log.failure == nil)
  }

  @Test func `a run that goes on cuts off the steps that it takes again`() throws {
    let log = try #require(try open(from: 0))
    for number in 1...8 { log.receive(episode(number)) }
    let whole = try file().count
    let again = try #require(try open(from: 60))
    #expect(try file().count < whole)
    #expect(try occurrences(of: "rollout/ep_rew_mean") == 2)
    for number in 5...8 { again.receive(episode(number)) }
    #expect(try file().count == whole)
  }

  @Test func `bytes that a kill left are cut off`() throws {
    let log = try #require(try open(from: 0))
    for number in 1...4 { log.receive(episode(number)) }
    let whole = try file()
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: directory.path).first { $0.hasPrefix("events.") })
    try Data(whole + whole.suffix(40)).write(to: URL(fileURLWithPath: "\(directory.path)/\(name)"))
    _ = try open(from: 100)
    #expect(try file() == whole)
  }

  @Test func `numbers that are not known are left out`() throws {
    let log = try #require(try open(from: 0))
    log.receive(
      .metrics(
        MetricsRecord(
          step: 1000, updates: 1000, criticLoss: 1, policyLoss: .nan, targetMean: 2, temperature: .nan, entropy: .nan,
          further: [])))
    #expect(try occurrences(of: "train/critic_loss") == 1 && occurrences(of: "train/ent_coef") == 0)
  }

  @Test func `a link is not written through, and what is no file is refused`() throws {
    let log = try #require(try open(from: 0))
    log.receive(episode(4))
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: directory.path).first { $0.hasPrefix("events.") })
    let (path, other) = ("\(directory.path)/\(name)", folder.path("other"))
    try FileManager.default.removeItem(atPath: path)
    try Data("precious".utf8).write(to: URL(fileURLWithPath: other))
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: other)
    #expect(throws: DiskError.self) { try open(from: 0) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: other)) == Data("precious".utf8))
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    #expect(throws: DiskError.self) { try open(from: 0) }
  }

  @Test
  func `a file that is removed while the run trains is written again, and one that others change is left to them`()
    throws
  {
    let log = try #require(try open(from: 0))
    for number in 1...4 { log.receive(episode(number)) }
    let before = try file()
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: directory.path).first { $0.hasPrefix("events.") })
    let url = URL(fileURLWithPath: "\(directory.path)/\(name)")
    try FileManager.default.removeItem(at: url)
    for number in 5...8 { log.receive(episode(number)) }
    let after = try file()
    #expect(after.starts(with: before) && after.count > before.count && log.failure == nil)
    try Data("mine now".utf8).write(to: url)
    for number in 9...12 { log.receive(episode(number)) }
    #expect(try file() == Array("mine now".utf8))
    #expect(log.failure.map { "\($0)" }?.contains("was changed by another program") == true)
  }

  @Test func `where none is wanted none is made, and one that is there is gone on with`() throws {
    #expect(try open(from: 0, isWanted: false) == nil)
    _ = try open(from: 0)
    #expect(try open(from: 0, isWanted: false) != nil)
  }
}
