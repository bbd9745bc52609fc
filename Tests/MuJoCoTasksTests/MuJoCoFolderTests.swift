// MuJoCoFolderTests.swift — the library is found where it should be, and its absence is told in one line.

import Foundation
import Testing

@testable import MuJoCoTasks

/// Whether Scripts/fetch-dependencies was run; without the library there is nothing to test but the errors.
let libraryIsPresent = (try? MuJoCoFolder.find()) != nil

@Suite struct MuJoCoFolderTests {
  @Test func `without a library the error says what is missing, where it looked and what to run`() throws {
    let empty = try TemporaryFolder()
    let error = #expect(throws: MuJoCoUnavailable.self) {
      try MuJoCoFolder.find(environment: [:], from: [empty.path, "/nowhere/at/all"])
    }
    let expected =
      "MuJoCo is missing: no .deps/mujoco/lib/\(MuJoCoFolder.libraryName) in \(empty.path), /nowhere/at/all or above; "
      + "run Scripts/fetch-dependencies (./offpolicy does so by itself), or set OFFPOLICY_MUJOCO"
    #expect(error?.description == expected)
  }

  @Test func `a variable that names a folder without a library is an error, whatever is elsewhere`() throws {
    let empty = try TemporaryFolder()
    let filled = try TemporaryFolder()
    try filled.create(".deps/mujoco/lib/\(MuJoCoFolder.libraryName)")
    let error = #expect(throws: MuJoCoUnavailable.self) {
      try MuJoCoFolder.find(environment: ["OFFPOLICY_MUJOCO": empty.path], from: [filled.path])
    }
    #expect(
      error?.description.hasPrefix("MuJoCo is missing: OFFPOLICY_MUJOCO is \(empty.path), but there is no ") == true)
    #expect(error?.description.contains("Scripts/fetch-dependencies") == true)
  }

  @Test func `the folder is found in a parent of where it looks`() throws {
    let root = try TemporaryFolder()
    try root.create(".deps/mujoco/lib/\(MuJoCoFolder.libraryName)")
    let deep = root.path + "/.build/release"
    let folder = try MuJoCoFolder.find(environment: [:], from: ["/nowhere", deep])
    #expect(folder.path == root.path + "/.deps/mujoco")
    #expect(folder.model("ant") == root.path + "/.deps/mujoco/models/ant.xml")
  }

  @Test func `the variable comes first`() throws {
    let named = try TemporaryFolder()
    try named.create("lib/\(MuJoCoFolder.libraryName)")
    let root = try TemporaryFolder()
    try root.create(".deps/mujoco/lib/\(MuJoCoFolder.libraryName)")
    let folder = try MuJoCoFolder.find(environment: ["OFFPOLICY_MUJOCO": named.path], from: [root.path])
    #expect(folder.path == named.path)
  }

  @Test func `it looks from the executable's folder, never from the current one`() throws {
    let starts = MuJoCoFolder.starts()
    #expect(starts.count == 1 && starts.first.map { CommandLine.arguments[0].hasSuffix($0) } == false)
    #expect(!starts.contains(FileManager.default.currentDirectoryPath) && starts.allSatisfy { $0.hasPrefix("/") })
  }
}

/// A folder that is removed with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory().trimmingSuffix("/") + "/offpolicy-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Makes a file and the folders that it is in.
  func create(_ file: String, contents: String = "") throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(file)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(contents.utf8).write(to: url)
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
