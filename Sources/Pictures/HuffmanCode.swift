// HuffmanCode.swift — canonical prefix codes of limited length from the frequencies of symbols (RFC 1951, section 3.2.2).

/// The code of each symbol.
struct HuffmanCode {
  /// Length of each symbol's code in bits; 0: it does not occur.
  let lengths: [UInt8]
  /// Codes with their first bit lowest, as deflate writes them.
  let codes: [UInt16]

  /// - Parameter limit: the greatest length of a code, in bits.
  /// - Precondition: the symbols fit into codes of that length.
  init(counts: [Int], limit: Int) {
    self.init(lengths: Self.lengths(counts, limit: limit))
  }

  init(lengths: [UInt8]) {
    self.lengths = lengths
    // codes of one length are consecutive, in the order of the symbols
    var next = [Int](repeating: 0, count: 17)
    var perLength = [Int](repeating: 0, count: 17)
    for length in lengths where length > 0 { perLength[Int(length)] += 1 }
    for length in 1..<16 { next[length + 1] = (next[length] + perLength[length]) << 1 }
    var codes = [UInt16](repeating: 0, count: lengths.count)
    for (symbol, length) in lengths.enumerated() where length > 0 {
      codes[symbol] = Self.reversed(next[Int(length)], bits: Int(length))
      next[Int(length)] += 1
    }
    self.codes = codes
  }

  private static func reversed(_ code: Int, bits: Int) -> UInt16 {
    var result = 0
    for bit in 0..<bits where code >> bit & 1 == 1 { result |= 1 << (bits - 1 - bit) }
    return UInt16(result)
  }

  /// Package-merge (Larmore and Hirschberg 1990): the shortest code of at most `limit` bits. At each of `limit` levels symbols and
  /// pairs of the level below are merged by weight; a symbol's length is how often it is among the cheapest 2n − 2.
  private static func lengths(_ counts: [Int], limit: Int) -> [UInt8] {
    let used = counts.indices.filter { counts[$0] > 0 }
    var lengths = [UInt8](repeating: 0, count: counts.count)
    guard used.count > 1 else {
      if let symbol = used.first { lengths[symbol] = 1 }
      return lengths
    }
    precondition(used.count <= 1 << limit, "\(used.count) symbols in codes of \(limit) bits")
    // equal weights keep the order of the symbols: the code is the same each time
    let leaves = used.sorted { (counts[$0], $0) < (counts[$1], $1) }
    var level: [Item] = []
    var levels: [[Item]] = []
    for _ in 0..<limit {
      let pairs = stride(from: 0, to: level.count - level.count % 2, by: 2).map {
        Item(weight: level[$0].weight + level[$0 + 1].weight, symbol: nil)
      }
      level = merged(leaves.map { Item(weight: counts[$0], symbol: $0) }, pairs)
      levels.append(level)
    }
    // of the last level the first 2n − 2; of each below as many as its pairs hold
    var taken = 2 * used.count - 2
    for level in levels.reversed() {
      var pairs = 0
      for item in level.prefix(taken) {
        if let symbol = item.symbol { lengths[symbol] += 1 } else { pairs += 1 }
      }
      taken = 2 * pairs
    }
    return lengths
  }

  private struct Item {
    var weight: Int
    /// Nil: a pair of the level below.
    var symbol: Int?
  }

  private static func merged(_ leaves: [Item], _ pairs: [Item]) -> [Item] {
    var result: [Item] = []
    result.reserveCapacity(leaves.count + pairs.count)
    var (i, j) = (0, 0)
    while i < leaves.count || j < pairs.count {
      if j == pairs.count || i < leaves.count && leaves[i].weight <= pairs[j].weight {
        result.append(leaves[i])
        i += 1
      } else {
        result.append(pairs[j])
        j += 1
      }
    }
    return result
  }
}
