import Environments
import Testing

@Suite struct SpaceTests {
  @Test func `a box contains its bounds and neither more nor NaN nor another size`() {
    let box = Box(low: [-1, 0], high: [1, .infinity])
    for (values, expected) in [
      ([-1, 0], true), ([1, 1e30], true), ([1.0001, 0], false), ([0, -1e-9], false), ([.nan, 0], false),
      ([0, .nan], false), ([0], false), ([0, 0, 0], false),
    ] as [([Float], Bool)] {
      let isInside = box.contains(values.span)
      #expect(isInside == expected, "\(values)")
    }
  }

  @Test func `drawn actions fill their bounds and stay within`() {
    let box = Box(low: [-2, 3, -.infinity, -.infinity], high: [0.5, .infinity, -4, .infinity])
    var generator = NumPyGenerator(seed: 5)
    var least = [Float](repeating: .infinity, count: 4)
    var greatest = [Float](repeating: -.infinity, count: 4)
    var action = [Float](repeating: 0, count: 4)
    for _ in 0..<2000 {
      var span = action.mutableSpan
      Space.box(box).sample(into: &span, using: &generator)
      let isInside = box.contains(action.span)
      #expect(isInside)
      for i in 0..<4 {
        least[i] = min(least[i], action[i])
        greatest[i] = max(greatest[i], action[i])
      }
    }
    #expect(least[0] < -1.99 && greatest[0] > 0.49)
    #expect(least[1] < 3.01 && greatest[1] > 5)
    #expect(least[2] < -6 && greatest[2] > -4.01)
    #expect(least[3] < -2 && greatest[3] > 2)
  }

  @Test func `drawn choices are each of them about equally often`() {
    var generator = NumPyGenerator(seed: 5)
    var counts = [0, 0, 0]
    var action: [Float] = [0]
    for _ in 0..<3000 {
      var span = action.mutableSpan
      Space.discrete(Discrete(3)).sample(into: &span, using: &generator)
      counts[Int(action[0])] += 1
    }
    #expect(counts.allSatisfy { (900...1100).contains($0) })
  }
}
