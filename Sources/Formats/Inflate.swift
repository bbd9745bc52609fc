// Inflate.swift — deflated bytes made whole again (RFC 1951), as zip files hold them.

/// Bytes that are not what deflate writes.
struct InflateFault: Error {
  let reason: String
}

/// Reads one deflate stream, bit by bit.
struct Inflater {
  private let input: [UInt8]
  private var position = 0
  /// Bits read but not used, the next one lowest.
  private var bits: UInt64 = 0
  private var bitCount = 0
  private var output: [UInt8] = []
  private let size: Int

  /// - Parameter size: how many bytes must come out.
  init(_ input: [UInt8], size: Int) {
    (self.input, self.size) = (input, size)
    output.reserveCapacity(size)
  }

  /// The bytes that the stream stands for.
  mutating func run() throws(InflateFault) -> [UInt8] {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try copyStored()
      case 1: try decode(Self.fixedLiterals, Self.fixedDistances)
      case 2:
        let (literals, distances) = try dynamicCodes()
        try decode(literals, distances)
      default: throw InflateFault(reason: "has a block of an unknown kind")
      }
    }
    guard output.count == size else {
      throw InflateFault(reason: "inflates to \(output.count) bytes, \(size) were announced")
    }
    return output
  }

  // MARK: bits

  /// Reads bytes until `count` bits wait, if there are so many.
  private mutating func fill(_ count: Int) {
    while bitCount < count && position < input.count {
      bits |= UInt64(input[position]) << UInt64(bitCount)
      position += 1
      bitCount += 8
    }
  }

  private mutating func take(_ count: Int) throws(InflateFault) -> Int {
    fill(count)
    guard bitCount >= count else { throw InflateFault(reason: "is cut off") }
    let value = Int(bits & (1 << UInt64(count) - 1))
    bits >>= UInt64(count)
    bitCount -= count
    return value
  }

  private mutating func symbol(_ code: HuffmanCode) throws(InflateFault) -> Int {
    fill(HuffmanCode.longest)
    let entry = code.table[Int(bits & UInt64(HuffmanCode.mask))]
    let length = Int(entry & 15)
    guard length > 0, length <= bitCount else {
      throw InflateFault(reason: length == 0 ? "has a code that stands for nothing" : "is cut off")
    }
    bits >>= UInt64(length)
    bitCount -= length
    return Int(entry >> 4)
  }

  // MARK: blocks

  private mutating func copyStored() throws(InflateFault) {
    _ = try take(bitCount % 8)
    let length = try take(16)
    guard try take(16) == length ^ 0xffff else { throw InflateFault(reason: "has a stored block of two lengths") }
    guard output.count + length <= size else { throw tooLong }
    for _ in 0..<length { output.append(UInt8(try take(8))) }
  }

  private mutating func decode(_ literals: HuffmanCode, _ distances: HuffmanCode) throws(InflateFault) {
    while true {
      let symbol = try symbol(literals)
      if symbol < 256 {
        guard output.count < size else { throw tooLong }
        output.append(UInt8(symbol))
      } else if symbol == 256 {
        return
      } else {
        guard symbol <= 285 else { throw InflateFault(reason: "has a length that does not exist") }
        let length = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
        let code = try self.symbol(distances)
        guard code < 30 else { throw InflateFault(reason: "has a distance that does not exist") }
        let distance = Self.distanceBases[code] + (try take(Self.distanceBits[code]))
        guard distance <= output.count else { throw InflateFault(reason: "refers to bytes before its beginning") }
        guard output.count + length <= size else { throw tooLong }
        // it may overlap itself: byte by byte
        for _ in 0..<length { output.append(output[output.count - distance]) }
      }
    }
  }

  private var tooLong: InflateFault { InflateFault(reason: "inflates to more than the announced \(size) bytes") }

  /// The two codes of a block that brings its own, themselves coded.
  private mutating func dynamicCodes() throws(InflateFault) -> (literals: HuffmanCode, distances: HuffmanCode) {
    let literalCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let codeCount = try take(4) + 4
    var codeLengths = [UInt8](repeating: 0, count: 19)
    for i in 0..<codeCount { codeLengths[Self.codeOrder[i]] = UInt8(try take(3)) }
    let code = try HuffmanCode(codeLengths)
    var lengths: [UInt8] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try symbol(code)
      switch symbol {
      case 0...15: lengths.append(UInt8(symbol))
      case 16:
        guard let last = lengths.last else { throw InflateFault(reason: "repeats a length before the first") }
        lengths += [UInt8](repeating: last, count: 3 + (try take(2)))
      case 17: lengths += [UInt8](repeating: 0, count: 3 + (try take(3)))
      default: lengths += [UInt8](repeating: 0, count: 11 + (try take(7)))
      }
    }
    guard lengths.count == literalCount + distanceCount else {
      throw InflateFault(reason: "has more code lengths than codes")
    }
    return (try HuffmanCode(Array(lengths[..<literalCount])), try HuffmanCode(Array(lengths[literalCount...])))
  }

  // RFC 1951, sections 3.2.5 to 3.2.7
  private static let codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12_289, 16_385, 24_577,
  ]
  private static let distanceBits = (0..<30).map { max(0, $0 / 2 - 1) }
  private static let fixedLiterals = HuffmanCode.valid(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = HuffmanCode.valid([UInt8](repeating: 5, count: 30))
}

/// A prefix code, as a table of all that 15 bits may begin with.
struct HuffmanCode: Sendable {
  static let longest = 15
  static let mask = 1 << longest - 1
  /// symbol << 4 | length; 0 where no code fits.
  private(set) var table = [UInt16](repeating: 0, count: 1 << longest)

  /// - Parameter lengths: bits of each symbol's code, 0 for none.
  init(_ lengths: [UInt8]) throws(InflateFault) {
    self.init(filling: lengths)
    let used = lengths.reduce(0) { $0 + ($1 > 0 ? 1 << (Self.longest - Int($1)) : 0) }
    guard used <= 1 << Self.longest else { throw InflateFault(reason: "has more codes than fit") }
  }

  /// A code that is known to fit.
  static func valid(_ lengths: [UInt8]) -> HuffmanCode { HuffmanCode(filling: lengths) }

  private init(filling lengths: [UInt8]) {
    var next = 0
    for length in 1...Self.longest {
      for (symbol, own) in lengths.enumerated() where Int(own) == length {
        // codes are written with their first bit lowest
        var reversed = 0
        for bit in 0..<length where next >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
        for at in stride(from: reversed, to: 1 << Self.longest, by: 1 << length) {
          table[at] = UInt16(symbol << 4 | length)
        }
        next += 1
      }
      next <<= 1
    }
  }
}
