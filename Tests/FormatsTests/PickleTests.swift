import Foundation
import Testing

@testable import Formats

@Suite struct PickleTests {
  private func hex(_ value: PickleValue) -> String {
    value.pickled.map { String(format: "%02x", Int($0)) }.joined()
  }

  @Test func `every kind of value has the bytes that the Python package writes`() {
    let value = PickleValue.dictionary([
      (.text("a"), .whole(1)), (.text("b"), .list([.bool(true), .none, .number(2.5)])), (.text("c"), .tuple([])),
      (.text("d"), .tuple([.whole(1 << 40), .whole(-1)])),
      (.text("é"), .call(.name("m", "f"), [.persistent(.text("x"))])),
    ])
    // offpolicy._sb3pickle.write of the same value
    #expect(
      hex(value)
        == "80027d285801000000614a010000005801000000625d28884e4740040000000000006558010000006329580100000064"
        + "288a060000000000014affffffff745802000000c3a9636d0a660a28580100000078517452752e")
  }

  @Test func `whole numbers at the ends of their range keep their sign`() {
    #expect(hex(.whole(Int(Int32.max))) == "80024affffff7f2e" && hex(.whole(Int(Int32.min))) == "80024a000000802e")
    #expect(hex(.whole(Int.max)) == "80028a08ffffffffffffff7f2e")
    #expect(hex(.whole(Int.min)) == "80028a090000000000000080ff2e")
    #expect(hex(.whole(-(1 << 40))) == "80028a060000000000ff2e")
  }

  @Test func `python makes the same values of it`() throws {
    let value = PickleValue.tuple([
      .dictionary([(.text("x"), .list([.whole(5), .whole(-1 << 50), .number(-0.125)]))]), .bool(false), .none,
      .call(.name("collections", "OrderedDict"), []), .text("ü"),
    ])
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c", "import base64, pickle, sys; print(pickle.loads(base64.b64decode(sys.argv[1])))", value.base64,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // 127: there is no Python
    guard process.terminationStatus != 127 else { return }
    #expect(text == "({'x': [5, -1125899906842624, -0.125]}, False, None, OrderedDict(), 'ü')\n", "\(text)")
  }
}
