import Formats
import Foundation
import Kernels
import Testing

@Suite struct OptimizerTests {
  /// Adam's numbers at step t as the paper has them: β = (0.9, 0.999), ε = 1e-8.
  private func adam(_ t: Int, learningRate: Double) -> AdamStep {
    AdamStep(
      gain1: 0.1, beta2: 0.999, gain2: 0.001, rate: Float(learningRate / (1 - pow(0.9, Double(t)))),
      correction: Float(1 / (1 - pow(0.999, Double(t))).squareRoot()), epsilon: 1e-8)
  }

  // what torch.optim.Adam loses in single precision (Fixtures/README.md), with room for another order of operations
  @Test func `ten thousand steps of Adam stay as near PyTorch's double precision as its single precision does`() throws
  {
    let expected = try fixture("adam")
    let given = try expected.floats("gradients")
    let count = try expected.shape("initial")[0]
    let rows = given.count / count
    let padded = (count + 15) / 16 * 16
    let parameters = Block(count: padded)
    parameters.set(try expected.floats("initial"))
    let gradients = Block(count: padded)
    let first = Block(count: padded)
    let second = Block(count: padded)
    let tolerances = [
      1: (5e-8, 2e-7, 2e-7), 10: (2e-7, 2e-6, 5e-7), 100: (2e-6, 6e-6, 3e-6), 1000: (1.5e-5, 2e-6, 1.5e-5),
      10_000: (1.5e-4, 2e-6, 4e-5),
    ]

    for t in 1...10_000 {
      let scale = Float(sign: .plus, exponent: -(t % 8), significand: 1)
      let row = t % rows * count
      gradients.set(given[row..<row + count].map { $0 * scale })
      adamStep(parameters, gradients, first, second, adam(t, learningRate: 3e-4), range: 0..<padded)
      guard let (absolute, relativeFirst, relativeSecond) = tolerances[t] else { continue }
      let (theta, m, v) = try (
        expected.doubles("parameters.\(t)"), expected.doubles("first_moment.\(t)"),
        expected.doubles("second_moment.\(t)")
      )
      for i in 0..<count {
        #expect(abs(Double(parameters[i]) - theta[i]) <= absolute, "parameter \(i) after \(t) steps")
        #expect(abs(Double(first[i]) - m[i]) <= relativeFirst * abs(m[i]), "first moment \(i) after \(t) steps")
        #expect(abs(Double(second[i]) - v[i]) <= relativeSecond * v[i], "second moment \(i) after \(t) steps")
      }
      // no gradient, no step: the padding stays zero
      for i in count..<padded { #expect(parameters[i] == 0 && first[i] == 0 && second[i] == 0) }
    }
  }

  @Test func `a step over a range leaves the other parameters and moments alone`() {
    let before = (0..<4).map { numbers(64, seed: $0).map(abs) }
    let blocks = FixedArray(count: 4) { Block(before[$0]) }
    adamStep(blocks[0], blocks[1], blocks[2], blocks[3], adam(1, learningRate: 0.1), range: 16..<48)
    #expect(blocks[1].values == before[1])
    for j in [0, 2, 3] {
      let moved = (0..<64).filter { blocks[j][$0] != before[j][$0] }
      #expect(moved == Array(16..<48), "block \(j)")
    }
  }

  @Test(arguments: [0.005, 0.5, 1e-4] as [Float])
  func `targets move by the rate along the difference, rounded once, and nowhere else`(rate: Float) {
    let (online, before) = (numbers(80, seed: 1), numbers(80, seed: 2))
    let targets = Block(before)
    track(targets, Block(online), rate: rate, range: 16..<64)
    for i in 0..<80 {
      let moved = before[i].addingProduct(rate, online[i] - before[i])
      #expect(targets[i] == ((16..<64).contains(i) ? moved : before[i]))
    }
  }

  @Test func `a rate of 1 is an exact copy`() {
    // adding the difference would lose the small number beside the large one
    let online = Block([Float](repeating: 1e-8, count: 16))
    let targets = Block([Float](repeating: 1e8, count: 16))
    track(targets, online, rate: 1, range: 0..<16)
    #expect(targets.values == online.values)
  }

  @Test func `the squared norm is near the sum in double precision`() {
    for count in stride(from: 16, through: 1600, by: 16) {
      let values = numbers(count + 16, seed: count)
      var sum = SumReference()
      for value in values.dropFirst(16) { sum.add(value, value) }
      #expect(sum.isNear(squaredNorm(Block(values), range: 16..<count + 16)))
    }
  }

  @Test func `scaling multiplies what is in its range and nothing else`() {
    let before = numbers(80, seed: 4)
    let values = Block(before)
    scale(values, by: 0.3, range: 16..<64)
    for i in 0..<80 { #expect(values[i] == ((16..<64).contains(i) ? 0.3 * before[i] : before[i])) }
  }

  @Test func `the mean is taken in double precision`() {
    let values = Block(numbers(1000, seed: 3))
    let expected = values.values(0..<999).reduce(0.0) { $0 + Double($1) } / 999
    #expect(abs(mean(values, count: 999) - expected) < 1e-15)
    #expect(mean(values, count: 0) == 0)
  }

  @Test func `a range that is not whole vectors traps`() async {
    await #expect(processExitsWith: .failure) {
      track(Block(count: 32), Block(count: 32), rate: 0.5, range: 0..<20)
    }
  }
}
