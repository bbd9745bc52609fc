// Balancer.swift — a robot of one's own: a stick on a driven wheel stays upright, and rolls slowly.

import Foundation
import OffPolicy

/// Observation (4): pitch (rad), ẋ (m/s), the wheel's spin (rad/s), the pitch's rate as the gyro has it (rad/s).
/// Action (1): torque on the wheel, ±1 for ±2 N m. Terminates when it leans by more than 0.5 rad.
final class Balancer: Robot {
  static let entry = EnvironmentEntry(
    id: "Balancer-v0", summary: "stay upright on one wheel",
    options: [.interval("healthy_angle_range", -0.5...0.5, "leans that are no fall, rad")], observationSize: { _ in 4 },
    actionSpace: .box(Box(low: -1, high: 1, count: 1)), maximumEpisodeSteps: 250
  ) { try Balancer($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)
  private let x, pitch, axle: (positions: Field, velocities: Field)
  private let gyro: Field  // rad/s (3)
  private let healthyAngles: ClosedRange<Double>  // rad

  init(_ options: EnvironmentOptions) throws {
    healthyAngles = options.interval("healthy_angle_range")
    let model = Bundle.module.path(forResource: "balancer", ofType: "xml") ?? "balancer.xml"
    simulation = try Simulation(modelPath: model, frameSkip: 10)
    x = try simulation.joint("x")
    pitch = try simulation.joint("pitch")
    axle = try simulation.joint("axle")
    gyro = try simulation.sensor("gyro")
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)
    // r = 1 − 0.1 ẋ² − 0.01 a²
    let speed = x.velocities[0]  // m/s
    let reward = 1 - 0.1 * speed * speed - 0.01 * Double(squaredNorm(action))
    return StepOutcome(reward: reward, terminated: !healthyAngles.contains(pitch.positions[0]))
  }

  func drawFirstState() {
    drawPositions(within: 0.05)
    drawVelocities(within: 0.05)
  }

  func observe(into observation: inout MutableSpan<Float>) {
    var column = 0
    observation.write(pitch.positions, at: &column)
    observation.write(x.velocities, at: &column)
    observation.write(axle.velocities, at: &column)
    observation.write(gyro, from: 1, to: 2, at: &column)
  }
}
