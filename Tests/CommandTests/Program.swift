// Program.swift — how the tests run the program itself, as a person would.

import Foundation
import OffPolicy

/// What a run of the program left behind.
struct ProgramResult {
  let status: Int32
  let output: String
  let errors: String
  /// Seconds from the signal, or else from the start, to the end.
  let seconds: Double

  var errorLines: [Substring] { errors.split(separator: "\n") }

  /// Standard output as JSON.
  func json() throws -> JSONValue { try JSONValue(text: output) }
}

enum Program {
  /// The program that was built with the tests: beside their bundle.
  static let path = Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent("offpolicy").path

  /// The repository.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func run(
    _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:],
    signal: (number: Int32, when: () -> Bool)? = nil
  ) throws -> ProgramResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = folder ?? FileManager.default.temporaryDirectory
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // files, not pipes: nothing blocks, whatever is written
    let scratch = try TemporaryFolder()
    func file(_ name: String) throws -> FileHandle {
      try Data().write(to: URL(fileURLWithPath: scratch.path(name)))
      return try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.path(name)))
    }
    process.standardOutput = try file("output")
    process.standardError = try file("errors")
    var start = ContinuousClock.now
    try process.run()
    if let signal {
      while process.isRunning && !signal.when() { Thread.sleep(forTimeInterval: 0.01) }
      start = ContinuousClock.now
      kill(process.processIdentifier, signal.number)
    }
    process.waitUntilExit()
    let seconds = (ContinuousClock.now - start).seconds
    func text(_ name: String) throws -> String { try String(contentsOfFile: scratch.path(name), encoding: .utf8) }
    return ProgramResult(
      // a signal that was not handled counts as a shell counts it
      status: process.terminationReason == .uncaughtSignal
        ? 128 + process.terminationStatus : process.terminationStatus,
      output: try text("output"), errors: try text("errors"), seconds: seconds)
  }

  static func run(_ arguments: String...) throws -> ProgramResult { try run(arguments) }
}

/// A folder that is removed with the test.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("offpolicy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Everything in it, by path.
  var contents: [String] { (FileManager.default.subpaths(atPath: url.path) ?? []).sorted() }
}

extension JSONValue {
  var number: Double? { if case .number(let value) = self { value } else { nil } }
  var string: String? { if case .string(let value) = self { value } else { nil } }
  var array: [JSONValue] { if case .array(let value) = self { value } else { [] } }
  var keys: Set<String> { if case .object(let members) = self { Set(members.keys) } else { [] } }
}

/// The kept arguments of a short run: small networks on the pendulum.
func shortRun(_ algorithm: String, into path: String, steps: Int = 1500, seed: Int = 3, _ more: [String] = [])
  -> [String]
{
  [
    "train", algorithm, "Pendulum-v1", "--steps", "\(steps)", "--seed", "\(seed)", "--run-directory", path, "--set",
    "hiddenSizes=16,16", "--set", "batchSize=32", "--set", "randomSteps=\(min(200, steps / 2))", "--evaluate-every",
    "500",
    "--evaluation-episodes", "2",
  ] + more
}
