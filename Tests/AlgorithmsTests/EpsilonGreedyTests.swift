import Kernels
import Testing

@testable import Algorithms

@Suite struct EpsilonGreedyTests {
  private func make(start: Float = 1, end: Float = 0.1, length: Int = 100, choices: Int = 4) -> EpsilonGreedy {
    EpsilonGreedy(
      start: start, end: end, length: length, choices: choices, stream: RandomStream(seed: 2, purpose: "test"))
  }

  @Test func `ε begins at its first value, ends at its last, and is linear between`() {
    var exploration = make()
    var values: [Float] = []
    for _ in 0..<150 {
      values.append(exploration.epsilon)
      _ = exploration.draw()
    }
    #expect(values[0] == 1 && values[100] == 0.1 && values[149] == 0.1)
    for t in 0..<100 { #expect(abs(values[t] - (1 - 0.009 * Float(t))) < 1e-6) }
    #expect(values[99] > 0.1)
  }

  @Test func `a schedule of no steps is at its end at once`() {
    #expect(make(length: 0).epsilon == 0.1)
  }

  @Test func `with ε of 1 every action is random and all are as likely, with ε of 0 none is`() {
    var always = make(start: 1, end: 1)
    var counts = [0, 0, 0, 0]
    for _ in 0..<4000 { if let action = always.draw() { counts[action] += 1 } }
    #expect(counts.reduce(0, +) == 4000 && counts.allSatisfy { (870...1130).contains($0) })
    var never = make(start: 0, end: 0)
    #expect((0..<1000).allSatisfy { _ in never.draw() == nil })
  }

  @Test func `the share of random actions is ε`() {
    var exploration = make(start: 0.3, end: 0.3)
    let random = (0..<10_000).count { _ in exploration.draw() != nil }
    // 3,000 ± 4.5 standard deviations
    #expect((2794...3206).contains(random))
  }

  @Test func `restored in the middle it goes on with the same draws and the same ε`() throws {
    var original = make()
    for _ in 0..<37 { _ = original.draw() }
    var restored = make()
    let saved = StateCoder.write { try original.codeProgress(&$0) }
    try StateCoder.read(saved, from: saved.finder()) { try restored.codeProgress(&$0) }
    for _ in 0..<100 {
      #expect(original.epsilon == restored.epsilon)
      #expect(original.draw() == restored.draw())
    }
  }
}
