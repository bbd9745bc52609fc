// RandomStream.swift — named streams of random numbers: each consumer has its own, and nothing is global.

import Vector
import Vector512

/// A stream of random numbers, set by a seed and a purpose.
///
/// It is a position in a counter-based generator (Threefry-2x32, Salmon et al. 2011): its whole state is one number, and
/// streams of different purposes never meet.
public struct RandomStream: RandomNumberGenerator, Sendable, Equatable {
  private let key: (UInt32, UInt32)
  /// How many draws were made: all that changes.
  public var position: UInt64

  /// - Parameter purpose: what the numbers are for, such as "exploration"; another purpose, another stream.
  public init(seed: UInt64, purpose: String, position: UInt64 = 0) {
    // FNV-1a over the purpose, then one Threefry block keyed by the seed
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    key = Vector.threefryBlock(key: Self.halves(seed), counter: Self.halves(hash))
    self.position = position
  }

  public static func == (a: Self, b: Self) -> Bool { a.key == b.key && a.position == b.position }

  private static func halves(_ value: UInt64) -> (UInt32, UInt32) {
    (UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
  }

  public mutating func next() -> UInt64 {
    let (low, high) = Vector.threefryBlock(key: key, counter: Self.halves(position))
    position &+= 1
    return UInt64(high) << 32 | UInt64(low)
  }

  /// A number in [0, 1), in steps of 2⁻²⁴.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A whole number in 0 ..< bound, without bias (Lemire 2019).
  public mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "an index below \(bound)")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// Fills indices in 0 ..< bound: what as many calls of `index(below:)` would give, drawn 16 at a time.
  package mutating func fillIndices(_ indices: borrowing RowIndices, below bound: Int) {
    precondition(bound > 0 && bound <= Int(Int32.max), "indices below \(bound)")
    let range = UInt64(bound)
    let threshold = (0 &- range) % range
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 16) { numbers in
      guard let base = numbers.baseAddress else { return }
      var filled = 0
      while filled < indices.count {
        if wide {
          Vector512.threefryNumbers(key: key, position: position, base)
        } else {
          Vector.threefryNumbers(key: key, position: position, base)
        }
        for i in 0..<16 where filled < indices.count {
          position &+= 1
          let product = base[i].multipliedFullWidth(by: range)
          // biased numbers are passed over
          guard product.low >= threshold else { continue }
          indices[filled] = Int(product.high)
          filled += 1
        }
      }
    }
  }

  /// Fills a block with standard normal values: one draw, whatever its length.
  public mutating func fillNormal(_ block: borrowing Block) {
    // another key than single numbers have: the two never meet
    let drawKey = self.drawKey(0x9e37_79b9)
    let draw = UInt32(truncatingIfNeeded: position)
    if wide {
      Vector512.normalValues(count: block.count, key: drawKey, draw: draw, first: 0, block.pointer)
    } else {
      Vector.normalValues(count: block.count, key: drawKey, draw: draw, first: 0, block.pointer)
    }
    position &+= 1
  }

  /// The key of draws of another kind than single numbers, at this position.
  func drawKey(_ kind: UInt32) -> (UInt32, UInt32) {
    (key.0 ^ kind, key.1 ^ UInt32(truncatingIfNeeded: position >> 32))
  }
}
