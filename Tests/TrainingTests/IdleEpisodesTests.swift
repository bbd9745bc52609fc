import Foundation
import OffPolicy
import Testing

@testable import Training

@Suite struct IdleEpisodesTests {
  func episode(_ episodeReturn: Double, length: Int = 500, terminated: Bool = false) -> EpisodeRecord {
    EpisodeRecord(
      step: 0, episode: 0, episodeReturn: episodeReturn, length: length, terminated: terminated, truncated: !terminated)
  }

  func idle(_ episodes: [EpisodeRecord]) -> IdleEpisodes {
    var idle = IdleEpisodes()
    for episode in episodes { idle.add(episode) }
    return idle
  }

  @Test func `episodes that ran out of time with one reward at every step are counted`() {
    let alike = idle([episode(-500), episode(-500), episode(-200, length: 200)])
    #expect(alike.count == 3 && alike.reward == -1)
    #expect(idle([episode(0), episode(0)]).count == 2)
    #expect(idle([]).count == 0)
  }

  @Test func `an end by the task, another return, a positive one or none begins anew`() {
    #expect(idle([episode(-500), episode(-87, terminated: true)]).count == 0)
    #expect(idle([episode(-500), episode(-87, length: 87, terminated: true), episode(-500)]).count == 1)
    #expect(idle([episode(-500), episode(-499), episode(-499)]).count == 2)
    #expect(idle([episode(500), episode(500)]).count == 0)
    #expect(idle([episode(-500), episode(.nan)]).count == 0)
  }

  @Test func `the log's rows tell the same, and damaged ones nothing`() {
    let row = ["500", "1", "-500.0", "500", "0", "1", "0.5"]
    #expect(IdleEpisodes(rows: Array(repeating: row, count: 4)) == idle(Array(repeating: episode(-500), count: 4)))
    #expect(IdleEpisodes(rows: [row, ["500", "2", "-87.0", "87", "1", "0", "0.5"]]).count == 0)
    #expect(IdleEpisodes(rows: [["500"], ["a", "b", "c", "d", "e", "f"], []]).count == 0)
  }

  @Test func `a policy that has learned to rest is idle, one that pays a little at every start is not`() {
    // MountainCarContinuous: random actions cost 33 in 999 steps, rest next to nothing
    let random = episode(-33, length: 999)
    let rest = (1...10).map { episode(-1e-4 * Double($0), length: 999) }
    #expect(idle([random] + rest).count == 10)
    let good = (1...10).map { episode(-1 - 0.1 * Double($0), length: 999) }
    #expect(idle([random] + good).count == 1)
  }

  @Test func `ten of them are a finding, nine are not`() {
    var record = HealthRecord(step: 5_000)
    record.idle = idle(Array(repeating: episode(-500), count: 9))
    #expect(record.findings.isEmpty)
    record.idle = idle(Array(repeating: episode(-500), count: 10))
    #expect(record.findings.map(\.name) == ["no signal"])
    #expect(record.findings[0].text.contains("-1.0 at every step") && record.findings[0].text.contains("randomSteps"))
  }

  /// A task of ten steps without a goal.
  func aimless() throws -> TimeLimit {
    TimeLimit(
      Probe(
        observations: 1, observe: { [Float($0.t) / 10] },
        advance: { _, _ in StepOutcome(reward: -1, terminated: false) }),
      maximumEpisodeSteps: 10)
  }

  @Test func `a run on a task without a goal says so while it trains and when it is inspected`() throws {
    let folder = try TemporaryFolder()
    let trainer = try makeTrainer(
      "td3", steps: 1000, set: ["hiddenSizes=[8]", "batchSize=8", "randomSteps=50"], environment: { try aimless() })
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    var told: [String] = []
    trainer.observer.episodeEnded = { directory.log(.episode($0)) }
    trainer.observer.healthAssessed = {
      directory.log(.health($0))
      told += $0.findings.map(\.name)
    }
    try trainer.train()
    try directory.save(trainer)
    #expect(told.contains("no signal"))
    #expect(try RunInspection(directory).health.findings.contains { $0.contains("at every step") })
  }
}
