// InvertedPendulum.swift — InvertedPendulum-v5: a cart on a rail balances a pole.
// Barto, Sutton and Anderson 1983, "Neuronlike adaptive elements that can solve difficult learning control problems";
// as Gymnasium 1.4.0 defines version 5.

import Environments

/// Observation (4): cart x (m), pole θ (rad), ẋ (m/s), θ̇ (rad/s). Action (1): force on the cart, scaled to [−3, 3].
/// Terminates when the pole is more than 0.2 rad from upright.
final class InvertedPendulum: Robot {
  static let entry = EnvironmentEntry(
    id: "InvertedPendulum-v5", summary: "balance a pole on a cart",
    options: [.resetNoiseScale(0.01), .frameSkip(2)], observationSize: { _ in 4 },
    actionSpace: .box(Box(low: -3, high: 3, count: 1)), maximumEpisodeSteps: 1000, rewardThreshold: 950
  ) { try InvertedPendulum($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let noise: Double

  init(_ options: EnvironmentOptions) throws {
    noise = options.number(RobotOption.resetNoiseScale)
    simulation = try Simulation(model: "inverted_pendulum", frameSkip: options.whole(RobotOption.frameSkip))
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
    drawPositions(within: noise)
    drawVelocities(within: noise)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(simulation.positions, at: &column)
    observation.write(simulation.velocities, at: &column)
  }
}
