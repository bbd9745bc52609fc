// MuJoCoLibraryTests.swift — what is not the pinned library, or not a model, is refused in one line.

import Environments
import Foundation
import Testing

@testable import MuJoCoTasks

@Suite struct MuJoCoLibraryTests {
  @Test(.enabled(if: libraryIsPresent)) func `the library is the pinned version`() throws {
    let library = try MuJoCoLibrary.shared.get()
    #expect(library.version == MuJoCoLibrary.pinnedVersion)
  }

  @Test(.enabled(if: libraryIsPresent)) func `another version is refused, with both versions named`() throws {
    let folder = try MuJoCoFolder.find()
    let error = #expect(throws: MuJoCoUnavailable.self) { try MuJoCoLibrary(in: folder, expecting: "4.0.1") }
    let start = "\(folder.library) is MuJoCo 4.0.0, the environments are for 4.0.1; "
    #expect(error?.description == start + "move \(folder.path) away, then run Scripts/fetch-dependencies")
  }

  @Test func `a file that is no library is refused`() throws {
    let folder = try TemporaryFolder()
    try folder.create("lib/\(MuJoCoFolder.libraryName)", contents: "not a library")
    let error = #expect(throws: MuJoCoUnavailable.self) { try MuJoCoLibrary(in: MuJoCoFolder(path: folder.path)) }
    #expect(error?.description.hasPrefix("MuJoCo does not open: ") == true)
    #expect(error?.description.contains("Scripts/fetch-dependencies") == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test(.enabled(if: libraryIsPresent)) func `a library that is cut off or changed is refused before it is opened`()
    throws
  {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: MuJoCoFolder.find().library))
    var changed = bytes
    changed[bytes.count / 2] ^= 1
    for other in [bytes.prefix(bytes.count / 2), changed] {
      let folder = try TemporaryFolder()
      try folder.create("lib/\(MuJoCoFolder.libraryName)")
      try other.write(to: URL(fileURLWithPath: folder.path + "/lib/\(MuJoCoFolder.libraryName)"))
      let error = #expect(throws: MuJoCoUnavailable.self) { try MuJoCoLibrary(in: MuJoCoFolder(path: folder.path)) }
      #expect(error?.description.contains("is damaged or another one: its sha256 is ") == true)
      #expect(error?.description.contains("pinned is \(try #require(MuJoCoPins.library))") == true)
    }
  }

  @Test(.enabled(if: libraryIsPresent)) func `a model of an environment that was changed is refused`() throws {
    let real = try MuJoCoFolder.find()
    let folder = try TemporaryFolder()
    let text = try String(contentsOfFile: real.model("hopper"), encoding: .utf8)
    try folder.create("models/hopper.xml", contents: text + "\n")
    try folder.create("models/swimmer.xml", contents: String(contentsOfFile: real.model("swimmer"), encoding: .utf8))
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/lib", withDestinationPath: real.path + "/lib")
    let library = try MuJoCoLibrary(in: MuJoCoFolder(path: folder.path))
    _ = try Batch(library, model: "swimmer")
    let error = #expect(throws: MuJoCoUnavailable.self) { try Batch(library, model: "hopper") }
    #expect(error?.description.contains("models/hopper.xml is damaged or another one: its sha256 is ") == true)
  }

  @Test(.enabled(if: libraryIsPresent)) func `every model that an environment uses is pinned and whole`() throws {
    #expect(MuJoCoPins.models.count == MuJoCoTasks.entries.count)
    #expect(try MuJoCoTasks.damagedModels().isEmpty)
    #expect(try MuJoCoTasks.libraryPath() == MuJoCoFolder.find().library)
  }

  @Test(.enabled(if: libraryIsPresent)) func `a model that does not parse is refused with MuJoCo's reason`() throws {
    let folder = try TemporaryFolder()
    try folder.create("models/half.xml", contents: "<mujoco><worldbody><body>")
    try folder.create("models/empty.xml", contents: "")
    let real = try MuJoCoFolder.find()
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/lib", withDestinationPath: real.path + "/lib")
    let library = try MuJoCoLibrary(in: MuJoCoFolder(path: folder.path))
    for name in ["half", "empty", "absent"] {
      let error = #expect(throws: MuJoCoUnavailable.self) { try Batch(library, model: name) }
      #expect(error?.description.hasPrefix("the model \(folder.path)/models/\(name).xml does not load: ") == true)
      #expect(error?.description.contains("\n") == false)
    }
  }
}
