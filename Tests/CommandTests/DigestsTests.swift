// DigestsTests.swift — runs with the settings of 0.1.0 learn the same bits as the program did before its seams moved.

import Foundation
import OffPolicy
import Testing

/// What the program of commit 7107404 learned: see Scripts/fixtures/digests.py.
private struct RecordedDigests: Decodable {
  struct Run: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var arguments: [String]
    var digest: String
    var testDescription: String { name }
  }
  struct Data: Decodable {
    var arguments: [String]
    var digest: String
  }
  struct Value: Decodable {
    var arguments: [String]
    var critics: [Double]
    var criticLoss: Double
  }
  var runs: [Run]
  var data: Data
  var value: Value

  static let recorded: RecordedDigests = {
    let url = Bundle.module.url(forResource: "digests", withExtension: "json", subdirectory: "Fixtures")!
    return try! JSONDecoder().decode(RecordedDigests.self, from: Foundation.Data(contentsOf: url))
  }()

  static var onTasks: [Run] { recorded.runs.filter { !$0.arguments.contains("--dataset") } }
  static var onData: Run { recorded.runs.first { $0.arguments.contains("--dataset") }! }
}

/// Where the digests were recorded. Other processors and other C libraries round a logarithm or a sine otherwise.
private let isRecordedPlatform: Bool = {
  #if os(Linux) && arch(x86_64)
    true
  #else
    false
  #endif
}()

@Suite(.enabled(if: isRecordedPlatform, "the digests were recorded on Linux x86-64"))
struct DigestsTests {
  /// The kernels that this processor has; a matrix unit adds in another order and is left out.
  static var kernels: [String] { Processor.instructionSet == .wide ? ["baseline", "wide"] : ["baseline"] }

  private func program(_ arguments: [String], in folder: TemporaryFolder, _ kernels: String) throws -> ProgramResult {
    let result = try Program.run(arguments, in: folder.url, environment: ["OFFPOLICY_KERNELS": kernels])
    try #require(result.status == 0, "\(arguments.joined(separator: " ")): \(result.errors)")
    return result
  }

  private func check(_ run: RecordedDigests.Run, in folder: TemporaryFolder, _ kernels: String) throws {
    for threads in ["1", "2", "4"] {
      let path = folder.path("\(kernels)-\(threads)")
      _ = try program(
        ["train"] + run.arguments + ["--preset", "none", "--threads", threads, "--run-directory", path], in: folder,
        kernels)
      let digest = try program(["inspect", path, "--json"], in: folder, kernels).json()["digest"]?.string
      #expect(digest == run.digest, "\(run.name), \(threads) threads, \(kernels) kernels")
    }
  }

  @Test(arguments: RecordedDigests.onTasks)
  fileprivate func aRunLearnsTheRecordedBitsOnAnyNumberOfThreads(_ run: RecordedDigests.Run) throws {
    let folder = try TemporaryFolder()
    for kernels in Self.kernels { try check(run, in: folder, kernels) }
  }

  @Test func dataAndWhatIsLearnedFromThemKeepTheirBits() throws {
    let recorded = RecordedDigests.recorded
    for kernels in Self.kernels {
      let folder = try TemporaryFolder()
      let collected = try program(recorded.data.arguments + ["--json"], in: folder, kernels).json()
      #expect(collected["digest"]?.string == recorded.data.digest)
      try check(RecordedDigests.onData, in: folder, kernels)

      // fitted Q evaluation of the policy of a recorded run
      var value = recorded.value.arguments
      let run = try #require(recorded.runs.first { "\($0.name)-1" == value[1] })
      value[1] = folder.path("policy")
      _ = try program(
        ["train"] + run.arguments + ["--preset", "none", "--run-directory", value[1]], in: folder, kernels)
      let printed = try program(value, in: folder, kernels).json()
      #expect(printed["critics"]?.array.compactMap(\.number) == recorded.value.critics)
      #expect(printed["criticLoss"]?.number == recorded.value.criticLoss)
    }
  }
}
