import Foundation
import Platform
import Testing

@Suite struct SHA256Tests {
  /// FIPS 180-4's examples, and lengths around a block, from another program (sha256sum).
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    (String(repeating: "x", count: 63), "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2"),
    (String(repeating: "x", count: 64), "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"),
    (String(repeating: "x", count: 55), "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"),
    (String(repeating: "x", count: 56), "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"),
  ])
  func `the digest is the published one, in whatever pieces the bytes come`(text: String, expected: String) {
    var whole = SHA256()
    whole.add(Array(text.utf8))
    #expect(whole.text() == expected)
    var parts = SHA256()
    var rest = Array(text.utf8)[...]
    for size in [1, 62, 64, 65, 1000, 1 << 20] {
      parts.add(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    #expect(parts.text() == expected)
  }

  @Test func `a file has the digest of its bytes, and one that is missing has none`() throws {
    let path = NSTemporaryDirectory() + "/offpolicy-digest-\(UUID().uuidString)"
    try Data("abc".utf8).write(to: URL(fileURLWithPath: path))
    #expect(try SHA256.ofFile(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: DiskError.self) { try SHA256.ofFile(path) }
  }
}
