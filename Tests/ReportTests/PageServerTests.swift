// PageServerTests.swift — the server as a browser meets it: over a socket, by the bytes that it sends.

import Foundation
import Synchronization
import Testing

@testable import Report

@Suite struct PageServerTests {
  private let runs = Runs()

  /// Sends text to the server and gives what comes back until it closes the connection. Bash has sockets.
  private static func ask(_ address: String, _ text: String) throws -> String {
    let port = address.split(separator: ":").last.map { $0.prefix { $0 != "/" } } ?? ""
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/\(port); printf %b \"$1\" >&3; cat <&3", "ask", text,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return answer
  }

  /// Serves a run while something is asked.
  private func serving<Result>(_ body: (_ address: String) throws -> Result) throws -> Result {
    _ = try runs.run("a")
    let path = runs.folder.appendingPathComponent("a").path
    let isOver = Atomic<Bool>(false)
    return try withoutActuallyEscaping(body) { body in
      let address = Mutex("")
      // the server and its page belong to the one thread that serves
      let thread = Thread {
        guard let server = try? PageServer(), let page = try? LivePage([path], make: { try ReportPage($0) }) else {
          return
        }
        address.withLock { $0 = server.address }
        server.serve(page) { isOver.load(ordering: .relaxed) }
        address.withLock { $0 = "ended" }
      }
      thread.start()
      func wait(_ condition: (String) -> Bool) {
        let start = ContinuousClock.now
        while !address.withLock(condition), ContinuousClock.now - start < .seconds(20) { usleep(2000) }
      }
      wait { !$0.isEmpty }
      defer {
        isOver.store(true, ordering: .relaxed)
        wait { $0 == "ended" }
      }
      return try body(address.withLock { $0 })
    }
  }

  @Test func `a browser of this machine gets the page and its state`() throws {
    try serving { address in
      let port = address.dropFirst("http://127.0.0.1:".count).dropLast()
      for host in ["127.0.0.1:\(port)", "localhost:\(port)", "LOCALHOST:\(port)"] {
        let page = try Self.ask(address, "GET / HTTP/1.1\\r\\nHost: \(host)\\r\\n\\r\\n")
        #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n") && page.hasSuffix("</html>\n"), "\(host)")
      }
      let state = try Self.ask(address, "GET /state HTTP/1.1\\r\\nHost: 127.0.0.1:\(port)\\r\\n\\r\\n")
      #expect(state.contains("Content-Type: application/json") && state.contains("\"version\":"))
      let head = try Self.ask(address, "HEAD / HTTP/1.1\\r\\nHost: 127.0.0.1:\(port)\\r\\n\\r\\n")
      #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
    }
  }

  @Test func `a page from elsewhere whose name leads here reads nothing`() throws {
    try serving { address in
      let port = address.dropFirst("http://127.0.0.1:".count).dropLast()
      for host in [
        "elsewhere.example:\(port)", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:\(port).example", "[::1]:\(port)",
      ] {
        let answer = try Self.ask(address, "GET / HTTP/1.1\\r\\nHost: \(host)\\r\\n\\r\\n")
        #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden\r\n") && !answer.contains("<html"), "\(host)")
      }
    }
  }

  @Test func `whatever else is asked is refused, and the next one is answered`() throws {
    try serving { address in
      let host = "Host: \(address.dropFirst("http://".count).dropLast())\\r\\n"
      #expect(try Self.ask(address, "POST / HTTP/1.1\\r\\n\(host)\\r\\n").hasPrefix("HTTP/1.1 405 "))
      #expect(try Self.ask(address, "GET /run.json HTTP/1.1\\r\\n\(host)\\r\\n").hasPrefix("HTTP/1.1 404 "))
      #expect(try Self.ask(address, "GET /../run.json HTTP/1.1\\r\\n\(host)\\r\\n").hasPrefix("HTTP/1.1 404 "))
      #expect(try Self.ask(address, "nonsense\\r\\n\\r\\n").hasPrefix("HTTP/1.1 400 "))
      #expect(try Self.ask(address, "GET / HTTP/1.1\\r\\n\(host)\\r\\n").hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func `a port that another server has is told in one line`() throws {
    let server = try PageServer()
    let port = try #require(Int(server.address.dropFirst("http://127.0.0.1:".count).dropLast()))
    let error = #expect(throws: ReportError.self) { try PageServer(port: port) }
    #expect(
      error?.description
        == "port \(port) cannot be listened on: another program has it; choose another port, or none to get a free one")
  }
}
