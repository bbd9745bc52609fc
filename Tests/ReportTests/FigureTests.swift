// FigureTests.swift — pictures, CSV and numbers of a figure.

import Testing

@testable import Report

@Suite struct FigureTests {
  private var figure: Figure {
    Figure(
      id: "f", title: "A & B", explanation: "", xLabel: "steps", yLabel: "loss",
      series: [
        Series(
          name: "sac, seed 1", group: 0, kind: .bold, points: [Point(x: 1000, y: 10), Point(x: 2000, y: 0.001)],
          band: [Interval95(low: 9, high: 11), .unknown])
      ], isLogarithmic: true)
  }

  @Test func theCSVQuotesNamesAndLeavesUnknownBoundsEmpty() {
    #expect(
      figure.csv
        == "series,kind,x,y,low,high\n\"sac, seed 1\",bold,1000,10,9,11\n\"sac, seed 1\",bold,2000,0.001,,\n")
  }

  @Test func aLogarithmicAxisHasPowersOfTen() {
    let axis = Axis([0.001, 10], from: 300, to: 0, isLogarithmic: true)
    #expect(axis.ticks == [0.001, 0.01, 0.1, 1, 10])
    #expect(abs(axis.place(0.1) - 150) < 1e-9)
  }

  @Test func aPlainAxisHasRoundTicksWithinItsValues() {
    #expect(Axis([0, 10], from: 0, to: 100).ticks == [0, 2, 4, 6, 8, 10])
    #expect(Axis([5, 5], from: 0, to: 100).place(5) == 50)
  }

  @Test func aPictureFileHasTitleWordsAndLegend() {
    let file = StaticChart(figure).file
    #expect(file.hasPrefix("<svg xmlns=") && file.contains("<title>A &amp; B</title>"))
    #expect(file.contains("from 10 at 1,000 to 0.001 at 2,000") && file.contains(">sac, seed 1</text>"))
  }

  @Test func dataForTheScriptCannotEndItsElement() {
    var other = figure
    other.series[0].name = "</script>"
    #expect(!HTML.data([other]).contains("</"))
    #expect(HTML.data([other]).contains("\"low\":[9,null]"))
  }

  @Test func numbersAreWrittenShort() {
    #expect((-1482.26).short == "−1,482" && (0.000123456).short == "0.0001235" && (1234567.0).short == "1,234,567")
    #expect(Double.nan.short == "–" && (0.1 + 0.2).digits(6) == "0.3" && (1.0).digits(4) == "1")
    #expect((-1_234_567).grouped == "-1,234,567" && clockText(3725) == "1:02:05")
  }

  @Test func `labels of an axis tell neighbours apart, however late their digits differ`() {
    #expect(Axis([200, 200], from: 300, to: 0).ticks.map(\.tick) == ["199.5", "199.75", "200", "200.25", "200.5"])
    let values = [-1500, 12000.5, 1_000_000, 0.3 - 0.1, 1e-6, 0]
    #expect(values.map(\.tick) == ["−1,500", "12,000.5", "1,000,000", "0.2", "1e-06", "0"])
  }

  @Test func `the label of the last tick stays within the picture`() throws {
    var figure = figure
    figure.series[0].points = [Point(x: 200_000, y: 1), Point(x: 1_000_000, y: 2)]
    let file = StaticChart(figure).file
    let label = try #require(file.firstMatch(of: #/x="([0-9.]+)" y="[0-9.]+">1,000,000</#))
    // nine characters, each at most 7.6 units wide, around their middle
    #expect(try #require(Double(label.1)) + 4.5 * 7.6 <= StaticChart.width)
  }

  @Test func `a deviation has as many decimals as its mean, but one at least`() {
    #expect((138.9).text(deviation: 4.826) == "138.9 ± 4.8" && (-436.62).text(deviation: 125.71) == "−436.6 ± 125.7")
    #expect((500.0).text(deviation: 0.31) == "500 ± 0.3" && (0.5).text(deviation: .nan) == "0.5")
    #expect((-5012.3).text(deviation: 1204.6) == "−5,012 ± 1,205")
  }
}
