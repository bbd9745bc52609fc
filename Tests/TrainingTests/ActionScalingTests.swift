import OffPolicy
import Testing

@Suite struct ActionScalingTests {
  func scaled(_ action: [Float], low: [Float], high: [Float]) -> [Float] {
    var action = action
    var span = action.mutableSpan
    ActionScaling(low: low, high: high).denormalize(&span)
    return action
  }

  @Test(arguments: [(-1, -3), (-0.5, -0.5), (0, 2), (0.6, 5), (1, 7)] as [(Float, Float)])
  func `asymmetric bounds are reached at the ends and linear between them`(action: Float, expected: Float) {
    #expect(abs(scaled([action], low: [-3], high: [7])[0] - expected) < 1e-6)
  }

  @Test func `each value has its own bounds`() {
    #expect(scaled([-1, 0, 1], low: [-2, 0, 10], high: [2, 1, 30]) == [-2, 0.5, 30])
  }

  @Test func `rounding never leaves the box`() {
    for i in 1..<200 {
      let (low, high) = (-Float(i) / 7, Float(i) / 3)
      let ends = scaled([1, 1.0000001, -1, -1.0000001], low: [low, low, low, low], high: [high, high, high, high])
      #expect(ends.allSatisfy { $0 >= low && $0 <= high })
      #expect(ends[0] >= high.nextDown && ends[2] == low)
    }
  }

  @Test func `data are converted in Double: rounded once, and not clipped`() {
    let scaling = ActionScaling(low: [-0.3, -1], high: [0.7, 1])
    for i in 0...200 {
      let value = Float(i) / 100 - 1
      let exact = (-0.3 as Float, 0.7 as Float, value)
      let expected = Float(Double(exact.0) + (Double(exact.2) + 1) / 2 * (Double(exact.1) - Double(exact.0)))
      #expect(scaling.denormalizedInDouble(value, at: 0) == expected)
      #expect(abs(scaling.normalizedInDouble(expected, at: 0) - value) <= 1e-7)
      #expect(scaling.denormalizedInDouble(value, at: 1) == value && scaling.normalizedInDouble(value, at: 1) == value)
    }
    #expect(scaling.denormalizedInDouble(3, at: 0) > 1.6)
    #expect(abs(scaling.normalizedInDouble(1.7, at: 0) - 3) < 1e-6)
  }

  @Test func `a space's bounds become the scaling's`() throws {
    let scaling = try ActionScaling(.box(Box(low: [-3, 0], high: [7, 1])), of: "Probe-v0")
    #expect(scaling.low == [-3, 0] && scaling.high == [7, 1] && scaling.count == 2)
  }

  @Test func `an index is the same on both sides`() throws {
    let scaling = try ActionScaling(.discrete(Discrete(5)), of: "Probe-v0")
    #expect(scaling.count == 1 && scaling.actionSize == 5 && scaling.choices == 5)
    #expect(scaling.low == [0] && scaling.high == [4])
    for index in 0..<5 {
      var action = [Float(index)]
      var span = action.mutableSpan
      scaling.denormalize(&span)
      #expect(action == [Float(index)])
    }
  }

  @Test func `every choice is drawn as often as the others`() throws {
    let scaling = try ActionScaling(.discrete(Discrete(3)), of: "Probe-v0")
    var stream = RandomStream(seed: 1, purpose: "test")
    var counts = [0, 0, 0]
    var action: [Float] = [0]
    for _ in 0..<3000 {
      var span = action.mutableSpan
      scaling.drawUniformly(into: &span, using: &stream)
      counts[Int(action[0])] += 1
    }
    // 1,000 ± 4.5 standard deviations
    #expect(counts.allSatisfy { (880...1120).contains($0) })
  }

  @Test(arguments: [(-1, .infinity), (-.infinity, 1), (2, 2)] as [(Float, Float)])
  func `bounds that cannot be scaled to are refused with their index`(low: Float, high: Float) {
    let error = #expect(throws: UnsupportedActions.self) {
      try ActionScaling(.box(Box(low: [-1, low], high: [1, high])), of: "Probe-v0")
    }
    #expect(error?.description.hasPrefix("Probe-v0: action[1] has bounds [\(low), \(high)]; ") == true)
  }
}
