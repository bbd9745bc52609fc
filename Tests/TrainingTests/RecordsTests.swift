import OffPolicy
import Testing

@Suite struct RecordsTests {
  /// The metrics of a run, one row per thousand steps.
  func metrics(_ algorithm: String, set: [String] = []) throws -> [MetricsRecord] {
    let trainer = try makeTrainer(algorithm, steps: 2500, set: ["hiddenSizes=8"] + set, environment: pendulum)
    var records: [MetricsRecord] = []
    trainer.observer.metricsReady = { records.append($0) }
    try trainer.train()
    return records
  }

  @Test(arguments: algorithmNames)
  func `a row of metrics covers a thousand steps`(algorithm: String) throws {
    let records = try metrics(algorithm)
    #expect(records.map(\.step) == [1000, 2000] && records.map(\.updates) == [950, 1950])
    for record in records {
      #expect(record.criticLoss > 0 && record.targetMean < 0 && record.policyLoss.isFinite)
      #expect(record.temperature.isNaN == (algorithm != "sac") && record.entropy.isNaN == (algorithm != "sac"))
    }
  }

  @Test func `updates without a policy step do not count in the policy's loss`() throws {
    let records = try metrics("td3", set: ["policyDelay=3"])
    #expect(records.allSatisfy { $0.policyLoss.isFinite })
    let none = try metrics("td3", set: ["policyDelay=100000"])
    #expect(none.allSatisfy { $0.policyLoss.isNaN && $0.criticLoss.isFinite })
  }
}
