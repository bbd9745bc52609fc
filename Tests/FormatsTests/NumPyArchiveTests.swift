// NumPyArchiveTests.swift — NumPy's archives, stored and deflated, are read; damaged ones are refused.

import Foundation
import Testing

@testable import Formats

@Suite struct NumPyArchiveTests {
  static let fixture = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/deflated.npz").path

  @Test func `what numpy savez_compressed wrote is read, whatever kind of block it used`() throws {
    let file = try NumPyArchive(contentsOf: Self.fixture)
    #expect(file.names == ["flags", "long", "noise", "ones", "short", "text"])
    #expect(try file.floats("long") == (0..<20_000).map { Float($0 % 977) })
    #expect(try file.floats("ones") == [Float](repeating: 1, count: 2000) && file["ones"]?.shape == [50, 40])
    #expect(try file.floats("short") == [0, 1, 2])
    #expect(try file.floats("flags") == [1, 0, 1, 0, 1, 0, 1, 0, 1])
    #expect(file.text("text") == "HalfCheetah-v5" && file.text("short") == nil && file.text("none") == nil)
    // NumPy's default_rng(0).integers(0, 256, …, uint8); the checksum holds the rest
    #expect(try file.floats("noise").count == 3000)
  }

  @Test func `what is written is read, and numpy's header ends at a multiple of 64`() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).npz").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var writer = NumPyArchive.Writer()
    let values = (0..<24).map { Float($0) / 7 }
    writer.add("observations", floats: values, shape: [12, 2])
    writer.add("terminals", booleans: [1, 0, 1], shape: [3])
    writer.add("metadata/environment", text: "Pendulum-v1")
    writer.add("empty", floats: [], shape: [0, 4])
    try writer.write(to: path)
    let file = try NumPyArchive(contentsOf: path)
    #expect(try file.floats("observations") == values && file["observations"]?.shape == [12, 2])
    #expect(try file.floats("terminals") == [1, 0, 1] && file.floats("empty") == [])
    #expect(file.text("metadata/environment") == "Pendulum-v1")
    let missing = #expect(throws: DataFileError.self) { try file.floats("actions") }
    #expect(missing?.description.contains("has no array actions") == true)
  }

  @Test func `every byte that is changed or cut off is noticed`() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.fixture))
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).npz").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let names = try NumPyArchive(contentsOf: Self.fixture).names
    for at in stride(from: 0, to: bytes.count, by: 97) {
      var damaged = bytes
      damaged[at] ^= 0x41
      try damaged.write(to: URL(fileURLWithPath: path))
      // a changed date or comment changes no number; nothing may crash, and no other number may come out
      guard let file = try? NumPyArchive(contentsOf: path) else { continue }
      for name in names where file[name] != nil {
        let original = try NumPyArchive(contentsOf: Self.fixture)
        #expect((try? file.floats(name)) == (try? original.floats(name)), "byte \(at), \(name)")
      }
    }
    for count in stride(from: 0, to: bytes.count, by: 331) {
      try bytes.prefix(count).write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self) { try NumPyArchive(contentsOf: path) }
    }
  }

  @Test(arguments: ["<U4611686018427387904", "<U999999999999999999", "<f0", "<f-8", "|b9223372036854775807", "<", ""])
  func `an element of no size or of an impossible one is refused`(type: String) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).npz").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (0,), }"
    let data = Data([0x93] + "NUMPY".utf8 + [1, 0, UInt8(header.utf8.count), 0] + header.utf8)
    try ZIPArchive.encode([("x.npy", data)], path: path).write(to: URL(fileURLWithPath: path))
    #expect(throws: DataFileError.self) { try NumPyArchive(contentsOf: path) }
  }

  @Test func `deflate's stored, empty and overlapping blocks, by hand`() throws {
    func inflate(_ bytes: [UInt8], _ size: Int) throws -> [UInt8] {
      var inflater = Inflater(bytes, size: size)
      return try inflater.run()
    }
    // a stored block of three bytes, last
    #expect(try inflate([1, 3, 0, 0xfc, 0xff, 7, 8, 9], 3) == [7, 8, 9])
    // zlib.compress(b"a" * 10) without its frame: one literal, one copy that overlaps itself
    #expect(try inflate([0x4b, 0x4c, 0x84, 0x01, 0x00], 10) == [UInt8](repeating: 97, count: 10))
    // the empty stream
    #expect(try inflate([0x03, 0x00], 0) == [])
    #expect(throws: InflateFault.self) { try inflate([1, 3, 0, 0xfc, 0xfe, 7, 8, 9], 3) }
    #expect(throws: InflateFault.self) { try inflate([0x4b, 0x4c], 10) }
    #expect(throws: InflateFault.self) { try inflate([0x4b, 0x4c, 0x84, 0x01, 0x00], 9) }
    #expect(throws: InflateFault.self) { try inflate([0x07], 1) }
  }
}
