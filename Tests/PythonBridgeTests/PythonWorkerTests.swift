// PythonWorkerTests.swift — environments in Python without any: what is wrong is said. Scripts/check-bridge.py has the rest.

import Environments
import Testing

@testable import PythonBridge

@Suite struct PythonWorkerTests {
  private func message(_ id: String, _ settings: PythonSettings = PythonSettings()) -> String {
    let error = #expect(throws: PythonFault.self) { try PythonBridge.entry(id, settings: settings) }
    return error?.description ?? ""
  }

  @Test func `an interpreter that is not there is named`() {
    var settings = PythonSettings()
    settings.interpreter = "/nowhere/python9"
    #expect(message("gym:CartPole-v1", settings).contains("/nowhere/python9"))
  }

  @Test func `a program that is no interpreter is told from one`() {
    var settings = PythonSettings()
    settings.interpreter = "/bin/false"
    #expect(message("gym:CartPole-v1", settings).contains(", with exit code 1"))
  }

  @Test func `a reference without a function is refused with an example`() {
    #expect(message("python:task.py").contains("python:my_task.py:make_env"))
  }

  @Test func `names of Python are told from others, and files become absolute`() {
    #expect(PythonBridge.isReference("gym:A-v0") && PythonBridge.isReference("python:a.py:f"))
    #expect(!PythonBridge.isReference("HalfCheetah-v5"))
    #expect(PythonBridge.absolute("python:a.py:f").hasPrefix("python:/"))
    #expect(PythonBridge.absolute("python:/a.py:f") == "python:/a.py:f" && PythonBridge.absolute("gym:A") == "gym:A")
  }

  @Test(arguments: [0, 1, 5, 6, 7, 1000]) func `any bytes survive as finite numbers`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 255 &- $0 &* 37) }
    let state = EnvironmentState(bytes: bytes)
    #expect(!state.values.contains { !$0.isFinite })
    #expect(try state.bytes(for: "x") == bytes)
  }

  @Test func `a state that is none is refused`() {
    let generator = NumPyGenerator(seed: 0)
    for values in [[], [3], [-1], [1.5, 2], [2, 0.5], [1e300]] as [[Double]] {
      #expect(throws: MismatchedState.self) {
        try EnvironmentState(values: values, generator: generator).bytes(for: "x")
      }
    }
  }
}
