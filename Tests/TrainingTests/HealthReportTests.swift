import Foundation
import OffPolicy
import Testing

@testable import Training

@Suite struct HealthReportTests {
  /// A record with nothing out of hand.
  var healthy: HealthRecord {
    var record = HealthRecord(step: 50_000)
    (record.updates, record.valueEpisodes, record.replayRatio) = (40_000, 20, 200)
    (record.valueBias, record.valueScale, record.valueBound) = (-3, 100, 500)
    (record.entropy, record.temperature) = (-3, 0.1)
    (record.assessment.largestValue, record.assessment.saturatedActions) = (120, 0.4)
    (record.assessment.deadPolicyUnits, record.assessment.deadCriticUnits) = (0.1, 0.1)
    (record.assessment.policyGradientNorm, record.assessment.criticGradientNorm) = (1, 10)
    (record.assessment.policyNorm, record.assessment.criticNorm) = (20, 40)
    return record
  }

  func names(_ change: (inout HealthRecord) -> Void) -> [String] {
    var record = healthy
    change(&record)
    return record.findings.map(\.name)
  }

  @Test func `a healthy learner has no finding, and one of which nothing is known neither`() {
    #expect(healthy.findings.isEmpty && HealthRecord(step: 0).findings.isEmpty)
  }

  @Test func `each number out of hand is found alone`() {
    #expect(names { $0.assessment.largestValue = 551 } == ["value above its bound"])
    #expect(names { $0.valueBias = 51 } == ["overestimated values"])
    #expect(names { $0.valueBias = -81 } == ["underestimated values"])
    #expect(names { $0.valueBias = -79 }.isEmpty)
    #expect(names { $0.temperature = 1e-5 } == ["temperature"])
    #expect(names { $0.temperature = 11 } == ["temperature"])
    #expect(names { $0.assessment.saturatedActions = 0.96 } == ["saturated actions"])
    #expect(names { $0.assessment.deadPolicyUnits = 0.6 } == ["dead units"])
    #expect(names { $0.assessment.deadCriticUnits = 0.6 } == ["dead units"])
    #expect(names { $0.assessment.policyGradientNorm = 1e6 } == ["gradient norm"])
    #expect(names { $0.assessment.criticGradientNorm = 1e6 } == ["gradient norm"])
    #expect(names { $0.assessment.policyNorm = 2e3 } == ["parameter norm"])
    #expect(names { $0.assessment.criticNorm = 2e3 } == ["parameter norm"])
    #expect(names { $0.assessment.statisticsLag = 0.6 } == ["stale batch statistics"])
    #expect(names { ($0.assessment.statisticsLag, $0.updates) = (0.6, 19_999) }.isEmpty)
    #expect(names { $0.assessment.statisticsLag = 0.4 }.isEmpty)
    #expect(names { $0.assessment.saturatedBins = 0.31 } == ["saturated bins"])
    #expect(names { ($0.assessment.saturatedBins, $0.updates) = (0.31, 19_999) }.isEmpty)
    #expect(names { $0.assessment.saturatedBins = 0.29 }.isEmpty)
    #expect(names { $0.assessment.criticDisagreement = 0.0009 } == ["collapsed ensemble"])
    #expect(names { ($0.assessment.criticDisagreement, $0.updates) = (0, 19_999) }.isEmpty)
    #expect(names { $0.assessment.criticDisagreement = 0.0011 }.isEmpty)
    #expect(names { $0.replayRatio = 0.1 } == ["replay coverage"])
  }

  @Test func `values are not judged before they can have settled, nor by a few episodes`() {
    #expect(names { ($0.valueBias, $0.updates) = (90, 19_999) }.isEmpty)
    #expect(names { ($0.valueBias, $0.valueEpisodes) = (90, 9) }.isEmpty)
  }

  @Test func `a row of the log gives the record back`() throws {
    let row = ["50000"] + healthy.columns.map { "\($0.value)" } + ["12.5"]
    var (read, expected) = (try #require(HealthRecord(row: row)), healthy)
    // the log has no column of it: NaN, which equals nothing
    #expect(read.assessment.crossedQuantiles.isNaN && read.assessment.statisticsLag.isNaN)
    (read.assessment.crossedQuantiles, expected.assessment.crossedQuantiles) = (0, 0)
    (read.assessment.statisticsLag, expected.assessment.statisticsLag) = (0, 0)
    (read.assessment.saturatedBins, expected.assessment.saturatedBins) = (0, 0)
    (read.assessment.criticDisagreement, expected.assessment.criticDisagreement) = (0, 0)
    #expect(read == expected)
    #expect(HealthRecord.columnNames.split(separator: ",").count == row.count)
    #expect(HealthRecord(row: ["50000", "1"]) == nil && HealthRecord(row: []) == nil)
  }

  @Test func `a damaged row with numbers beyond any count is read, and its findings told`() throws {
    let row = ["50000"] + healthy.columns.map { _ in "1e300" }
    let record = try #require(HealthRecord(row: row))
    #expect(record.updates == 0 && record.valueEpisodes == 0)
    #expect(record.findings.contains { $0.name == "dead units" })
  }

  @Test func `every finding has its heading in the guide`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    let guide = try String(contentsOf: root.appendingPathComponent("Guides/Troubleshooting.md"), encoding: .utf8)
    var record = healthy
    (record.valueBias, record.temperature, record.replayRatio) = (99, 99, 0)
    record.assessment.largestValue = 1e4
    record.assessment.saturatedActions = 1
    record.assessment.deadPolicyUnits = 1
    record.assessment.policyNorm = 1e9
    record.assessment.policyGradientNorm = 1e9
    #expect(record.findings.count == 8)
    let further = names {
      $0.valueBias = -99
      ($0.assessment.statisticsLag, $0.assessment.saturatedBins, $0.assessment.criticDisagreement) = (2, 0.9, 0)
      $0.assessment.crossedQuantiles = 0.5
    }
    #expect(further.count == 5)
    for name in record.findings.map(\.name) + further {
      #expect(guide.contains("\n## \(name.prefix(1).uppercased() + name.dropFirst())\n"), "\(name)")
    }
  }

  @Test func `advice names hyperparameters that the algorithm has`() throws {
    for algorithm in AlgorithmRegistry.standard.entries where algorithm.source != .policy {
      let names = Set(algorithm.hyperparameters.map(\.name))
      var record = healthy
      record.settings = names
      (record.temperature, record.replayRatio, record.assessment.saturatedActions) = (1e-5, 0.1, 1)
      for finding in record.findings {
        for name in ["targetEntropy", "targetEntropyScale", "policyLearningRate", "criticLearningRate", "batchSize"] {
          let words = Set(finding.text.split { !$0.isLetter }.map(String.init))
          #expect(!words.contains(name) || names.contains(name), "\(algorithm.name): \(finding.text)")
        }
      }
    }
  }

  @Test func `rewards that are too small to learn from are told, and not as a critic that diverges`() {
    #expect(names { ($0.valueBound, $0.assessment.largestValue) = (1e-4, 0.3) } == ["small rewards"])
    var record = healthy
    (record.valueBound, record.settings) = (1e-4, ["cloningWeight"])
    #expect(record.findings.first?.text.hasSuffix("scale the rewards up") == true)
    #expect(record.findings.first?.text.contains("scaleRewards") == false)
  }
}
