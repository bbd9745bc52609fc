// HostileLogsTests.swift — no number in a log keeps a report from being made: logs are edited, cut and written by others.

import Foundation
import Testing

@testable import Report

@Suite struct HostileLogsTests {
  static let values = [
    "1e300", "-1e300", "1.7976931348623157e308", "-1.7976931348623157e308", "9223372036854775807", "-1", "0", "nan",
    "inf", "-inf", "5e-324", "", "word",
  ]

  @Test(arguments: ["episodes", "metrics", "evaluations", "health"], values)
  func `no number in a log traps in a page or a picture`(log: String, value: String) throws {
    let runs = Runs()
    let path = try runs.run("a").path
    let file = URL(fileURLWithPath: path).appendingPathComponent("\(log).csv")
    if log == "health" {
      let columns =
        "step,updates,value_bias,value_scale,value_episodes,value_max,value_bound,saturated_actions,"
        + "dead_policy_units,dead_critic_units,policy_gradient_norm,critic_gradient_norm,policy_norm,critic_norm,entropy,"
        + "temperature,replay_ratio,seconds"
      let rows = (1...3).map { "\($0 * 1000),\($0),1,1,20,1,9,0,0,0,1,1,1,1,1,1,1,\($0)" }
      try ([columns] + rows).joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    let columns = lines[0].split(separator: ",").count
    // in one column after the other, of a row in the middle and of the last, then everywhere
    for column in 0...columns {
      for last in [false, true] {
        var rows = lines.map { $0.split(separator: ",").map(String.init) }
        let row = last ? rows.count - 1 : 2
        for place in column == columns ? Array(0..<columns) : [column] { rows[row][place] = value }
        try rows.map { $0.joined(separator: ",") }.joined(separator: "\n")
          .write(to: file, atomically: true, encoding: .utf8)
        let page = try ReportPage([RunData(path)], threshold: -200, algorithms: [], commands: ["train"])
        #expect(page.html.hasSuffix("</html>\n"))
        guard column == columns, !last else { continue }
        #expect(page.pictures.allSatisfy { $0.png.count > 100 })
      }
    }
  }

  @Test func `rows of other widths, no rows and no text are passed over`() throws {
    let runs = Runs()
    let path = try runs.run("a").path
    for text in ["", "\n\n\n", ",", "step\n", "step,return\n1", "\u{0}\u{0}\n\u{0}", "step,step,step\n1,2,3\n"] {
      for log in ["episodes", "metrics", "evaluations", "health"] {
        let file = URL(fileURLWithPath: path).appendingPathComponent("\(log).csv")
        try text.write(to: file, atomically: true, encoding: .utf8)
      }
      do {
        let page = try ReportPage([RunData(path)], threshold: nil, algorithms: [], commands: ["train"])
        #expect(page.html.hasSuffix("</html>\n"))
      } catch let error as ReportError {
        #expect(
          error.description.hasSuffix("has no episode, no evaluation and no update yet: there is nothing to show"))
      }
    }
  }

  @Test func `a metric's name becomes no path`() throws {
    let runs = Runs()
    let path = try runs.run("a").path
    let header = "step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds,../../up,a/b,<b>,own_one"
    try "\(header)\n1000,1000,1,1,1,1,1,1,1,1,1,1\n2000,2000,1,1,1,1,1,2,2,2,2,2\n".write(
      to: URL(fileURLWithPath: path).appendingPathComponent("metrics.csv"), atomically: true, encoding: .utf8)
    let page = try ReportPage([RunData(path)], threshold: nil, algorithms: [], commands: ["train"])
    let names = page.pictures.map(\.name)
    #expect(names.contains("metric-own-one") && names.filter { $0.hasPrefix("metric-") }.count == 4)
    #expect(
      names.allSatisfy { $0.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0 > 47 } && !$0.contains("<") }, "\(names)")
    #expect(!page.html.contains("<b>"))
  }
}
