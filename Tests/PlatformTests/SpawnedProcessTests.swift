// SpawnedProcessTests.swift — a shell as the other process: it answers, it ends, it hangs.

import Testing

@testable import Platform

@Suite struct SpawnedProcessTests {
  private func shell(_ script: String) throws -> SpawnedProcess {
    try SpawnedProcess(["/bin/sh", "-c", script], environment: ["WORD": "given"])
  }

  @Test func `it answers commands through the pipes, and knows its variables`() throws {
    let process = try shell("read line <&3; printf '%s %s' \"$line\" \"$WORD\" >&4")
    try process.send(Array("hello\n".utf8))
    #expect(String(decoding: try process.receive(11, within: 20), as: UTF8.self) == "hello given")
  }

  @Test func `both see the shared memory`() throws {
    let process = try shell("read line <&3; printf 'abc' 1<>/dev/fd/5 >&5; printf k >&4; read line <&3")
    try process.share(bytes: 4096)
    process.set(Float(2.5), at: 4092)
    try process.send(Array("go\n".utf8))
    _ = try process.receive(1, within: 20)
    #expect(process.number(at: 0, as: UInt8.self) == UInt8(ascii: "a"))
    #expect(process.number(at: 4092, as: Float.self) == 2.5)
  }

  @Test func `an end is told with its exit code or signal, and a silence with its seconds`() throws {
    func fault(_ script: String, within seconds: Double = 20) throws -> String {
      let process = try shell(script)
      let error = #expect(throws: ProcessFault.self) { try process.receive(1, within: seconds) }
      return error?.description ?? ""
    }
    #expect(try fault("exit 7").contains("ended, with exit code 7"))
    #expect(try fault("kill -9 $$").contains("ended, killed by signal 9"))
    #expect(try fault("exec sleep 30", within: 0.2).contains("did not answer within 0.2 s"))
  }

  @Test func `a program that is not there is named`() {
    let error = #expect(throws: ProcessFault.self) { try SpawnedProcess(["/nowhere/at/all"], environment: [:]) }
    #expect(error?.description.contains("/nowhere/at/all") == true)
  }
}
