// SB3LogsTests.swift — a run's logs against those that Stable-Baselines3 itself wrote of the same numbers.

import Foundation
import OffPolicy
import Testing

@testable import Export

@Suite struct SB3LogsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func fixture(_ name: String) throws -> URL {
    let base = try #require(Bundle.module.url(forResource: "Fixtures/sb3-logs", withExtension: nil))
    return base.appendingPathComponent(name)
  }

  /// The run's folder where it may be changed.
  private func copy() throws -> URL {
    let url = folder.url.appendingPathComponent("run")
    try FileManager.default.copyItem(at: fixture("run"), to: url)
    return url
  }

  private func logs(_ url: URL) throws -> SB3Logs { try SB3Logs(RunDirectory.open(url.path)) }

  private func file(_ name: String, _ logs: SB3Logs) throws -> [UInt8] {
    try #require(try logs.files.first { $0.name == name }).bytes
  }

  /// Rows of a CSV file as numbers by column; what is empty is left out.
  private func table(_ text: String) -> [[String: Double]] {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { row in
      Dictionary(uniqueKeysWithValues: zip(lines[0], row).compactMap { name, text in Double(text).map { (name, $0) } })
    }
  }

  @Test func `monitor csv has the bytes that its ResultsWriter writes`() throws {
    let expected = try Data(contentsOf: fixture("monitor.csv"))
    #expect(Data(try file("monitor.csv", logs(fixture("run")))) == expected)
  }

  @Test func `evaluations npz has the arrays that its EvalCallback writes`() throws {
    let path = folder.path("evaluations.npz")
    try Data(file("evaluations.npz", logs(fixture("run")))).write(to: URL(fileURLWithPath: path))
    let (own, theirs) = (
      try NumPyArchive(contentsOf: path), try NumPyArchive(contentsOf: fixture("evaluations.npz").path)
    )
    #expect(own.names == theirs.names && own.names == ["ep_lengths", "results", "timesteps"])
    for name in own.names {
      #expect(own[name]?.shape == theirs[name]?.shape && own[name]?.type == theirs[name]?.type, "\(name)")
      #expect(try own.floats(name) == theirs.floats(name), "\(name)")
    }
    #expect(own["results"]?.shape == [3, 4] && own["results"]?.type == "<f8")
    #expect(try !logs(fixture("run")).hasMeansOnly)
  }

  @Test func `progress csv has the rows that its logger writes`() throws {
    let theirs = table(try String(contentsOf: fixture("progress.csv"), encoding: .utf8))
    let own = table(String(decoding: try file("progress.csv", logs(fixture("run"))), as: UTF8.self))
    #expect(own.count == theirs.count)
    for (row, expected) in zip(own, theirs) {
      #expect(row.keys.sorted() == expected.keys.sorted())
      for (name, value) in expected { #expect(abs((row[name] ?? .nan) - value) <= 1e-12 * abs(value), "\(name)") }
    }
  }

  @Test func `where single episodes of evaluations are not known their mean stands for each`() throws {
    for text in [nil, "step,episode,return,length\n600,1,-5,10\n600,2,-5,10\n"] {
      let url = try copy()
      let log = url.appendingPathComponent("evaluation-episodes.csv")
      try FileManager.default.removeItem(at: log)
      if let text { try text.write(to: log, atomically: true, encoding: .utf8) }
      let logs = try logs(url)
      #expect(logs.hasMeansOnly)
      let path = folder.path("means.npz")
      try Data(file("evaluations.npz", logs)).write(to: URL(fileURLWithPath: path))
      let archive = try NumPyArchive(contentsOf: path)
      #expect(archive["results"]?.shape == [3, 4])
      let results = try archive.floats("results")
      let means = try NumPyArchive(contentsOf: fixture("evaluations.npz").path).floats("results")
      for row in 0..<3 {
        let mean = means[(4 * row)..<(4 * row + 4)].reduce(0, +) / 4
        #expect(results[(4 * row)..<(4 * row + 4)].allSatisfy { abs($0 - mean) < 1e-3 })
      }
      try FileManager.default.removeItem(at: url)
    }
  }

  @Test func `half a row at the end, as a running program leaves it, is left out`() throws {
    let url = try copy()
    let before = try file("monitor.csv", logs(url))
    let log = url.appendingPathComponent("episodes.csv")
    let handle = try FileHandle(forWritingTo: log)
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("99999,131,-1".utf8))
    try handle.close()
    #expect(try file("monitor.csv", logs(url)) == before)
  }

  @Test func `a folder is written where the zoo's plots look, whole or not at all`() throws {
    let logs = try logs(fixture("run"))
    #expect(logs.usualPath == "sb3-logs/sac/Pendulum-v1_7")
    let path = folder.path(logs.usualPath)
    let bytes = try logs.write(to: path)
    #expect(
      folder.contents == [
        "sb3-logs", "sb3-logs/sac", "sb3-logs/sac/Pendulum-v1_7", "sb3-logs/sac/Pendulum-v1_7/evaluations.npz",
        "sb3-logs/sac/Pendulum-v1_7/monitor.csv", "sb3-logs/sac/Pendulum-v1_7/progress.csv",
      ])
    #expect(bytes > 5000)
    let error = #expect(throws: ExportError.self) { try logs.write(to: path) }
    #expect(error?.description == "\(path) exists already: choose another path, or remove it first")
  }

  @Test func `a run without a row is refused, and one without evaluations has two files`() throws {
    let url = try copy()
    for log in ["evaluations.csv", "evaluation-episodes.csv"] {
      try FileManager.default.removeItem(at: url.appendingPathComponent(log))
    }
    #expect(try logs(url).files.map(\.name) == ["progress.csv", "monitor.csv"])
    try FileManager.default.removeItem(at: url.appendingPathComponent("episodes.csv"))
    let error = #expect(throws: ExportError.self) { try logs(url) }
    #expect(error?.description.contains("has no episode and no evaluation yet") == true)
  }

  @Test(arguments: ["1e300", "-1e300", "9223372036854775807", "1e15", "nan", "inf", "-1", ""])
  func `no number in a log traps, or makes a file of millions`(value: String) throws {
    let url = try copy()
    for name in ["evaluations", "episodes", "metrics", "evaluation-episodes"] {
      let log = url.appendingPathComponent("\(name).csv")
      guard let text = try? String(contentsOf: log, encoding: .utf8) else { continue }
      var rows = text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
      guard rows.count > 1 else { continue }
      rows[1] = rows[1].map { _ in value }
      try rows.map { $0.joined(separator: ",") }.joined(separator: "\n").write(
        to: log, atomically: true, encoding: .utf8)
      #expect(try logs(url).files.allSatisfy { $0.bytes.count < 10_000_000 })
    }
  }
}
