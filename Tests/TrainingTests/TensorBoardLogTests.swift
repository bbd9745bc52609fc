// TensorBoardLogTests.swift — the event file beside the logs: names, cutting back, means over the last episodes.

import Foundation
import Testing

@testable import Training

@Suite struct TensorBoardLogTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID().uuidString)")

  private func make(_ name: String = "events.out.tfevents.0000000001.offpolicy") throws -> TensorBoardLog {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let run = RunConfiguration(
      algorithm: "dqn", environment: "CartPole-v1", configuration: .object(["discount": .number(0.99)]), steps: 100,
      seed: 1, threads: 1, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: nil)
    let versions = RunDescription.Versions(program: "0", swift: "6.2", mujoco: nil, processor: "")
    return TensorBoardLog(
      folder, name: name, RunDescription(run: run, versions: versions), further: ["own"], seconds: { 2 }, now: { 7 })
  }

  private func episode(_ number: Int) -> RunRecord {
    .episode(
      EpisodeRecord(
        step: 10 * number, episode: number, episodeReturn: Double(number), length: 10, terminated: true,
        truncated: false))
  }

  private func bytes() throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent("events.out.tfevents.0000000001.offpolicy"))
  }

  @Test func everyFourthEpisodeIsTold() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try make()
    try log.log.open()
    let start = try bytes().count
    for number in 1...3 { log.receive(episode(number)) }
    #expect(try bytes().count == start)
    log.receive(episode(4))
    let added = try bytes().dropFirst(start)
    #expect(String(decoding: added, as: UTF8.self).contains("rollout/ep_rew_mean"))
  }

  @Test func whatIsWrittenAgainAfterCuttingBackIsTheSame() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try make()
    for number in 1...8 { log.receive(episode(number)) }
    let whole = try bytes()
    let first = try make()
    try first.log.open()
    let rows = (1...4).map { "\(10 * $0),\($0),\(Double($0)),10,1,0,0" }
    try (["step,episode,return,length,terminated,truncated,seconds"] + rows).joined(separator: "\n")
      .write(to: folder.appendingPathComponent("episodes.csv"), atomically: true, encoding: .utf8)
    // the file with the first four episodes, as a checkpoint remembers it
    let (start, last) = (try make("other"), try make("other2"))
    try start.log.open()
    for number in 1...4 { last.receive(episode(number)) }
    try first.log.truncate(to: try last.log.flush())
    for number in 5...8 { first.receive(episode(number)) }
    #expect(try bytes() == whole)
  }

  @Test func numbersThatAreUnknownAreLeftOut() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try make()
    log.receive(
      .metrics(
        MetricsRecord(
          step: 1000, updates: 1000, criticLoss: 1, policyLoss: .nan, targetMean: 2, temperature: .nan, entropy: .nan,
          further: [3])))
    let text = String(decoding: try bytes(), as: UTF8.self)
    #expect(text.contains("train/critic_loss") && text.contains("train/own") && !text.contains("train/ent_coef"))
  }

  @Test func aFolderKnowsItsEventFile() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try make()
    #expect(TensorBoardLog.name(in: folder) == nil)
    try log.log.open()
    #expect(TensorBoardLog.name(in: folder) == "events.out.tfevents.0000000001.offpolicy")
    #expect(TensorBoardLog.newName(at: 12) == "events.out.tfevents.0000000012.offpolicy")
  }
}
