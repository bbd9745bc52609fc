// Reacher.swift — Reacher-v5: an arm with two joints brings its fingertip to a target in a plane.
// As Gymnasium 1.4.0 defines version 5.

import Environments

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Observation (10): cos θ (2), sin θ (2), target x, y (m), θ̇ (2: rad/s), fingertip − target x, y (m).
/// Action (2): torques, scaled to [−1, 1]. Never terminates.
final class Reacher: Robot {
  static let entry = EnvironmentEntry(
    id: "Reacher-v5", summary: "bring a fingertip to a target",
    options: [
      .number(RobotOption.distanceWeight, 1, "weight of the distance to the target"),
      .number(RobotOption.controlWeight, 1, "weight of the squared action"), .frameSkip(2),
    ],
    observationSize: { _ in 10 },
    actionSpace: .box(Box(low: -1, high: 1, count: 2)), maximumEpisodeSteps: 50, rewardThreshold: -3.75
  ) { try Reacher($0) }

  let simulation: Simulation
  var generator = NumPyGenerator(seed: 0)

  private let bodyPositions: Field  // m (bodies × 3)
  private let fingertip: Int
  private let target: Int

  private let distanceWeight: Double
  private let controlWeight: Float

  init(_ options: EnvironmentOptions) throws {
    distanceWeight = options.number(RobotOption.distanceWeight)
    controlWeight = Float(options.number(RobotOption.controlWeight))
    simulation = try Simulation(model: "reacher", frameSkip: options.whole(RobotOption.frameSkip))
    bodyPositions = try simulation.output("xpos")
    fingertip = try simulation.body("fingertip")
    target = try simulation.body("target")
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    try simulation.step(action)
    observe(into: &observation)

    // r = −‖fingertip − target‖ − Σ a²
    return StepOutcome(reward: -length(gap) * distanceWeight - Double(controlWeight * squaredNorm(action)))
  }

  /// Fingertip − target.
  private var gap: SIMD3<Double> {  // m
    bodyPositions.point(fingertip) - bodyPositions.point(target)
  }

  /// The target is uniform in a disc: drawn from a square until it is less than 0.2 m from the arm's root.
  func drawFirstState() {
    drawPositions(within: 0.1)
    var x = 0.0  // m
    var y = 0.0  // m
    repeat {
      x = generator.uniform(-0.2, 0.2)
      y = generator.uniform(-0.2, 0.2)
    } while (x * x + y * y).squareRoot() >= 0.2
    simulation.positions[2] = x
    simulation.positions[3] = y
    drawVelocities(within: 0.005)
    simulation.velocities[2] = 0
    simulation.velocities[3] = 0
  }

  func observe(into observation: inout MutableSpan<Float>) {
    let positions = simulation.positions
    observation[0] = Float(cos(positions[0]))
    observation[1] = Float(cos(positions[1]))
    observation[2] = Float(sin(positions[0]))
    observation[3] = Float(sin(positions[1]))
    var column = 4
    observation.write(positions, from: 2, at: &column)
    observation.write(simulation.velocities, to: 2, at: &column)
    let gap = gap
    observation[8] = Float(gap.x)
    observation[9] = Float(gap.y)
  }
}
