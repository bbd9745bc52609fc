// Cart.swift — an environment of one's own: push a cart along a line to the origin, and stop there.

import OffPolicy

/// Observation: x (m), v (m/s). Action: force (N) in [−1, 1]. Terminates when |x| > 2 m.
public final class Cart: Environment {
  static let timestep = 0.1  // s

  private var position = 0.0  // m
  private var velocity = 0.0  // m/s
  private var generator = NumPyGenerator(seed: 0)

  public let observationSpace = Box(low: -.infinity, high: .infinity, count: 2)
  public let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))

  public func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    // v ← v + F/m Δt;  x ← x + v Δt;  m = 1 kg
    velocity += Double(action[0]) * Self.timestep
    position += velocity * Self.timestep
    observe(into: &observation)
    return StepOutcome(reward: 1 - position * position, terminated: abs(position) > 2)
  }

  public func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    position = generator.uniform(-1, 1)
    velocity = 0
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(position)
    observation[1] = Float(velocity)
  }

  public func saveState() throws -> EnvironmentState {
    EnvironmentState(values: [position, velocity], generator: generator)
  }

  public func restore(_ state: EnvironmentState) throws {
    try state.requireValues(2, for: "Cart-v0")
    (position, velocity) = (state.values[0], state.values[1])
    generator = state.generator
  }

  public static let entry = EnvironmentEntry(
    id: "Cart-v0", summary: "push a cart to the origin", observationSize: 2,
    actionSpace: .box(Box(low: -1, high: 1, count: 1)), maximumEpisodeSteps: 100
  ) { Cart() }
}
