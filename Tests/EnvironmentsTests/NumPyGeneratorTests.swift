import Formats
import Testing

@testable import Environments

@Suite struct NumPyGeneratorTests {
  static let seeds: [UInt64] = [0, 42, 123, 1 << 32 + 5]
  static let bounds = [1, 2, 10, 3_000_000_000, 1 << 32, 1 << 32 + 1, 1 << 62 + 12345, Int.max]

  @Test(arguments: seeds)
  func `every distribution draws numpy's numbers, to the bit and in numpy's order`(seed: UInt64) throws {
    let draws = try fixture("NumPyGenerator")
    var generator = NumPyGenerator(seed: seed)
    #expect(generator.words == (try draws.integers64("seed.\(seed).start")))
    for value in try draws.doubles("seed.\(seed).uniform") { #expect(generator.uniform(-0.1, 0.3) == value) }
    for value in try draws.doubles("seed.\(seed).normal") { #expect(generator.standardNormal() == value) }
    for value in try draws.doubles("seed.\(seed).exponential") { #expect(generator.standardExponential() == value) }
    for bound in Self.bounds {
      for value in try draws.integers64("seed.\(seed).integers.\(bound)") {
        #expect(generator.integers(below: bound) == value)
      }
    }
    #expect(generator.words == (try draws.integers64("seed.\(seed).end")))
  }

  @Test func `the rare draws beyond the last layer are numpy's too`() throws {
    let draws = try fixture("NumPyGenerator")
    var generator = NumPyGenerator(seed: 7)
    let normal = (0..<200_000).map { _ in generator.standardNormal() }
    let exponential = (0..<200_000).map { _ in generator.standardExponential() }
    for (name, values, edge) in [
      ("normal", normal, NumPyGenerator.normalTail), ("exponential", exponential, NumPyGenerator.exponentialTail),
    ] {
      let places = values.indices.filter { abs(values[$0]) > edge }
      #expect(places.count > 40)
      #expect(places.map(UInt64.init) == (try draws.integers64("tail.\(name).places")))
      #expect(places.map { values[$0] } == (try draws.doubles("tail.\(name).values")))
    }
    #expect(generator.words == (try draws.integers64("tail.end")))
  }

  @Test func `a seed sequence has numpy's pool and words`() {
    let sequence = SeedSequence(42)
    #expect(sequence.pool == [0x631d_3606, 0x07ae_90ae, 0x6fc4_be28, 0x2ced_5c75])
    #expect(
      sequence.words(count: 4) == [
        0x9f1e_2e6d_cd54_0ab7, 0xd578_73dc_79fb_94b6, 0x7d28_2a1b_64d4_20b7, 0x3365_7971_4692_d5ff,
      ])
  }

  @Test func `the first words are PCG64's`() {
    var generator = NumPyGenerator(seed: 42)
    #expect(generator.state == 274_674_114_334_540_486_603_088_602_300_644_985_544)
    #expect(generator.increment == 332_724_090_758_049_132_448_979_897_138_935_081_983)
    #expect(generator.next() == 0xc621_fbcd_16d9_2688)
    #expect(generator.next() == 0x705a_5661_a791_ffc1)
    #expect(generator.next() == 0xdbcd_12c2_6eda_1624)
  }

  @Test func `a generator restored from its words goes on alike, with the half word that is left over`() throws {
    var generator = NumPyGenerator(seed: 1)
    _ = generator.integers(below: 10)
    #expect(generator.words[4] == 1)
    var restored = try #require(NumPyGenerator(words: generator.words))
    #expect(restored == generator)
    for _ in 0..<100 { #expect(restored.integers(below: 1000) == generator.integers(below: 1000)) }
    #expect(restored.standardNormal() == generator.standardNormal())
  }

  @Test func `words that no generator can have had are refused`() {
    let words = NumPyGenerator(seed: 1).words
    #expect(NumPyGenerator(words: Array(words.dropLast())) == nil)
    for (index, value) in [(3, words[3] - 1), (4, 2), (5, 1 << 32)] as [(Int, UInt64)] {
      var damaged = words
      damaged[index] = value
      #expect(NumPyGenerator(words: damaged) == nil, "words[\(index)] = \(value)")
    }
  }
}
