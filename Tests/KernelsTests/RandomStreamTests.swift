import Foundation
import Kernels
import Testing
import Vector

/// Threefry-2x32 with 20 rounds as Salmon et al. 2011 describe it: a round is an addition, a rotation and an exclusive or;
/// after each fourth the key is added.
func threefryReference(key: (UInt32, UInt32), counter: (UInt32, UInt32)) -> (UInt32, UInt32) {
  let keys = [key.0, key.1, 0x1bd1_1bda ^ key.0 ^ key.1]
  let rotations: [UInt32] = [13, 15, 26, 6, 17, 29, 16, 24]
  var (x, y) = (counter.0 &+ keys[0], counter.1 &+ keys[1])
  for round in 0..<20 {
    x &+= y
    let r = rotations[round % 8]
    y = (y << r | y >> (32 - r)) ^ x
    if round % 4 == 3 {
      let s = round / 4 + 1
      x &+= keys[s % 3]
      y &+= keys[(s + 1) % 3] &+ UInt32(s)
    }
  }
  return (x, y)
}

/// A stream in double precision: Box and Muller's transform of Threefry's words.
struct StreamReference {
  let key: (UInt32, UInt32)

  init(seed: UInt64, purpose: String) {
    // FNV-1a
    let hash = purpose.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    key = threefryReference(
      key: (UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)),
      counter: (UInt32(truncatingIfNeeded: hash), UInt32(hash >> 32)))
  }

  /// Value `index` of draw `position`.
  func normal(position: UInt64, index: Int) -> Double {
    // of each 32 values the first 16 are cosines, the last 16 their sines
    let counter = UInt32(index / 32 * 16 + index % 16)
    let (x, y) = threefryReference(
      key: (key.0 ^ 0x9e37_79b9, key.1 ^ UInt32(position >> 32)),
      counter: (counter, UInt32(truncatingIfNeeded: position)))
    let radius = (-2 * log(1 - Double(x >> 9) * 0x1p-23)).squareRoot()
    let angle = 2 * Double.pi * Double(y >> 9) * 0x1p-23
    return radius * (index % 32 < 16 ? cos(angle) : sin(angle))
  }
}

@Suite struct RandomStreamTests {
  // MARK: Threefry

  @Test func `a block of Threefry gives its authors' known answers`() {
    for (key, counter, expected) in [
      ((0, 0), (0, 0), (0x6b20_0159, 0x99ba_4efe)),
      ((.max, .max), (.max, .max), (0x1cb9_96fc, 0xbb00_2be7)),
      ((0x1319_8a2e, 0x0370_7344), (0x243f_6a88, 0x85a3_08d3), (0xc492_3a9c, 0x483d_f7a0)),
    ] as [((UInt32, UInt32), (UInt32, UInt32), (UInt32, UInt32))] {
      #expect(Vector.threefryBlock(key: key, counter: counter) == expected)
      #expect(threefryReference(key: key, counter: counter) == expected)
    }
  }

  @Test func `single numbers are the blocks of the stream's key, counted by its position`() {
    for (seed, purpose) in [(0, "exploration"), (7, "update noise"), (1 << 40 + 3, "")] as [(UInt64, String)] {
      let reference = StreamReference(seed: seed, purpose: purpose)
      var stream = RandomStream(seed: seed, purpose: purpose, position: 0xffff_fffe)
      for n in 0..<5 as Range<UInt64> {
        let position = 0xffff_fffe + n
        let (low, high) = threefryReference(
          key: reference.key, counter: (UInt32(truncatingIfNeeded: position), UInt32(position >> 32)))
        #expect(stream.next() == UInt64(high) << 32 | UInt64(low))
      }
      #expect(stream.position == 0x1_0000_0003)
    }
  }

  // MARK: normal values

  // logarithm, cosine and sine of 16 values at a time: a few units in the last place of the radius
  @Test func `normal values are Box and Muller's in double precision, to 4e-7 of the radius`() {
    for position in [0, 1, 5, 1 << 32 + 9] as [UInt64] {
      let reference = StreamReference(seed: 11, purpose: "acting")
      var stream = RandomStream(seed: 11, purpose: "acting", position: position)
      let block = Block(count: 20_000)
      stream.fillNormal(block)
      #expect(stream.position == position + 1)
      var worst = 0.0
      for i in 0..<block.count {
        let expected = reference.normal(position: position, index: i)
        // cosine and sine of one angle make the radius
        let partner = reference.normal(position: position, index: i % 32 < 16 ? i + 16 : i - 16)
        let radius = max(1e-30, (expected * expected + partner * partner).squareRoot())
        worst = max(worst, abs(Double(block[i]) - expected) / radius)
      }
      #expect(worst < 4e-7)
    }
  }

  @Test func `a draw's values do not depend on how many there are`() {
    let whole = Block(count: 200)
    var stream = RandomStream(seed: 1, purpose: "test")
    stream.fillNormal(whole)
    for count in 0..<200 {
      let block = Block(count: count)
      var stream = RandomStream(seed: 1, purpose: "test")
      stream.fillNormal(block)
      #expect(bits(block.values) == bits(whole.values(0..<count)))
      #expect(block.pointer[count] == 0, "a value past the end")
    }
  }

  @Test func `normal values have the moments and the distribution of the normal law`() {
    // fixed seed; bounds are 4 standard errors, and Kolmogorov and Smirnov's at 1e-4
    let count = 1 << 20
    let block = Block(count: count)
    var stream = RandomStream(seed: 20_26, purpose: "moments")
    stream.fillNormal(block)
    let values = block.values.map(Double.init)
    let n = Double(count)
    func moment(_ power: Double) -> Double { values.reduce(0) { $0 + pow($1, power) } / n }
    #expect(abs(moment(1)) < 4 / n.squareRoot())
    #expect(abs(moment(2) - 1) < 4 * (2 / n).squareRoot())
    #expect(abs(moment(3)) < 4 * (15 / n).squareRoot())
    #expect(abs(moment(4) - 3) < 4 * (96 / n).squareRoot())

    let sorted = values.sorted()
    var distance = 0.0
    for (i, value) in sorted.enumerated() {
      let law = 0.5 * erfc(-value / 2.0.squareRoot())
      distance = max(distance, abs(law - Double(i) / n), abs(law - Double(i + 1) / n))
    }
    #expect(distance * n.squareRoot() < 2.23)
    // the tails are there: P(|x| > 4) = 6.3e-5
    let tail = Double(values.count { abs($0) > 4 })
    #expect(abs(tail - 6.334e-5 * n) < 4 * (6.334e-5 * n).squareRoot())
  }

  @Test func `values that share a radius, a draw or a place are not correlated`() {
    let count = 1 << 16
    let first = Block(count: count)
    let second = Block(count: count)
    var stream = RandomStream(seed: 3, purpose: "correlation")
    stream.fillNormal(first)
    stream.fillNormal(second)
    let (x, y) = (first.values, second.values)
    func correlation(_ pairs: [(Float, Float)]) -> Double {
      pairs.reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(pairs.count).squareRoot()
    }
    for (name, pairs) in [
      ("draws", Array(zip(x, y))), ("neighbours", Array(zip(x, x.dropFirst()))),
      ("cosine and sine", x.indices.filter { $0 % 32 < 16 }.map { (x[$0], x[$0 + 16]) }),
      (
        "squares of cosine and sine",
        x.indices.filter { $0 % 32 < 16 }.map { (x[$0] * x[$0] - 1, x[$0 + 16] * x[$0 + 16] - 1) }
      ),
    ] {
      // the squares have twice the deviation
      #expect(abs(correlation(pairs)) < (name.hasPrefix("squares") ? 8 : 4), "\(name)")
    }
  }

  // MARK: streams

  @Test func `streams of different purposes, seeds and positions differ, and equal ones are equal`() {
    func start(_ seed: UInt64, _ purpose: String, _ position: UInt64 = 0) -> [UInt64] {
      var stream = RandomStream(seed: seed, purpose: purpose, position: position)
      return (0..<4).map { _ in stream.next() }
    }
    var seen: Set<[UInt64]> = []
    for seed in [0, 1, 2, 1 << 32, .max] as [UInt64] {
      for purpose in ["", "acting", "update noise", "initialization", "gnitca"] {
        for position in [0, 1 << 32] as [UInt64] { seen.insert(start(seed, purpose, position)) }
      }
    }
    #expect(seen.count == 50)
    #expect(start(5, "acting") == start(5, "acting"))
    #expect(RandomStream(seed: 5, purpose: "acting") == RandomStream(seed: 5, purpose: "acting"))
    #expect(RandomStream(seed: 5, purpose: "acting") != RandomStream(seed: 5, purpose: "Acting"))
  }

  @Test func `a position puts a stream back where it was`() {
    var stream = RandomStream(seed: 9, purpose: "restore")
    let block = Block(count: 40)
    _ = stream.index(below: 10)
    stream.fillNormal(block)
    let position = stream.position
    var restored = RandomStream(seed: 9, purpose: "restore", position: position)
    #expect(restored == stream)
    let later = Block(count: 40)
    stream.fillNormal(block)
    restored.fillNormal(later)
    #expect(bits(block.values) == bits(later.values))
    #expect(stream.next() == restored.next() && stream.uniform() == restored.uniform())
    #expect(stream == restored && stream.position == position + 3)
  }

  // MARK: uniform numbers

  @Test func `uniform numbers are in [0, 1), in steps of 2⁻²⁴, and fill it evenly`() {
    var stream = RandomStream(seed: 1, purpose: "uniform")
    var counts = [Double](repeating: 0, count: 100)
    var strays = 0
    for _ in 0..<1_000_000 {
      let value = stream.uniform()
      guard value >= 0 && value < 1 && value * 0x1p24 == (value * 0x1p24).rounded() else {
        strays += 1
        continue
      }
      counts[Int(value * 100)] += 1
    }
    #expect(strays == 0)
    let chiSquare = counts.reduce(0) { $0 + ($1 - 10_000) * ($1 - 10_000) / 10_000 }
    #expect(chiSquare < 99 + 4 * (2 * 99).squareRoot())
  }

  @Test func `an index is below its bound and equally often each`() {
    var stream = RandomStream(seed: 1, purpose: "index")
    #expect((0..<100).allSatisfy { _ in stream.index(below: 1) == 0 })
    var counts = [Double](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.index(below: 7)] += 1 }
    #expect(counts.reduce(0) { $0 + ($1 - 10_000) * ($1 - 10_000) / 10_000 } < 22.5)
  }

  @Test func `many indices at once are those that as many calls give, and leave the stream at the same place`() {
    for (count, bound) in [(0, 5), (1, 1), (15, 7), (16, 1000), (33, 1 << 30), (256, 1_125_016), (1000, 2_147_483_647)]
    {
      var stream = RandomStream(seed: 4, purpose: "indices", position: 0xffff_fff0)
      var copy = stream
      let indices = RowIndices(count: count)
      stream.fillIndices(indices, below: bound)
      #expect((0..<count).map { indices[$0] } == (0..<count).map { _ in copy.index(below: bound) })
      #expect(stream == copy)
    }
  }

  @Test func `an index below a bound that does not divide 2⁶⁴ is not biased`() {
    // without rejection two of three indices below 3 · 2⁶¹ would have three preimages, the others two: 3/8, 3/8, 2/8
    var stream = RandomStream(seed: 1, purpose: "index")
    var counts = [0.0, 0.0, 0.0]
    for _ in 0..<30_000 { counts[stream.index(below: 3 << 61) % 3] += 1 }
    #expect(counts.reduce(0) { $0 + ($1 - 10_000) * ($1 - 10_000) / 10_000 } < 18.4)
  }
}
