// MuJoCoFolderTests.swift — the library is found where it should be, and its absence is told in one line.

import Foundation
import Testing

@testable import MuJoCoTasks
@testable import Platform

/// Whether Scripts/fetch-dependencies was run; without the library there is nothing to test but the errors.
let libraryIsPresent = (try? MuJoCoFolder.find()) != nil

@Suite struct MuJoCoFolderTests {
  @Test func `without a library the error says what is missing, where it looked and what to run`() throws {
    let empty = try TemporaryFolder()
    let error = #expect(throws: MuJoCoUnavailable.self) {
      try MuJoCoFolder.find(environment: ["HOME": empty.path], from: [empty.path, "/nowhere/at/all"], system: [])
    }
    let own = try #require(MuJoCoFolder.usersFolder(["HOME": empty.path]))
    let expected =
      "MuJoCo is missing: no .deps/mujoco/lib/\(MuJoCoFolder.libraryName) in \(empty.path), /nowhere/at/all or above, "
      + "none in \(own), and no installed Python has mujoco 4.0.0; "
      + "run Scripts/fetch-dependencies (./offpolicy does so by itself), or set OFFPOLICY_MUJOCO"
    #expect(error?.description == expected && error?.remedies == [.fetchMuJoCo])
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

  @Test func `the user's own folder is looked in, and a relative one never`() throws {
    let home = try TemporaryFolder()
    try home.create("data/swift-offpolicy/mujoco/lib/\(MuJoCoFolder.libraryName)")
    let variables = ["XDG_DATA_HOME": home.path + "/data"]
    let found = try MuJoCoFolder.find(environment: variables, from: ["/nowhere"], system: [])
    #expect(found.path == home.path + "/data/swift-offpolicy/mujoco")
    #expect(MuJoCoFolder.usersFolder(["XDG_DATA_HOME": "data", "HOME": "/home/me"])?.hasPrefix("/home/me/") == true)
    #expect(MuJoCoFolder.usersFolder(["HOME": "home"]) == nil && MuJoCoFolder.usersFolder([:]) == nil)
  }

  @Test func `a checkout that the package manager made beside the program has its own`() throws {
    let root = try TemporaryFolder()
    try root.create(".build/checkouts/swift-offpolicy/.deps/mujoco/lib/\(MuJoCoFolder.libraryName)")
    let folder = try MuJoCoFolder.find(environment: [:], from: [root.path + "/.build/release"], system: [])
    #expect(folder.path == root.path + "/.build/checkouts/swift-offpolicy/.deps/mujoco")
  }

  @Test(.enabled(if: MuJoCoPins.library != nil))
  func `an installed Python's wheel is found, with the robots of that Python or another`() throws {
    let root = try TemporaryFolder()
    let (wheel, gymnasium) = ("lib/python3.12/site-packages", "lib/python3/dist-packages")
    try root.create("venv/\(wheel)/mujoco/\(MuJoCoFolder.wheelLibraryName)")
    try root.create("venv/\(wheel)/mujoco/libmujoco.so.3.3.0")
    func find(_ variables: [String: String]) throws -> MuJoCoFolder {
      try MuJoCoFolder.find(environment: variables, from: ["/nowhere"], system: [root.path + "/usr"])
    }
    let own = root.path + "/venv/\(wheel)"
    let alone = try find(["VIRTUAL_ENV": root.path + "/venv"])
    #expect(alone.library == own + "/mujoco/\(MuJoCoFolder.wheelLibraryName)")
    #expect(alone.modelRepair == "run \(root.path)/venv/bin/python3 -m pip install gymnasium==1.4.0")
    try root.create("usr/\(gymnasium)/gymnasium/envs/mujoco/assets/ant.xml")
    let shared = try find(["VIRTUAL_ENV": root.path + "/venv"])
    #expect(shared.model("ant") == root.path + "/usr/\(gymnasium)/gymnasium/envs/mujoco/assets/ant.xml")
    try root.create("venv/\(wheel)/gymnasium/envs/mujoco/assets/ant.xml")
    #expect(try find(["CONDA_PREFIX": root.path + "/venv"]).model("ant").hasPrefix(own))
    // by the interpreter that is named, or that the PATH has
    try root.create("venv/bin/python3")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: root.path + "/venv/bin/python3")
    #expect(try find(["OFFPOLICY_PYTHON": root.path + "/venv/bin/python3"]).library.hasPrefix(own))
    #expect(try find(["PATH": "/nowhere/bin::.:\(root.path)/venv/bin"]).library.hasPrefix(own))
    #expect(throws: MuJoCoUnavailable.self) { try find(["VIRTUAL_ENV": "venv", "PATH": "venv/bin", "HOME": "venv"]) }
    // another version's wheel is passed over
    try FileManager.default.removeItem(atPath: alone.library)
    #expect(throws: MuJoCoUnavailable.self) { try find(["VIRTUAL_ENV": root.path + "/venv"]) }
  }

  @Test(.enabled(if: libraryIsPresent)) func `a wheel's library is checked like any other, and so are its robots`()
    throws
  {
    let real = try MuJoCoFolder.find()
    let root = try TemporaryFolder()
    let packages = "lib/python3.12/site-packages"
    let variables = ["VIRTUAL_ENV": root.path]
    func found() throws -> MuJoCoFolder {
      try MuJoCoFolder.find(environment: variables, from: ["/nowhere"], system: [])
    }
    let place = root.path + "/\(packages)/mujoco/\(MuJoCoFolder.wheelLibraryName)"
    try root.create("\(packages)/mujoco/\(MuJoCoFolder.wheelLibraryName)", contents: "not a library")
    let changed = #expect(throws: MuJoCoUnavailable.self) { try MuJoCoLibrary(in: found()) }
    #expect(changed?.description.contains("\(place) is damaged or another one: its sha256 is ") == true)
    #expect(changed?.description.hasSuffix("-m pip install --force-reinstall mujoco==4.0.0") == true)
    try FileManager.default.removeItem(atPath: place)
    try FileManager.default.copyItem(
      at: URL(fileURLWithPath: real.library).resolvingSymlinksInPath(), to: URL(fileURLWithPath: place))
    let library = try MuJoCoLibrary(in: found())
    let missing = #expect(throws: MuJoCoUnavailable.self) { try Batch(library, model: "hopper") }
    #expect(missing?.description.hasSuffix("-m pip install gymnasium==1.4.0") == true)
    #expect(missing?.remedies == [.fetchMuJoCo])
    try root.create(
      "\(packages)/gymnasium/envs/mujoco/assets/hopper.xml",
      contents: String(contentsOfFile: real.model("hopper"), encoding: .utf8))
    _ = try Batch(MuJoCoLibrary(in: found()), model: "hopper")
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
