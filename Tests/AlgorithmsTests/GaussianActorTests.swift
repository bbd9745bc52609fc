import Kernels
import Networks
import Testing

@testable import Algorithms

@Suite struct GaussianActorTests {
  private let policy: SquashedGaussian

  init() {
    policy = SquashedGaussian(observationSize: 3, actionSize: 2, hiddenSizes: [8], batchSize: 4)
    var initialization = RandomStream(seed: 3, purpose: "initialization")
    policy.parameters.initialize(using: &initialization)
  }

  private func observations(_ rows: Int) -> Matrix {
    let observations = Matrix(rows: rows, columns: 3)
    for row in 0..<rows { for column in 0..<3 { observations[row, column] = Float(row - column) / 3 } }
    return observations
  }

  @Test func `exploring it draws each lane's action by the acting stream, and knows log π of it`() {
    let actor = GaussianActor(sharing: policy, lanes: 2, actionSize: 2, seed: 9)
    let states = observations(2)
    let actions = Matrix(rows: 2, columns: 2)
    var stream = RandomStream(seed: 9, purpose: "acting")
    let noise = Block(count: 4)
    let draw = PolicyDraw(rows: 2, actionSize: 2)
    for _ in 0..<3 {
      actor.act(states, rows: 2, explore: true, into: actions)
      stream.fillNormal(noise)
      policy.sample(states, noise: noise, into: draw, rows: 0..<2)
      for lane in 0..<2 {
        let logProbability = draw.logProbabilities[lane]
        #expect(actor.logProbability(lane: lane) == Double(logProbability))
        for i in 0..<2 {
          let (chosen, drawn) = (actions[lane, i], draw.actions[lane, i])
          #expect(chosen == drawn)
        }
      }
    }
  }

  @Test func `without exploration it is the mean, and neither that nor a draw by another stream moves its own`() {
    let (one, other) = (
      GaussianActor(sharing: policy, lanes: 2, actionSize: 2, seed: 9),
      GaussianActor(sharing: policy, lanes: 2, actionSize: 2, seed: 9)
    )
    let states = observations(2)
    let actions = Matrix(rows: 2, columns: 2)
    let expected = Matrix(rows: 2, columns: 2)
    one.act(states, rows: 2, explore: false, into: actions)
    policy.mean(states, into: expected, rows: 0..<2)
    for lane in 0..<2 {
      for i in 0..<2 {
        let (chosen, mean) = (actions[lane, i], expected[lane, i])
        #expect(chosen == mean)
      }
    }
    var stream = RandomStream(seed: 1, purpose: "other")
    one.sample(states, rows: 2, using: &stream, into: actions)
    one.act(states, rows: 2, explore: true, into: actions)
    other.act(states, rows: 2, explore: true, into: expected)
    for lane in 0..<2 {
      let (a, b) = (actions[lane, 0], expected[lane, 0])
      #expect(a == b)
    }
  }
}
