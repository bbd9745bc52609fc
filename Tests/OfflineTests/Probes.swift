// Probes.swift — the smallest tasks that an algorithm can be wrong about: their values are known in closed form.

import OffPolicy

/// A task told by three closures over its step count; the observation is written by `observe`.
final class Probe: Environment {
  let observationSpace: Box
  let actionSpace: Space
  private let observe: (Probe) -> [Float]
  private let advance: (Probe, [Float]) -> StepOutcome
  /// Steps since the reset, and episodes since the start, from 1.
  private(set) var t = 0
  private(set) var episode = 0
  /// What a probe keeps besides: a position, the last action, …
  var values: [Double]
  var generator = NumPyGenerator(seed: 0)
  private let begin: (Probe) -> Void

  init(
    observations: Int, actions: Box = Box(low: -1, high: 1, count: 1), choices: Int? = nil, values: [Double] = [],
    begin: @escaping (Probe) -> Void = { _ in },
    observe: @escaping (Probe) -> [Float], advance: @escaping (Probe, [Float]) -> StepOutcome
  ) {
    observationSpace = Box(low: -.infinity, high: .infinity, count: observations)
    actionSpace = choices.map { .discrete(Discrete($0)) } ?? .box(actions)
    (self.values, self.begin, self.observe, self.advance) = (values, begin, observe, advance)
  }

  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) {
    if let seed { generator = NumPyGenerator(seed: seed) }
    t = 0
    episode += 1
    begin(self)
    write(into: &observation)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) -> StepOutcome {
    var actions: [Float] = []
    for i in 0..<action.count { actions.append(action[i]) }
    t += 1
    let outcome = advance(self, actions)
    write(into: &observation)
    return outcome
  }

  private func write(into observation: inout MutableSpan<Float>) {
    for (i, value) in observe(self).enumerated() { observation[i] = value }
  }

  func saveState() -> EnvironmentState {
    EnvironmentState(values: values + [Double(t), Double(episode)], generator: generator)
  }

  func restore(_ state: EnvironmentState) throws {
    try state.requireValues(values.count + 2, for: "Probe-v0")
    values = Array(state.values.dropLast(2))
    (t, episode) = (Int(state.values[values.count]), Int(state.values[values.count + 1]))
    generator = state.generator
  }
}

// MARK: values known in closed form

extension Probe {
  /// One step, reward 1: Q = 1.
  static func constantReward(choices: Int? = nil) -> Probe {
    Probe(
      observations: 1, choices: choices, observe: { _ in [0] },
      advance: { _, _ in StepOutcome(reward: 1, terminated: true) })
  }

  /// Two steps, reward 0 and then 1: Q(s₀) = γ, Q(s₁) = 1.
  static func delayedReward(choices: Int? = nil) -> Probe {
    Probe(observations: 1, choices: choices, observe: { [Float($0.t)] }) { probe, _ in
      StepOutcome(reward: probe.t == 2 ? 1 : 0, terminated: probe.t == 2)
    }
  }

  /// Reward 1 for ever; only the clock ends it: Q = 1 / (1 − γ), however short the clock.
  static func endless(limit: Int, choices: Int? = nil) -> TimeLimit {
    TimeLimit(
      Probe(
        observations: 1, choices: choices, observe: { _ in [0.5] }, advance: { _, _ in StepOutcome(reward: 1) }),
      maximumEpisodeSteps: limit)
  }

  /// Reward 1 for `length` steps, then the task ends: Q(s_t) = Σ_{k < length − t} γᵏ.
  static func chain(length: Int, choices: Int? = nil) -> Probe {
    Probe(observations: length, choices: choices, observe: { probe in (0..<length).map { $0 == probe.t ? 1 : 0 } }) {
      probe, _ in
      StepOutcome(reward: 1, terminated: probe.t == length)
    }
  }

  /// One step, reward −(a − 0.4 s)² with s = ±1: the policy must be 0.4 s.
  static func follow() -> Probe {
    Probe(
      observations: 1, values: [1], begin: { $0.values[0] = $0.generator.uniform(-1, 1) < 0 ? -1 : 1 },
      observe: { [Float($0.values[0])] }
    ) { probe, action in
      let error = Double(action[0]) - 0.4 * probe.values[0]
      return StepOutcome(reward: -error * error, terminated: true)
    }
  }

  /// One step, actions in [−3, 7], reward −(a − 5)² / 4: the policy must be 5, normalised 0.6.
  static func offCentre() -> Probe {
    Probe(observations: 1, actions: Box(low: -3, high: 7, count: 1), observe: { _ in [0] }) { _, action in
      let error = (Double(action[0]) - 5) / 2
      return StepOutcome(reward: -error * error, terminated: true)
    }
  }

  /// One of five choices is right: the last but one where s = 1, the first where s = −1. Right is worth 1, wrong 0.
  static func choose() -> Probe {
    Probe(
      observations: 1, choices: 5, values: [1],
      begin: { $0.values[0] = $0.generator.uniform(-1, 1) < 0 ? -1 : 1 }, observe: { [Float($0.values[0])] }
    ) { probe, action in
      StepOutcome(reward: action[0] == (probe.values[0] > 0 ? 3 : 0) ? 1 : 0, terminated: true)
    }
  }

  /// A choice now decides the reward two steps later: 0 leads to 1, the others to nothing.
  static func consequence() -> Probe {
    Probe(
      observations: 2, choices: 3, values: [0], begin: { $0.values[0] = 0 },
      observe: { [Float($0.t), Float($0.values[0])] }
    ) { probe, action in
      if probe.t == 1 { probe.values[0] = action[0] == 0 ? 1 : -1 }
      return StepOutcome(
        reward: probe.t == 3 && probe.values[0] > 0 ? 1 : 0, terminated: probe.t == 3)
    }
  }

  /// The observation tells episode, step and the action that led here, so that every stored row can be checked.
  ///
  /// Episode e has 1 + 7 e mod 23 steps; every third terminates, every third is truncated, every third does both.
  static func numbered() -> Probe {
    Probe(
      observations: 3, actions: Box(low: -3, high: 7, count: 1), values: [0], begin: { $0.values[0] = 0 },
      observe: { [Float($0.episode), Float($0.t), Float($0.values[0])] }
    ) { probe, action in
      probe.values[0] = Double(action[0])
      let end = numberedEnd(episode: probe.episode)
      return StepOutcome(
        reward: Double(probe.episode) + Double(probe.t) / 64, terminated: probe.t == end.length && end.terminates,
        truncated: probe.t == end.length && end.truncates)
    }
  }

  static func numberedEnd(episode: Int) -> (length: Int, terminates: Bool, truncates: Bool) {
    (1 + 7 * episode % 23, episode % 3 != 1, episode % 3 != 0)
  }

  /// One step, reward −c a²: with temperature α the best policy is a Gaussian of variance α / 2c.
  static func bowl(curvature: Double) -> Probe {
    Probe(observations: 1, observe: { _ in [0] }) { _, action in
      StepOutcome(reward: -curvature * Double(action[0]) * Double(action[0]), terminated: true)
    }
  }
}

// MARK: linear-quadratic control

/// A point that drifts towards the origin: x ← a x + b u, cost x² + r u² at each step.
struct LinearQuadratic {
  let discount: Double
  let drift = 0.9  // a
  let push = 0.5  // b
  let effort = 0.2  // r

  func next(_ x: Double, _ u: Double) -> Double { drift * x + push * u }
  func cost(_ x: Double, _ u: Double) -> Double { x * x + effort * u * u }

  /// Starts drawn from [−1, 1], forces in [−2.5, 2.5]; five steps, cut off by the clock.
  func environment() -> TimeLimit {
    let task = self
    let probe = Probe(
      observations: 1, actions: Box(low: -2.5, high: 2.5, count: 1), values: [0],
      begin: { $0.values = [$0.generator.uniform(-1, 1)] }, observe: { [Float($0.values[0])] }
    ) { probe, action in
      let (x, u) = (probe.values[0], Double(action[0]))
      probe.values[0] = task.next(x, u)
      return StepOutcome(reward: -task.cost(x, u))
    }
    return TimeLimit(probe, maximumEpisodeSteps: 5)
  }

  /// Mean discounted cost, over fixed starts, of a policy that gives the force u.
  func cost(of policy: (Double) -> Double) -> Double {
    let starts = [-0.9, -0.7, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 0.7, 0.9]
    var total = 0.0
    for start in starts {
      var (x, weight) = (start, 1.0)
      for _ in 0..<400 {
        let u = policy(x)
        total += weight * cost(x, u)
        x = next(x, u)
        weight *= discount
      }
    }
    return total / Double(starts.count)
  }

  /// The gain of the best policy u = −k x, from the positive root of the Riccati equation
  ///
  ///     p = 1 + γ a² p − (γ a b p)² / (r + γ b² p)   ⇔   γ b² p² + (r − γ a² r − γ b²) p − r = 0
  ///     k = γ a b p / (r + γ b² p)
  var bestGain: Double {
    let quadratic = discount * push * push
    let linear = effort - discount * drift * drift * effort - quadratic
    let p = (-linear + (linear * linear + 4 * quadratic * effort).squareRoot()) / (2 * quadratic)
    return discount * drift * push * p / (effort + quadratic * p)
  }
}
