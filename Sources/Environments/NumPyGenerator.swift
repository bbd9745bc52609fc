// NumPyGenerator.swift — numpy's own random numbers, bit for bit, so that seeds mean what they mean to Gymnasium.
// O'Neill 2014, "PCG", HMC-CS-2014-0905 (XSL-RR 128/64); O'Neill 2015, "Developing a seed_seq alternative";
// Marsaglia and Tsang 2000, doi:10.18637/jss.v005.i08; Lemire 2019, arXiv:1805.10941. Held against numpy 2.4.6.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// NumPy's `default_rng(seed)`: `Generator(PCG64(SeedSequence(seed)))`.
///
///     var generator = NumPyGenerator(seed: 42)
///     generator.uniform(-0.1, 0.1)  // 0.05479120971119267
public struct NumPyGenerator: RandomNumberGenerator, Sendable, Equatable {
  var state: UInt128
  /// Odd; names the stream.
  var increment: UInt128
  /// The upper half of the last word that was drawn for 32 bits, if it was not used yet.
  var spareHalf: UInt32?

  /// The generator that `numpy.random.default_rng(seed)` is.
  public init(seed: UInt64) {
    let words = SeedSequence(seed).words(count: 4)
    let start = UInt128(words[0]) << 64 | UInt128(words[1])
    let stream = UInt128(words[2]) << 64 | UInt128(words[3])
    increment = stream << 1 | 1
    state = (increment &+ start) &* Self.multiplier &+ increment
  }

  static let multiplier: UInt128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    // s ← a s + c;  output (s_high ⊕ s_low) rotated right by the top 6 bits of s
    state = state &* Self.multiplier &+ increment
    let folded = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
    let turn = UInt64(truncatingIfNeeded: state >> 122)
    return folded &>> turn | folded &<< (64 &- turn)
  }

  /// The next 32 bits: the lower half of a word, then its upper half.
  mutating func nextHalf() -> UInt32 {
    if let half = spareHalf {
      spareHalf = nil
      return half
    }
    let word = next()
    spareHalf = UInt32(truncatingIfNeeded: word >> 32)
    return UInt32(truncatingIfNeeded: word)
  }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  mutating func nextUnit() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Uniform in [low, high).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * nextUnit()
  }

  /// Normal with mean 0 and standard deviation 1.
  public mutating func standardNormal() -> Double {
    while true {
      // bits 0–7 choose the layer, bit 8 the sign, bits 9–60 the place in it
      let word = next()
      let layer = Int(word & 0xff)
      let isNegative = word >> 8 & 1 == 1
      let place = word >> 9 & 0xf_ffff_ffff_ffff
      let magnitude = Double(place) * ZigguratTables.normalWidths[layer]
      let x = isNegative ? -magnitude : magnitude
      if place < ZigguratTables.normalLimits[layer] { return x }

      if layer == 0 {
        // beyond r: x = r + E₁ / r is kept when 2 E₂ > (E₁ / r)²; numpy takes the sign from another bit here
        while true {
          let excess = -Self.inverseNormalTail * log1p(-nextUnit())
          let bound = -log1p(-nextUnit())
          if bound + bound > excess * excess {
            return place >> 8 & 1 == 1 ? -(Self.normalTail + excess) : Self.normalTail + excess
          }
        }
      }
      let upper = ZigguratTables.normalHeights[layer - 1]
      let lower = ZigguratTables.normalHeights[layer]
      if (upper - lower) * nextUnit() + lower < exp(-0.5 * x * x) { return x }
    }
  }

  /// Exponential with mean 1.
  public mutating func standardExponential() -> Double {
    while true {
      // bits 3–10 choose the layer, bits 11–63 the place in it
      let word = next() >> 3
      let layer = Int(word & 0xff)
      let place = word >> 8
      let x = Double(place) * ZigguratTables.exponentialWidths[layer]
      if place < ZigguratTables.exponentialLimits[layer] { return x }

      // beyond r the density has the shape of the whole
      if layer == 0 { return Self.exponentialTail - log1p(-nextUnit()) }
      let upper = ZigguratTables.exponentialHeights[layer - 1]
      let lower = ZigguratTables.exponentialHeights[layer]
      if (upper - lower) * nextUnit() + lower < exp(-x) { return x }
    }
  }

  /// Where the tails begin, r: the right end of the widest layer.
  static let normalTail = 3.6541528853610087963519472518
  static let inverseNormalTail = 0.27366123732975827203338247596
  static let exponentialTail = 7.69711747013104972

  /// Uniform among 0 ..< bound, as numpy's `integers(bound)`.
  ///
  /// - Precondition: `bound` is positive.
  public mutating func integers(below bound: Int) -> Int {
    precondition(bound > 0, "a draw below \(bound) has no result")
    if bound == 1 { return 0 }
    // with m = draw · n the result is ⌊m / 2ᵇ⌋; draws with (m mod 2ᵇ) < 2ᵇ mod n are drawn again
    let range = UInt64(bound)
    if range == 1 << 32 { return Int(nextHalf()) }
    if range < 1 << 32 {
      let threshold = (1 << 32 - range) % range
      while true {
        let product = UInt64(nextHalf()) * range
        if product & 0xffff_ffff >= threshold { return Int(product >> 32) }
      }
    }
    let threshold = (0 &- range) % range
    while true {
      let product = next().multipliedFullWidth(by: range)
      if product.low >= threshold { return Int(product.high) }
    }
  }
}

extension NumPyGenerator {
  /// Everything the generator knows, for a checkpoint:
  /// state (high, low), increment (high, low), 1 if half a word is left over else 0, that half.
  public var words: [UInt64] {
    // differs: numpy keeps a half that was used up, where it has no meaning; here it reads as 0
    [
      UInt64(truncatingIfNeeded: state >> 64), UInt64(truncatingIfNeeded: state),
      UInt64(truncatingIfNeeded: increment >> 64), UInt64(truncatingIfNeeded: increment),
      spareHalf == nil ? 0 : 1, UInt64(spareHalf ?? 0),
    ]
  }

  /// The generator that had these `words`; nil if none can have had them.
  public init?(words: [UInt64]) {
    guard words.count == 6, words[3] & 1 == 1, words[4] <= 1, words[5] <= UInt64(UInt32.max) else { return nil }
    state = UInt128(words[0]) << 64 | UInt128(words[1])
    increment = UInt128(words[2]) << 64 | UInt128(words[3])
    spareHalf = words[4] == 1 ? UInt32(words[5]) : nil
  }
}

/// NumPy's `SeedSequence` of one integer: spreads a seed over as many words as are asked for.
struct SeedSequence {
  private(set) var pool: [UInt32]  // (4)

  init(_ seed: UInt64) {
    let entropy = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32), 0, 0]
    var constant: UInt32 = 0x43b0_d7e5
    func hash(_ value: UInt32) -> UInt32 {
      var value = value ^ constant
      constant &*= 0x931e_8875
      value &*= constant
      return value ^ value >> 16
    }
    pool = entropy.map { hash($0) }
    for source in 0..<4 {
      for destination in 0..<4 where destination != source {
        let mixed = 0xca01_f9dd &* pool[destination] &- 0x4973_f715 &* hash(pool[source])
        pool[destination] = mixed ^ mixed >> 16
      }
    }
  }

  /// As numpy's `generate_state(count, uint64)`.
  func words(count: Int) -> [UInt64] {
    var constant: UInt32 = 0x8b51_f9dd
    let halves = (0..<2 * count).map { i in
      var value = pool[i % 4] ^ constant
      constant &*= 0x58f3_8ded
      value &*= constant
      return value ^ value >> 16
    }
    return (0..<count).map { UInt64(halves[2 * $0]) | UInt64(halves[2 * $0 + 1]) << 32 }
  }
}
