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
      try DatasetFiles.read(Self.hostile(name), DatasetReading(bounds: ([-1], [1])))
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
    #expect(ChildProcess.outcome { count += 1 } == .ended)
    #expect(count == 0)
    #expect(ChildProcess.outcome { raise(SIGSEGV) } == .crashed(signal: SIGSEGV))
    #expect(ChildProcess.outcome { abort() } == .crashed(signal: SIGABRT))
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
    let error = #expect(throws: DatasetError.self) { try DatasetFiles.read(folder.path("marked.npz"), reading) }
    #expect(error?.description.contains("marks its time-outs: they cannot be read as every 2") == true)
    try DatasetFiles.write(original, to: folder.path("folder"))
    #expect(throws: DatasetError.self) { try DatasetFiles.read(folder.path("folder"), reading) }
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
}
