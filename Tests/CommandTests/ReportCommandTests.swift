// ReportCommandTests.swift — `report --live`: a page that is served until somebody ends it.

import Foundation
import OffPolicy
import Testing

@Suite struct ReportCommandTests {
  let folder: TemporaryFolder
  init() throws {
    folder = try TemporaryFolder()
    #expect(try Program.run(shortRun("td3", into: folder.path("run"), steps: 600)).status == 0)
  }

  func refusal(_ arguments: String...) throws -> String {
    let before = folder.contents
    let result = try Program.run(["report"] + arguments, in: folder.url)
    #expect(result.status != 0 && result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
    #expect(folder.contents == before)
    return result.errors
  }

  /// What a server answers. Bash has sockets.
  static func ask(_ port: Substring, host: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let request = "GET / HTTP/1.1\\r\\nHost: \(host)\\r\\n\\r\\n"
    process.arguments = ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '\(request)' >&3; cat <&3"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
  }

  @Test func `the page is served at the address that is printed, and Ctrl-C ends it`() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = ["report", "--live", "run"]
    process.currentDirectoryURL = folder.url
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    let before = folder.contents
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    #expect(line.hasPrefix("http://127.0.0.1:") && line.hasSuffix("/\n"))
    let port = line.dropFirst("http://127.0.0.1:".count).prefix { $0 != "/" }
    let page = try Self.ask(port, host: "127.0.0.1:\(port)")
    #expect(page.hasPrefix("HTTP/1.1 200 OK") && page.contains("td3 on Pendulum-v1"))
    #expect(try Self.ask(port, host: "elsewhere.example:\(port)").hasPrefix("HTTP/1.1 403 "))
    // two cannot have one port
    let taken = try refusal("--live", "run", "--port", String(port))
    #expect(taken.hasPrefix("Error: port \(port) cannot be listened on: another program has it; choose another port"))
    let start = ContinuousClock.now
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
    #expect(ContinuousClock.now - start < .seconds(3))
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(said == "follows run; Ctrl-C ends it\n\nthe page is no longer served\n")
    #expect(folder.contents == before)
  }

  @Test func `what does not go together or is no run is told in one line`() throws {
    #expect(
      try refusal("--live", "nothing").contains("nothing is no run: it has no run.json; give the folder of a run"))
    #expect(try refusal("--live", "run", "--out", "x.html").contains("leave out --out"))
    #expect(try refusal("--live", "run", "--film").contains("leave out --film"))
    #expect(try refusal("run", "--port", "8000").contains("--port is the port of --live"))
    #expect(try refusal("--live", "run", "--port", "0").contains("--port must be 1 to 65,535, not 0"))
  }

  @Test func `without more words the page is written beside where one is`() throws {
    let result = try Program.run(["report", "run"], in: folder.url)
    #expect(result.status == 0 && result.errors == "report: report.html\n")
    let text = try String(contentsOfFile: folder.path("report.html"), encoding: .utf8)
    #expect(text.contains("td3 on Pendulum-v1") && !text.contains("fetch("))
  }
}
