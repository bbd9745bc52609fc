// CurvesTests.swift — lines of several runs are brought together without inventing points.

import Testing

@testable import Report

@Suite struct CurvesTests {
  private func line(_ pairs: [(Double, Double)]) -> [Point] { pairs.map { Point(x: $0.0, y: $0.1) } }

  @Test func onlyStepsThatEveryRunHasAreAveraged() {
    let aligned = Curves.atCommonPlaces([line([(1, 1), (2, 2), (3, 3)]), line([(2, 5), (3, 6), (4, 7)])])
    #expect(aligned.map { $0.map(\.x) } == [[2, 3], [2, 3]])
  }

  @Test func timesAreInterpolatedWithinWhatAllRunsCover() throws {
    let aligned = Curves.onOneGrid([line([(0, 0), (10, 10)]), line([(2, 4), (12, 24)])])
    #expect(aligned[0].first == Point(x: 2, y: 2) && aligned[0].last == Point(x: 10, y: 10))
    #expect(aligned[1].first == Point(x: 2, y: 4) && aligned[1].last == Point(x: 10, y: 20))
  }

  @Test func binsHaveTheMeansOfTheirEpisodes() {
    let bins = Curves.binned(line([(10, 1), (20, 3), (100, 7)]), last: 100, count: 2)
    #expect(bins == line([(50, 2), (100, 7)]))
  }

  @Test func thinnedLinesKeepTheirMean() {
    let points = (0..<1000).map { Point(x: Double($0), y: Double($0 % 7)) }
    let thinned = points.thinned(to: 100)
    #expect(thinned.count == 100)
    #expect(abs(Statistics.mean(thinned.map(\.y)) - Statistics.mean(points.map(\.y))) < 1e-9)
  }

  @Test func aGroupHasOneBoldLineAndAThinOneForEachSeed() throws {
    let runs = Runs()
    let groups = RunGroups.of([
      try runs.run("a", seed: 1), try runs.run("b", seed: 2, returns: [-800, -200, -100]),
      try runs.run("c", algorithm: "td3"),
    ])
    let lines = Curves(groups: groups, limit: 100).lines(Curve(log: .evaluations, column: "return_mean"), hasBand: true)
    #expect(lines.map(\.kind) == [.thin, .thin, .bold, .bold])
    #expect(lines[2].points.map(\.y) == [-850, -250, -125])
    #expect(lines[2].band[2] == Interval95(low: -150, high: -100))
  }
}
