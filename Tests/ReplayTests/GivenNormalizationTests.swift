import Kernels
import Replay
import Testing

@Suite struct GivenNormalizationTests {
  private static func given(_ rewardBound: Double = 10) -> GivenNormalization {
    GivenNormalization(
      mean: [1, -2, 0.1], scale: [2, 0.5, 3], bound: [10, 1, .infinity], rewardDivisor: 4, rewardBound: rewardBound)!
  }

  @Test func `each value has its own mean, scale and bound`() {
    func exact(_ value: Float, _ mean: Double, _ scale: Double) -> Float { Float((Double(value) - mean) / scale) }
    #expect(Self.given().normalized([3, -1.9, 9000.1]) == [1, exact(-1.9, -2, 0.5), exact(9000.1, 0.1, 3)])
    #expect(Self.given().normalized([100, 5, -1]) == [10, 1, Float(-1.1 / 3)])
    #expect(Self.given().normalized([-100, -5, 0.1])[0...1] == [-10, -1])
  }

  @Test(arguments: [1, 3])
  func `a batch's observations and rewards are normalised, and a reward is clipped where it is one step's`(steps: Int) {
    let batch = Batch(count: 2, observationSize: 3, actionSize: 1)
    let rows: [[Float]] = [[3, -1.9, 9000.1], [100, 5, -1]]
    for row in 0..<2 {
      let (now, next) = (rows[row], rows[1 - row])
      batch.observations.setRow(row, to: now.span)
      batch.nextObservations.setRow(row, to: next.span)
      batch.rewards[row] = row == 0 ? 6 : -400
    }
    Self.given().apply(to: batch, steps: steps)
    for row in 0..<2 {
      let (expected, next) = (Self.given().normalized(rows[row]), Self.given().normalized(rows[1 - row]))
      for i in 0..<3 {
        let (observation, nextObservation) = (batch.observations[row, i], batch.nextObservations[row, i])
        #expect(observation == expected[i] && nextObservation == next[i])
      }
    }
    let rewards = [batch.rewards[0], batch.rewards[1]]
    #expect(rewards == [1.5, steps == 1 ? -10 : -100])
  }

  @Test func `numbers that normalise nothing are refused`() {
    #expect(GivenNormalization(mean: [0], scale: [1, 1], bound: [1]) == nil)
    #expect(GivenNormalization(mean: [.nan], scale: [1], bound: [1]) == nil)
    #expect(GivenNormalization(mean: [0], scale: [0], bound: [1]) == nil)
    #expect(GivenNormalization(mean: [0], scale: [.infinity], bound: [1]) == nil)
    #expect(GivenNormalization(mean: [0], scale: [1], bound: [.nan]) == nil)
    #expect(GivenNormalization(mean: [0], scale: [1], bound: [1], rewardDivisor: 0) == nil)
    #expect(GivenNormalization(mean: [0], scale: [1], bound: [1], rewardBound: -1) == nil)
  }
}
