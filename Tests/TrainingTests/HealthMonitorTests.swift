import Environments
import Foundation
import OffPolicy
import Testing

@testable import Training

@Suite struct HealthMonitorTests {
  func record(_ monitor: HealthMonitor, entropy: Double = .nan, temperature: Double = .nan) -> HealthRecord {
    var record = HealthRecord(step: 0)
    (record.entropy, record.temperature) = (entropy, temperature)
    monitor.complete(&record, actionSize: 2)
    return record
  }

  @Test func `the bias is the prediction less the discounted return that followed`() {
    var monitor = HealthMonitor(discount: 0.5)
    monitor.begin()
    monitor.predict(10)
    for reward in [4.0, 2, 8] { monitor.add(reward: reward, entropyBonus: 0, isFirst: false) }
    monitor.end(tail: 0)
    // 4 + 1 + 2
    #expect(record(monitor).valueBias == 3 && record(monitor).valueScale == 7 && record(monitor).valueEpisodes == 1)
  }

  @Test(arguments: [(0.5, -0.75), (1, -2)])
  func `a soft return has the entropy of every action but the first`(discount: Double, bias: Double) {
    var monitor = HealthMonitor(discount: discount)
    monitor.begin()
    monitor.predict(0)
    for (i, bonus) in [100.0, 1, 1].enumerated() { monitor.add(reward: 0, entropyBonus: bonus, isFirst: i == 0) }
    monitor.end(tail: 0)
    #expect(record(monitor).valueBias == bias)
  }

  @Test func `where an episode is cut off the value there follows, discounted`() {
    var monitor = HealthMonitor(discount: 0.5)
    monitor.begin()
    monitor.predict(0)
    for _ in 0..<2 { monitor.add(reward: 1, entropyBonus: 0, isFirst: false) }
    monitor.end(tail: 8)
    // 1 + 0.5 + 0.25 · 8
    #expect(record(monitor).valueScale == 3.5)
  }

  @Test func `episodes without a prediction do not count, and only the last twenty do`() {
    var monitor = HealthMonitor(discount: 1)
    monitor.begin()
    monitor.add(reward: 1, entropyBonus: 0, isFirst: false)
    monitor.end(tail: 0)
    #expect(record(monitor).valueEpisodes == 0 && record(monitor).valueBias.isNaN)
    for value in 0..<25 {
      monitor.begin()
      monitor.predict(Double(value))
      monitor.end(tail: 0)
    }
    #expect(record(monitor).valueEpisodes == 20 && record(monitor).valueBias == 14.5)
  }

  @Test func `the bound is what the largest reward and entropy allow`() {
    var monitor = HealthMonitor(discount: 0.9)
    monitor.begin()
    monitor.add(reward: -3, entropyBonus: 0, isFirst: false)
    #expect(abs(record(monitor).valueBound - 30) < 1e-9)
    #expect(abs(record(monitor, entropy: -5, temperature: 0.2).valueBound - 40) < 1e-9)
    let uniform = 10 * (3 + 2 * log(2.0))
    #expect(abs(record(monitor, entropy: 0, temperature: 1).valueBound - uniform) < 1e-9)
  }

  @Test func `it goes on from its numbers in mid-episode`() {
    var monitor = HealthMonitor(discount: 0.5)
    monitor.begin()
    monitor.predict(1)
    monitor.end(tail: 0)
    monitor.begin()
    monitor.predict(2)
    monitor.add(reward: 1, entropyBonus: 0, isFirst: false)
    var other = HealthMonitor(discount: 0.5)
    other.restore(monitor.state)
    #expect(other == monitor)
    other.add(reward: 4, entropyBonus: 0, isFirst: false)
    other.end(tail: 0)
    // 1 − 0 and 2 − (1 + 0.5 · 4)
    #expect(record(other).valueBias == 0)
  }

  @Test func `a critic that was trained to the end agrees with the returns of a task of constant reward`() throws {
    // truncated after 20 steps, reward 1, γ 0.9: the value is 10 everywhere
    var records: [HealthRecord] = []
    let trainer = try makeTrainer(
      "td3", steps: 6000, set: ["discount=0.9", "targetTracking.soft.rate=0.05", "criticLearningRate=3e-3"]
    ) {
      Probe(observations: 1, observe: { _ in [0] }) { probe, _ in StepOutcome(reward: 1, truncated: probe.t == 20) }
    }
    trainer.observer.healthAssessed = { records.append($0) }
    try trainer.train()
    let last = try #require(records.last)
    #expect(records.map(\.step) == [1000, 2000, 3000, 4000, 5000, 6000])
    #expect(last.valueEpisodes == 20 && abs(last.valueBias) < 0.5 && abs(last.valueScale - 10) < 0.5)
    #expect(abs(last.valueBound - 10) < 1e-6 && abs(last.assessment.largestValue - 10) < 1)
    #expect(last.replayRatio > 15 && last.replayRatio < 16)
  }

  @Test(arguments: algorithmNames)
  func `looking at a learner changes nothing that it learns or does`(name: String) throws {
    func digest(look: Bool) throws -> String {
      let trainer = try makeTrainer(name, steps: 300, environment: pendulum)
      trainer.observer.stepped = { step in
        guard look && step % 7 == 0 else { return }
        let batch = Batch(count: 16, observationSize: 3, actionSize: 1)
        _ = trainer.algorithm.assess(batch)
        _ = trainer.algorithm.value([1, 0, Float(step)].span, [0.5].span)
      }
      try trainer.train()
      return RunInspection.digest(trainer.algorithm.parameters)
    }
    #expect(try digest(look: true) == digest(look: false))
  }

  @Test(arguments: algorithmNames)
  func `the value of one observation is the smallest of the critics`(name: String) throws {
    let trainer = try makeTrainer(name, steps: 100, environment: pendulum)
    try trainer.train()
    let values = trainer.actionValues([0.5, -0.5, 2], [0.25])
    #expect(abs(trainer.algorithm.value([0.5, -0.5, 2].span, [0.25].span) - values.min()!) < 1e-4)
  }
}
