import Formats
import Foundation
import Testing

@testable import Report

@Suite struct LivePageTests {
  private let runs = Runs()

  private func page(_ names: String...) throws -> LivePage {
    try LivePage(names.map { runs.folder.appendingPathComponent($0).path }) { try ReportPage($0) }
  }

  private func append(_ line: String, to log: String, of name: String) throws {
    let handle = try FileHandle(forWritingTo: runs.folder.appendingPathComponent("\(name)/\(log)"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data((line + "\n").utf8))
    try handle.close()
  }

  private func version(_ html: String) -> String? {
    html.components(separatedBy: "data-version=\"").dropFirst().first?.components(separatedBy: "\"")[0]
  }

  private func state(_ page: LivePage) throws -> JSONValue { try JSONValue(text: page.state) }

  @Test func `the page has a new version when a file has changed, and only then`() throws {
    _ = try runs.run("a")
    let page = try page("a")
    let first = page.html
    #expect(first.contains("ends at a return of −150") && page.html == first)
    #expect(try state(page)["version"] == version(first).map { .string($0) })
    try append("4000,10,-77,1,-90,-60,200,20", to: "evaluations.csv", of: "a")
    #expect(try state(page)["version"] != version(first).map { .string($0) })
    let second = page.html
    #expect(second.contains("ends at a return of −77") && version(second) != version(first))
    #expect(try state(page)["version"] == version(second).map { .string($0) })
  }

  @Test func `a run without a row is waited for, beside one that has some`() throws {
    for name in ["a", "b"] { _ = try runs.run(name, seed: name == "a" ? 1 : 2, returns: []) }
    let headers = ["episodes.csv": "step,episode,return,length,terminated,truncated,seconds", "metrics.csv": "step"]
    for (log, header) in headers {
      try (header + "\n").write(
        to: runs.folder.appendingPathComponent("a/\(log)"), atomically: true, encoding: .utf8)
    }
    let alone = try page("a")
    #expect(alone.html.contains("The page fills as training goes on") && alone.html.contains("sac on Pendulum-v1"))
    #expect(try page("a", "b").html.contains("its last training episodes returned"))
    try append("200,1,-900,200,0,1,1", to: "episodes.csv", of: "a")
    #expect(alone.html.contains("id=\"training-by-steps\""))
  }

  @Test func `a folder that goes away leaves the last page, says so, and is followed when it is back`() throws {
    _ = try runs.run("a")
    let page = try page("a")
    let first = page.html
    let (here, away) = (runs.folder.appendingPathComponent("a"), runs.folder.appendingPathComponent("away"))
    try FileManager.default.moveItem(at: here, to: away)
    #expect(page.html == first)
    let problem = try #require(try state(page)["problem"])
    #expect(problem.text().contains("a is no run"))
    try FileManager.default.moveItem(at: away, to: here)
    #expect(page.html.contains("ends at a return of −150"))
    #expect(try state(page)["problem"] == nil)
  }

  @Test func `a run that has taken its steps is over, until it is given more`() throws {
    _ = try runs.run("a")
    let page = try page("a")
    _ = page.html
    #expect(try state(page)["isOver"] == .bool(true))
    let path = runs.folder.appendingPathComponent("a/run.json")
    let text = try String(contentsOf: path, encoding: .utf8)
    #expect(text.contains("\"steps\":3000"))
    try text.replacingOccurrences(of: "\"steps\":3000", with: "\"steps\":50000").write(
      to: path, atomically: true, encoding: .utf8)
    #expect(page.html.contains("The run is at step 3,000 of 50,000."))
    #expect(try state(page)["isOver"] == .bool(false))
  }

  @Test func `what is no run, and runs of different environments, are refused at once`() throws {
    _ = try runs.run("a")
    _ = try runs.run("c", environment: "CartPole-v1")
    for names in [["a", "c"], ["nothing"]] {
      let paths = names.map { runs.folder.appendingPathComponent($0).path }
      #expect(throws: (any Error).self) { try LivePage(paths) { try ReportPage($0) } }
    }
  }

  @Test func `it asks whoever served it and nobody else, and a page for the disk asks nobody`() throws {
    let run = try runs.run("a")
    let (live, plain) = (try page("a").html, try ReportPage([run]).html)
    #expect(live.contains("connect-src 'self'") && live.contains("fetch(\"state\"") && live.contains("id=\"live\""))
    for word in ["connect-src", "fetch(", "id=\"live\"", "data-version"] { #expect(!plain.contains(word)) }
    let rest = live.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    for outside in ["http:", "https:", "src=", "@import", "url("] { #expect(!rest.contains(outside)) }
  }

  @Test func `it writes nothing into the run`() throws {
    _ = try runs.run("a")
    let folder = runs.folder.appendingPathComponent("a").path
    func contents() throws -> [String: Date?] {
      try Dictionary(
        uniqueKeysWithValues: FileManager.default.subpathsOfDirectory(atPath: folder).map {
          ($0, try FileManager.default.attributesOfItem(atPath: "\(folder)/\($0)")[.modificationDate] as? Date)
        })
    }
    let before = try contents()
    let page = try page("a")
    _ = (page.html, page.state)
    #expect(try contents() == before)
  }
}
