// Digest.swift — a 64-bit hash that tells a damaged file from a whole one.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// FNV-1a over 32-bit little-endian words: fast, and any single changed word changes it. No protection against intent.
public struct Digest: Sendable, Equatable {
  /// The hash so far.
  public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The hash of nothing.
  public init() {}

  /// Goes on from an earlier value.
  public init(value: UInt64) { self.value = value }

  /// Adds one word.
  public mutating func add(_ word: UInt32) { value = (value ^ UInt64(word)) &* 0x0000_0100_0000_01b3 }

  /// Adds the bytes of a text, and its end.
  public mutating func add(_ text: String) {
    for byte in text.utf8 { add(UInt32(byte)) }
    add(0xffff_ffff)
  }

  /// Adds bytes as words; the last one is filled with zeros.
  public mutating func add(_ data: Data) {
    let bytes = data.span
    var hash = value
    for k in 0..<bytes.count / 4 {
      let b = bytes.extracting(4 &* k..<4 &* k &+ 4)
      let word = UInt32(b[0]) | UInt32(b[1]) << 8 | UInt32(b[2]) << 16 | UInt32(b[3]) << 24
      hash = (hash ^ UInt64(word)) &* 0x0000_0100_0000_01b3
    }
    value = hash
    var last: UInt32 = 0
    for i in 0..<bytes.count % 4 { last |= UInt32(bytes[bytes.count / 4 * 4 + i]) << UInt32(8 * i) }
    if bytes.count % 4 != 0 { add(last) }
  }

  /// 16 hexadecimal digits.
  public var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
