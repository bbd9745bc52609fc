// StatisticsTests.swift — the statistics against rliable's (Scripts/fixtures/rliable.py).

import Foundation
import Testing

@testable import Report

private struct Reference: Decodable {
  struct Case: Decodable {
    let x: Scores
    let y: Scores
    let thresholds: [Double]
    let points: [Double]
    let intervals: [[Double]]
    let improvement: Double
    let improvementInterval: [[Double]]
    let profile: [Double]
    let profileBounds: [[Double]]
  }

  let cases: [Case]

  static func read() throws -> [Case] {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/rliable", withExtension: "json"))
    return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url)).cases
  }
}

private func points(_ scores: Scores) -> [Double] {
  [
    Statistics.aggregateMean(scores), Statistics.aggregateMedian(scores), Statistics.aggregateInterquartileMean(scores),
    Statistics.optimalityGap(scores, target: 1),
  ]
}

@Suite struct StatisticsTests {
  @Test func pointEstimatesAreRliables() throws {
    for reference in try Reference.read() {
      for (own, theirs) in zip(points(reference.x), reference.points) { #expect(abs(own - theirs) < 1e-12) }
      let improvement = Statistics.probabilityOfImprovement(reference.x, over: reference.y)
      #expect(abs(improvement - reference.improvement) < 1e-12)
      let profile = Statistics.performanceProfile(reference.x, at: reference.thresholds)
      for (own, theirs) in zip(profile, reference.profile) { #expect(abs(own - theirs) < 1e-12) }
    }
  }

  @Test func bootstrapIntervalsAreRliablesUpToTheirRandomness() throws {
    for reference in try Reference.read() {
      var bootstrap = StratifiedBootstrap(resamples: 4000)
      let own = bootstrap.intervals([reference.x]) { points($0[0]) }
      for (index, interval) in own.enumerated() {
        let (low, high) = (reference.intervals[0][index], reference.intervals[1][index])
        #expect(abs(interval.low - low) < 0.06 * (high - low) + 1e-9)
        #expect(abs(interval.high - high) < 0.06 * (high - low) + 1e-9)
      }
      let improvement = bootstrap.interval(reference.x, reference.y) {
        Statistics.probabilityOfImprovement($0, over: $1)
      }
      // few runs: the bound is one of few values, and neighbours may be taken for each other
      let step = 1 / Double(reference.x[0].count * reference.y[0].count)
      #expect(abs(improvement.low - reference.improvementInterval[0][0]) < 0.03 + step)
      #expect(abs(improvement.high - reference.improvementInterval[1][0]) < 0.03 + step)
    }
  }

  @Test func aDeviationFromOneValueIsUnknown() {
    #expect(Statistics.standardDeviation([3]).isNaN)
    #expect(Statistics.standardDeviation([1, 3]) == 2.0.squareRoot())
  }

  @Test func theInterquartileMeanOfThreeIsTheirMean() {
    #expect(Statistics.interquartileMean([1, 2, 9]) == 4)
    #expect(Statistics.interquartileMean([0, 1, 2, 90]) == 1.5)
  }

  @Test func anIntervalFromOneRunIsUnknown() {
    var bootstrap = StratifiedBootstrap()
    #expect(bootstrap.interval([[1]], of: Statistics.aggregateMean).low.isNaN)
  }

  @Test func theSameSeedGivesTheSameInterval() {
    var (a, b) = (StratifiedBootstrap(seed: 3), StratifiedBootstrap(seed: 3))
    let scores: Scores = [[1, 2, 5, 7], [0, 4]]
    #expect(a.interval(scores, of: Statistics.aggregateMean) == b.interval(scores, of: Statistics.aggregateMean))
  }
}
