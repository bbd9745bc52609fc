// Deflate.swift — compresses bytes by deflate (RFC 1951) in the zlib format (RFC 1950). The same input gives the same output.

/// Compresses bytes.
enum Deflate {
  /// A zlib stream: header, deflate blocks, checksum.
  static func zlib(_ input: [UInt8]) -> [UInt8] {
    var writer = BitWriter()
    // 32 KiB of window, no dictionary; the two bytes are a multiple of 31
    writer.bytes = [0x78, 0x9c]
    write(input, to: &writer)
    writer.align()
    return writer.bytes + bigEndian(adler32(input))
  }

  /// (1 + Σ bytes) and the sum of those sums, each modulo 65521.
  static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    var left = 0
    while left < bytes.count {
      // blocks so short that 32 bits do not overflow
      let end = min(bytes.count, left + 5552)
      for byte in bytes[left..<end] {
        a &+= UInt32(byte)
        b &+= a
      }
      (a, b, left) = (a % 65521, b % 65521, end)
    }
    return b << 16 | a
  }

  // MARK: blocks

  /// A byte (length 0), or a copy of `length` bytes from `distance` back.
  private struct Token {
    var length: UInt16
    /// The byte, or the distance.
    var value: UInt16
  }

  private static let tokensInBlock = 1 << 15

  private static func write(_ input: [UInt8], to writer: inout BitWriter) {
    let tokens = tokens(of: input)
    var start = 0
    repeat {
      let end = min(tokens.count, start + tokensInBlock)
      writeBlock(tokens[start..<end], isLast: end == tokens.count, to: &writer)
      start = end
    } while start < tokens.count
  }

  private static func writeBlock(_ tokens: ArraySlice<Token>, isLast: Bool, to writer: inout BitWriter) {
    var literals = [Int](repeating: 0, count: 286)
    var distances = [Int](repeating: 0, count: 30)
    literals[256] = 1
    for token in tokens {
      if token.length == 0 {
        literals[Int(token.value)] += 1
      } else {
        literals[257 + lengthCodes[Int(token.length)]] += 1
        distances[distanceCode(Int(token.value))] += 1
      }
    }
    // decoders expect at least one distance
    if distances.allSatisfy({ $0 == 0 }) { distances[0] = 1 }
    let literal = HuffmanCode(counts: literals, limit: 15)
    let distance = HuffmanCode(counts: distances, limit: 15)
    writer.put(isLast ? 1 : 0, 1)
    writer.put(2, 2)
    writeCodes(literal, distance, to: &writer)
    for token in tokens {
      if token.length == 0 {
        writer.put(literal, Int(token.value))
        continue
      }
      let code = lengthCodes[Int(token.length)]
      writer.put(literal, 257 + code)
      writer.put(Int(token.length) - lengthBases[code], lengthBits(code))
      let far = distanceCode(Int(token.value))
      writer.put(distance, far)
      writer.put(Int(token.value) - distanceBases[far], distanceBits(far))
    }
    writer.put(literal, 256)
  }

  /// The lengths of both codes, run-length coded and then in a code of their own.
  private static func writeCodes(_ literal: HuffmanCode, _ distance: HuffmanCode, to writer: inout BitWriter) {
    let literalCount = max(257, (literal.lengths.lastIndex { $0 > 0 } ?? 0) + 1)
    let distanceCount = max(1, (distance.lengths.lastIndex { $0 > 0 } ?? 0) + 1)
    let all = Array(literal.lengths[..<literalCount] + distance.lengths[..<distanceCount])
    var runs: [(symbol: Int, extra: Int, bits: Int)] = []
    var place = 0
    while place < all.count {
      let value = all[place]
      var count = 1
      while place + count < all.count, all[place + count] == value { count += 1 }
      place += count
      if value == 0 {
        while count >= 3 {
          let part = min(count, 138)
          runs.append(part < 11 ? (17, part - 3, 3) : (18, part - 11, 7))
          count -= part
        }
      } else {
        runs.append((Int(value), 0, 0))
        count -= 1
        while count >= 3 {
          let part = min(count, 6)
          runs.append((16, part - 3, 2))
          count -= part
        }
      }
      for _ in 0..<count { runs.append((Int(value), 0, 0)) }
    }
    var counts = [Int](repeating: 0, count: 19)
    for run in runs { counts[run.symbol] += 1 }
    let code = HuffmanCode(counts: counts, limit: 7)
    let sent = max(4, (codeOrder.lastIndex { code.lengths[$0] > 0 } ?? 0) + 1)
    writer.put(literalCount - 257, 5)
    writer.put(distanceCount - 1, 5)
    writer.put(sent - 4, 4)
    for symbol in codeOrder[..<sent] { writer.put(Int(code.lengths[symbol]), 3) }
    for run in runs {
      writer.put(code, run.symbol)
      writer.put(run.extra, run.bits)
    }
  }

  private static let codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  // MARK: matches

  /// Positions with the same three bytes are chained. Of at most `patience` positions the longest match is taken, unless the
  /// next byte begins a longer one (lazy matching).
  private static func tokens(of input: [UInt8]) -> [Token] {
    let (window, patience) = (1 << 15, 48)
    var tokens: [Token] = []
    tokens.reserveCapacity(input.count / 4 + 16)
    var heads = [Int32](repeating: -1, count: 1 << 15)
    var previous = [Int32](repeating: -1, count: input.count)
    func hash(_ at: Int) -> Int {
      let bytes = UInt32(input[at]) | UInt32(input[at + 1]) << 8 | UInt32(input[at + 2]) << 16
      return Int((bytes &* 0x9e37_79b1) >> 17)
    }
    func insert(_ at: Int) {
      guard at + 2 < input.count else { return }
      let bucket = hash(at)
      previous[at] = heads[bucket]
      heads[bucket] = Int32(at)
    }
    func longest(_ at: Int) -> (length: Int, distance: Int) {
      guard at + 2 < input.count else { return (0, 0) }
      var (best, distance) = (2, 0)
      let limit = min(258, input.count - at)
      var (candidate, tries) = (Int(heads[hash(at)]), patience)
      while candidate >= 0, at - candidate <= window, tries > 0 {
        if best < limit, input[candidate + best] == input[at + best] {
          var length = 0
          while length < limit, input[candidate + length] == input[at + length] { length += 1 }
          if length > best { (best, distance) = (length, at - candidate) }
          if length == limit { break }
        }
        candidate = Int(previous[candidate])
        tries -= 1
      }
      return distance == 0 ? (0, 0) : (best, distance)
    }
    var at = 0
    var match = longest(0)
    while at < input.count {
      insert(at)
      let next = match.length < 64 ? longest(at + 1) : (0, 0)
      if match.length == 0 || next.0 > match.length {
        tokens.append(Token(length: 0, value: UInt16(input[at])))
        at += 1
        match = next
        continue
      }
      tokens.append(Token(length: UInt16(match.length), value: UInt16(truncatingIfNeeded: match.distance)))
      for skipped in at + 1..<at + match.length { insert(skipped) }
      at += match.length
      match = longest(at)
    }
    return tokens
  }

  // MARK: codes of lengths and distances

  private static func lengthBits(_ code: Int) -> Int { code < 8 || code == 28 ? 0 : code / 4 - 1 }
  private static let lengthBases: [Int] = {
    var bases = [3]
    for code in 0..<27 { bases.append(bases[code] + 1 << lengthBits(code)) }
    return bases + [258]
  }()
  /// The code of each length from 0 to 258.
  private static let lengthCodes: [Int] = (0...258).map { length in
    length < 3 ? 0 : lengthBases.lastIndex { $0 <= length } ?? 0
  }

  private static func distanceBits(_ code: Int) -> Int { code < 4 ? 0 : code / 2 - 1 }
  private static let distanceBases: [Int] = {
    var bases = [1]
    for code in 0..<29 { bases.append(bases[code] + 1 << distanceBits(code)) }
    return bases
  }()
  private static func distanceCode(_ distance: Int) -> Int {
    guard distance > 4 else { return distance - 1 }
    // two codes for each power of two
    let high = (distance - 1).bitWidth - 1 - (distance - 1).leadingZeroBitCount
    return 2 * high + ((distance - 1) >> (high - 1) & 1)
  }
}

/// Bits in the order of deflate: the lowest of each byte first.
struct BitWriter {
  var bytes: [UInt8] = []
  private var bits: UInt64 = 0
  private var count = 0

  mutating func put(_ value: Int, _ width: Int) {
    bits |= UInt64(value) << UInt64(count)
    count += width
    while count >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
      count -= 8
    }
  }

  mutating func put(_ code: HuffmanCode, _ symbol: Int) { put(Int(code.codes[symbol]), Int(code.lengths[symbol])) }

  /// Fills the last byte with zeros.
  mutating func align() {
    if count > 0 { put(0, 8 - count) }
  }
}

func bigEndian(_ value: UInt32) -> [UInt8] {
  [UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
}
