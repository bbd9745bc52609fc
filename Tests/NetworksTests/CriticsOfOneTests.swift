import Kernels
import Networks
import Testing

@Suite struct CriticsOfOneTests {
  @Test func `one row has the smallest of the values that a batch has`() {
    let critics = Critics(count: 2, observationSize: 4, actionSize: 3, hiddenSizes: [5], batchSize: 6)
    var stream = RandomStream(seed: 3, purpose: "test")
    critics.initialize(using: &stream)
    let observations = Matrix(rows: 6, columns: 4)
    let actions = Matrix(rows: 6, columns: 3)
    for row in 0..<6 {
      for column in 0..<4 { observations[row, column] = Float(row * 4 + column) * 0.1 - 1 }
      for column in 0..<3 { actions[row, column] = Float(row - column) * 0.15 }
    }
    critics.evaluate(observations, actions, rows: 0..<6)
    let one = CriticsOfOne(critics, observationSize: 4, actionSize: 3)
    for row in 0..<6 {
      let observation = (0..<4).map { observations[row, $0] }
      let action = (0..<3).map { actions[row, $0] }
      let (value, expected) = (one.minimum(observation.span, action.span), Double(critics.minimum(at: row)))
      #expect(abs(value - expected) < 1e-6, "row \(row)")
    }
  }

  @Test func `the smallest value of critics is not a number where one is not`() {
    let (observation, action): ([Float], [Float]) = ([0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7])
    for poisoned in 0..<2 {
      let critics = Critics(
        count: 2, observationSize: 4, actionSize: 3, hiddenSizes: [5], batchSize: 1, isLearned: false)
      let one = CriticsOfOne(critics, observationSize: 4, actionSize: 3)
      #expect(one.minimum(observation.span, action.span).isFinite)
      critics.networks[poisoned].values[critics.networks[poisoned].layout.output.biasIndex(output: 0)] = .nan
      #expect(one.minimum(observation.span, action.span).isNaN)
    }
  }
}
