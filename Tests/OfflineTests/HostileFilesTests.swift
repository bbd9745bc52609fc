// HostileFilesTests.swift — small files that announce much, lead elsewhere or crash their library: one line, and no memory taken.

import Foundation
import OffPolicy
import Testing

@testable import Formats
@testable import Offline
@testable import Platform

@Suite struct HostileFilesTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  static func hostile(_ name: String) -> String {
    Bundle.module.resourceURL!.appendingPathComponent("Fixtures/hostile/\(name).hdf5").path
  }

  // see Scripts/fixtures/hostile_hdf5.py
  @Test(
    .enabled(if: HDF5File.isAvailable),
    arguments: [
      ("unwritten", "announces 300000000 numbers of rewards and holds 0 bytes of them"),
      ("compressed", "announces 90000000000 numbers of observations and holds 0 bytes"),
      ("linked", "has no array rewards of its own"), ("soft", "has no array rewards of its own"),
      ("external", "has rewards in other files"), ("virtual", "has rewards in other files"),
    ])
  func `an HDF5 file is refused before memory is taken`(name: String, reason: String) {
    let error = #expect(throws: (any Error).self) {
      _ = try DatasetFiles.read(Self.hostile(name), DatasetReading(bounds: ([-1], [1])))
    }
    #expect(error.map { "\($0)" }?.contains(reason) == true, "\(String(describing: error))")
  }

  @Test func `members of a zip that lie over each other are refused`() throws {
    let path = folder.path("data.npz")
    var bytes = try ZIPArchive.encode([("a.npy", Data(repeating: 0, count: 64)), ("b.npy", Data())], path: path)
    // the second entry of the directory is made to point at the first member
    let at = bytes.count - 22 - (46 + 5) + 42
    for i in 0..<4 { bytes[at + i] = 0 }
    let error = #expect(throws: DataFileError.self) { try ZIPArchive(bytes, path: path) }
    #expect(error?.description.contains("lies over another") == true)
  }

  @Test func `arrays that nobody asked for are passed over`() throws {
    let path = folder.path("data.npz")
    let date = "{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,), }"
    let member = Data(
      [0x93] + "NUMPY".utf8 + [1, 0, UInt8(date.utf8.count), 0] + date.utf8 + Array(repeating: 0, count: 8))
    try ZIPArchive.encode([("when.npy", member)], path: path).write(to: URL(fileURLWithPath: path))
    let file = try NumPyArchive(contentsOf: path, only: ["rewards"])
    #expect(file.names == ["when"] && file["when"] == nil)
  }

  @Test func `a crash in a child process is told, and what ends there is not seen here`() {
    var count = 0
    #expect(ChildProcess.outcome(evenWithThreads: true) { count += 1 } == .ended)
    #expect(count == 0)
    #expect(ChildProcess.outcome(evenWithThreads: true) { raise(SIGSEGV) } == .crashed(signal: SIGSEGV))
    #expect(ChildProcess.outcome(evenWithThreads: true) { abort() } == .crashed(signal: SIGABRT))
  }

  @Test(arguments: [Float.nan, -1, 2, 0.5])
  func `a mark of an end that is neither 0 nor 1 is refused with its place`(mark: Float) {
    let error = #expect(throws: DatasetError.self) {
      try TransitionColumns.flags([0, 1, mark], "terminals", "data.npz")
    }
    #expect(error?.description.contains("data.npz has terminals[2] = \(mark)") == true)
  }

  @Test func `time-outs that are marked cannot be read otherwise, and a column that marks none can`() throws {
    let bounds: (low: [Float], high: [Float]) = ([-2], [2])
    let original = try DatasetFiles.read(DatasetFilesTests.fixture("numpy.npz"), DatasetReading(bounds: bounds))
    try DatasetFiles.write(original, to: folder.path("marked.npz"))
    let reading = DatasetReading(timeouts: .every(2), bounds: bounds)
    let error = #expect(throws: DatasetError.self) { _ = try DatasetFiles.read(folder.path("marked.npz"), reading) }
    #expect(error?.description.contains("marks its time-outs: they cannot be read as every 2") == true)
    try DatasetFiles.write(original, to: folder.path("folder"))
    #expect(throws: DatasetError.self) { _ = try DatasetFiles.read(folder.path("folder"), reading) }
    var columns = TransitionColumns(original)
    columns.timeouts = columns.timeouts?.map { _ in false }
    let unmarked = try DatasetFiles.dataset(columns, environment: nil, bounds: bounds, path: "x", reading)
    #expect(DatasetStatistics(unmarked).truncated == 4)
  }

  @Test func `a discount whose episodes would be too long to run is refused with their length`() {
    #expect(PolicyRunner.horizon(0.99) == 917)
    let error = #expect(throws: DatasetError.self) { try PolicyRunner.check(0.999_999) }
    #expect(error?.description.contains("needs episodes of 9210336 steps") == true)
    #expect(throws: Never.self) { try PolicyRunner.check(0.999) }
  }

  /// A Minari folder of two steps whose observations are a dictionary, with some episodes.
  func dictionaries(_ name: String, episodes: [Int]) throws -> String {
    let path = folder.path(name)
    try FileManager.default.createDirectory(atPath: path + "/data", withIntermediateDirectories: true)
    let metadata: JSONValue = .object([
      "observation_space": .string(
        #"{"type": "Dict", "subspaces": {"place": {"low": [-Infinity]}, "goal": {"low": [-Infinity, -Infinity]}}}"#),
      "action_space": .string(#"{"type": "Box", "low": [-1.0], "high": [1.0]}"#),
    ])
    try Data(metadata.text().utf8).write(to: URL(fileURLWithPath: path + "/data/metadata.json"))
    let file = try HDF5File(writing: path + "/data/main_data.hdf5")
    for episode in episodes {
      let group = "episode_\(episode)"
      for name in [group, group + "/observations"] { try file.makeGroup(name) }
      try file.write(group + "/observations/place", floats: [1, 2, 3], shape: [3, 1])
      try file.write(group + "/observations/goal", floats: [10, 11, 20, 21, 30, 31], shape: [3, 2])
      try file.write(group + "/actions", floats: [0, 0.5], shape: [2, 1])
      try file.write(group + "/rewards", floats: [0, 1], shape: [2])
      try file.write(group + "/terminations", booleans: [false, true])
      try file.write(group + "/truncations", booleans: [false, false])
    }
    try file.close()
    return path
  }

  @Test(.enabled(if: HDF5File.isAvailable))
  func `dictionaries of observations are joined by name, or as they are asked for`() throws {
    let path = try dictionaries("a", episodes: [0, 1])
    func first(_ parts: [String]?) throws -> [Float] {
      var reading = DatasetReading()
      reading.observations = parts
      return Array(try DatasetFiles.read(path, reading).starts().prefix(3))
    }
    #expect(try first(nil) == [10, 11, 1])
    #expect(try first(["place", "goal"]) == [1, 10, 11])
    #expect(try first(["place"]) == [1, 1])
    for parts in [["place", "place"], [], ["pose"]] { #expect(throws: DatasetError.self) { try first(parts) } }
    // data in one piece have no parts
    var reading = DatasetReading(bounds: ([-2], [2]))
    reading.observations = ["a"]
    #expect(throws: DatasetError.self) { _ = try DatasetFiles.read(DatasetFilesTests.fixture("numpy.npz"), reading) }
  }

  @Test(.enabled(if: HDF5File.isAvailable))
  func `an episode that is missing between others is told`() throws {
    let path = try dictionaries("gap", episodes: [0, 1, 3])
    let error = #expect(throws: DatasetError.self) { _ = try DatasetFiles.read(path) }
    #expect(error?.description.contains("has episode_3 but no episode_2") == true)
  }
}
