// ReportPageTests.swift — the page: what it says, that it needs nothing else, and what it refuses.

import Foundation
import Testing

@testable import Report

@Suite struct ReportPageTests {
  private let runs = Runs()

  @Test func thePageNeedsNothingFromOutside() throws {
    let html = try ReportPage([runs.run("a", seed: 1), runs.run("b", seed: 2)]).html
    // namespaces are names, not addresses that anything is loaded from
    let rest = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    for outside in ["http:", "https:", "src=", "@import", "url(", "fetch("] { #expect(!rest.contains(outside)) }
    #expect(html.contains("default-src 'none'"))
  }

  @Test func tenRunsStayBelowTwoMegabytes() throws {
    let html = try ReportPage((0..<10).map { try runs.run("r\($0)", seed: UInt64($0)) }).html
    #expect(html.utf8.count < 2_000_000)
  }

  @Test func everyFigureHasItsPictureAndItsNumbersWithoutAScript() throws {
    let page = try ReportPage([runs.run("a")])
    let html = page.html
    let figures = page.sections.flatMap(\.figures)
    #expect(figures.map(\.id).contains("evaluations-by-steps"))
    for figure in figures {
      #expect(html.contains("<figure id=\"\(figure.id)\""))
      #expect(html.contains("Table: \(figure.title.escaped)"))
    }
    #expect(html.contains("−150"))
  }

  @Test func whatIsNotThereHasNoFigure() throws {
    let ids = try ReportPage([runs.run("a")]).sections.flatMap(\.figures).map(\.id)
    #expect(ids.contains("temperature") && !ids.contains("entropy"))
  }

  @Test func theVerdictSaysTheReturnAndWhetherTheTaskIsSolved() throws {
    let html = try ReportPage([runs.run("a", seed: 1), runs.run("b", seed: 2)], threshold: -200).html
    #expect(html.contains("sac on Pendulum-v1, 2 seeds, ends at a return of −150"))
    #expect(html.contains("2 of 2 seeds reached that"))
  }

  @Test func twoSettingsAreRanked() throws {
    let page = try ReportPage([
      runs.run("a", seed: 1), runs.run("b", seed: 2), runs.run("c", algorithm: "td3", seed: 1, returns: [-500]),
      runs.run("d", algorithm: "td3", seed: 2, returns: [-400]),
    ])
    #expect(page.html.contains("sac ends highest"))
    #expect(page.html.contains("A run of sac ends higher than a run of td3 with probability 1 "))
    #expect(page.html.contains("Fewer than five seeds make this interval too narrow."))
    #expect(page.pictures.map(\.name).contains("performance-profile"))
  }

  @Test func aRunWithoutEvaluationsShowsItsEpisodes() throws {
    let html = try ReportPage([runs.run("a", returns: [])]).html
    #expect(html.contains("has no evaluations; its last training episodes returned"))
    #expect(!html.contains("id=\"evaluations-by-steps\"") && html.contains("id=\"training-by-steps\""))
  }

  @Test func runsOfDifferentEnvironmentsAreRefused() throws {
    let (a, b) = (try runs.run("a"), try runs.run("b", environment: "CartPole-v1"))
    #expect(throws: ReportError.self) { try ReportPage([a, b]) }
    do { _ = try ReportPage([a, b]) } catch {
      #expect("\(error)".contains("cannot be compared") && !"\(error)".contains("\n"))
    }
  }

  @Test func noRunIsRefused() {
    #expect(throws: ReportError.self) { try ReportPage([]) }
    #expect(throws: (any Error).self) { try RunData("/nowhere/at/all") }
  }

  @Test func namesFromOutsideCannotBecomeMarkup() throws {
    let html = try ReportPage([runs.run("a", environment: "</script><b>")]).html
    #expect(!html.contains("</script><b>") && !html.contains("a <processor>"))
  }

  @Test func everySettingIsListedWithItsValue() throws {
    let html = try ReportPage([runs.run("a")], commands: ["offpolicy train 'x'"]).html
    #expect(html.contains("<th scope=\"row\">discount</th><td>0.99</td>"))
    #expect(html.contains("offpolicy train &#39;x&#39;"))
  }
}
