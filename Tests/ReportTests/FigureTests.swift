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
    #expect(file.contains("from 10 at 1000 to 0.001 at 2000") && file.contains(">sac, seed 1</text>"))
  }

  @Test func dataForTheScriptCannotEndItsElement() {
    var other = figure
    other.series[0].name = "</script>"
    #expect(!HTML.data([other]).contains("</"))
    #expect(HTML.data([other]).contains("\"low\":[9,null]"))
  }

  @Test func numbersAreWrittenShort() {
    #expect((-1482.26).short == "−1482" && (0.000123456).short == "0.0001235" && (1234567.0).short == "1,234,567")
    #expect(Double.nan.short == "–" && (0.1 + 0.2).digits(6) == "0.3" && (1.0).digits(4) == "1")
    #expect((-1_234_567).grouped == "-1,234,567" && clockText(3725) == "1:02:05")
  }
}
