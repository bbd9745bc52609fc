// MuJoCoLibraryTests.swift — what is not the pinned library, or not a model, is refused in one line.

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
    let start = "\(folder.library) is MuJoCo 4.0.0, the tasks are for 4.0.1; "
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

  @Test(.enabled(if: libraryIsPresent)) func `MuJoCo writes no log file and a field outlives its batch`() throws {
    let log = FileManager.default.currentDirectoryPath + "/MUJOCO_LOG.TXT"
    let before = FileManager.default.fileExists(atPath: log)
    let positions: Field
    do {
      // half_cheetah.xml uses a deprecated option, of which MuJoCo warns
      let batch = try Batch(MuJoCoLibrary.shared.get(), model: "half_cheetah")
      positions = batch.state(.positions)
    }
    positions[0] = 4
    #expect(positions[0] == 4)
    #expect(positions.count == 9)
    #expect(FileManager.default.fileExists(atPath: log) == before)
  }
}
