// InvertedPendulum.swift — InvertedPendulum-v5: a cart on a rail balances a pole.
// Barto, Sutton and Anderson 1983, "Neuronlike adaptive elements that can solve difficult learning control problems";
// as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (4): cart x (m), pole θ (rad), ẋ (m/s), θ̇ (rad/s). Action (1): force on the cart, scaled to [−3, 3].
/// Terminates when the pole is more than 0.2 rad from upright.
final class InvertedPendulum: Robot {
  static let entry = EnvironmentEntry(
    id: "InvertedPendulum-v5", summary: "balance a pole on a cart", observationSize: 4,
    actionSpace: .box(Box(low: -3, high: 3, count: 1)), maximumEpisodeSteps: 1000, rewardThreshold: 950
  ) { try InvertedPendulum() }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  init() throws {
    simulation = try Simulation(model: "inverted_pendulum", frameSkip: 2)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)

    // r = [balanced],  balanced: |θ| ≤ 0.2 rad and a finite state
    let positions = simulation.positions
    let velocities = simulation.velocities
    let isFinite = (0..<2).allSatisfy { positions[$0].isFinite && velocities[$0].isFinite }
    let isBalanced = isFinite && abs(positions[1]) <= 0.2
    return StepOutcome(reward: isBalanced ? 1 : 0, terminated: !isBalanced)
  }

  func drawFirstState() {
    drawPositions(within: 0.01)
    drawVelocities(within: 0.01)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, at: &column)
    observation.write(simulation.velocities, at: &column)
  }
}
