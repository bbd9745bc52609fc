import Foundation
import Testing

@testable import Formats

@Suite struct TorchFileTests {
  @Test func `tensors are stored by number, in the order of their rows`() throws {
    var file = TorchFile()
    let (first, second) = (file.tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]), file.tensor([7], shape: []))
    let bytes = try file.encoded(.dictionary([(.text("a"), first), (.text("b"), second)]), path: "x.pth")
    let archive = try ZIPArchive(bytes, path: "x.pth")
    #expect(
      archive.names == [
        "archive/byteorder", "archive/data.pkl", "archive/data/0", "archive/data/1", "archive/version",
      ])
    #expect(try archive.contents("archive/data/0")?.words32 { Float(bitPattern: $0) } == [1, 2, 3, 4, 5, 6])
    #expect(try archive.contents("archive/data/1")?.words32 { Float(bitPattern: $0) } == [7])
    #expect(try archive.contents("archive/version") == Data("3\n".utf8))
  }

  @Test func `a tensor names its storage, its shape and its strides`() {
    var file = TorchFile()
    _ = file.tensor([0], shape: [1])
    guard
      case .call(.name("torch._utils", "_rebuild_tensor_v2"), let arguments) = file.tensor(
        [1, 2, 3, 4, 5, 6], shape: [2, 3])
    else {
      Issue.record("no tensor")
      return
    }
    func bytes(_ values: [PickleValue]) -> [UInt8] { PickleValue.tuple(values).pickled }
    let storage = PickleValue.persistent(
      .tuple([.text("storage"), .name("torch", "FloatStorage"), .text("1"), .text("cpu"), .whole(6)]))
    let expected: [PickleValue] = [
      storage, .whole(0), .tuple([.whole(2), .whole(3)]), .tuple([.whole(3), .whole(1)]), .bool(false),
      .call(.name("collections", "OrderedDict"), []),
    ]
    #expect(bytes(arguments) == bytes(expected))
  }
}
