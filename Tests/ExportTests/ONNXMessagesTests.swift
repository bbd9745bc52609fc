import Foundation
import Testing

@testable import Export

@Suite struct ONNXMessagesTests {
  @Test func `integers are written in groups of seven bits, the least first`() {
    var message = ProtobufMessage()
    message.add(1, 0)
    message.add(1, 127)
    message.add(1, 128)
    message.add(1, 300)
    message.add(20, 2)
    #expect(message.bytes == [8, 0, 8, 127, 8, 0x80, 1, 8, 0xac, 2, 0xa0, 1, 2])
  }

  @Test func `text and messages are written with their length`() throws {
    var inner = ProtobufMessage()
    inner.add(2, "é")
    var outer = ProtobufMessage()
    outer.add(7, inner)
    outer.add(3, "")
    #expect(outer.bytes == [58, 4, 18, 2, 0xc3, 0xa9, 26, 0])
    #expect(try ProtobufFields(outer.bytes).messages(7)[0].texts(2) == ["é"])
  }

  @Test func `a constant is little-endian, and a single number has no sizes`() throws {
    let fields = try ProtobufFields(ONNXConstant(name: "one", shape: [], values: [1]).message.bytes)
    #expect(fields.numbers(1).isEmpty && fields.numbers(2) == [1] && fields.texts(8) == ["one"])
    #expect(fields.all(9) == [[0, 0, 0x80, 0x3f]])
  }
}
