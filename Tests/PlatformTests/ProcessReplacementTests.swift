// ProcessReplacementTests.swift — what cannot be started is told, and this process goes on.

import Testing

@testable import Platform

@Suite struct ProcessReplacementTests {
  @Test func `a program that is not there is told, and this one goes on`() {
    let fault = ProcessReplacement.run(["/nowhere/at/all", "-c", "true"])
    #expect(fault.description == "/nowhere/at/all cannot be started: No such file or directory")
  }
}
