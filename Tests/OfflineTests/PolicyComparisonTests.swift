// PolicyComparisonTests.swift — the performance-difference lemma: exact in small tables, near in the linear-quadratic task.

import OffPolicy
import Testing

@testable import Offline

/// A Markov decision process in a table, all of it known.
struct Table {
  let states: Int
  let actions: Int
  let discount: Double
  var start: [Double]  // (S)
  var transition: [[[Double]]]  // p(s′|s, a), S × A × (S)
  var reward: [[Double]]  // S × (A)

  init(states: Int, actions: Int, discount: Double, using stream: inout RandomStream) {
    (self.states, self.actions, self.discount) = (states, actions, discount)
    start = Self.distribution(states, &stream)
    (transition, reward) = ([], [])
    for _ in 0..<states {
      transition.append((0..<actions).map { _ in Self.distribution(states, &stream) })
      reward.append((0..<actions).map { _ in Double(2 * stream.uniform() - 1) })
    }
  }

  static func distribution(_ count: Int, _ stream: inout RandomStream) -> [Double] {
    let weights = (0..<count).map { _ in Double(stream.uniform()) + 1e-3 }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  func policy(_ stream: inout RandomStream) -> [[Double]] {
    (0..<states).map { _ in Self.distribution(actions, &stream) }
  }

  /// P^π, S × (S), and r^π.
  func under(_ policy: [[Double]]) -> (moves: [[Double]], rewards: [Double]) {
    var moves = [[Double]](repeating: [Double](repeating: 0, count: states), count: states)
    var rewards = [Double](repeating: 0, count: states)
    for s in 0..<states {
      for a in 0..<actions {
        rewards[s] += policy[s][a] * reward[s][a]
        for next in 0..<states { moves[s][next] += policy[s][a] * transition[s][a][next] }
      }
    }
    return (moves, rewards)
  }

  /// V^π = (I − γ P^π)⁻¹ r^π
  func values(_ policy: [[Double]]) -> [Double] {
    let (moves, rewards) = under(policy)
    return solve(identity(minus: moves, transposed: false), rewards)
  }

  /// d^π = (1 − γ) (I − γ P^πᵀ)⁻¹ ρ
  func visits(_ policy: [[Double]]) -> [Double] {
    solve(identity(minus: under(policy).moves, transposed: true), start).map { (1 - discount) * $0 }
  }

  func expectedReturn(_ policy: [[Double]]) -> Double { dot(start, values(policy)) }

  /// A^π(s, a) = r + γ E[V^π(s′)] − V^π(s)
  func advantages(_ policy: [[Double]]) -> [[Double]] {
    let v = values(policy)
    var result = reward
    for s in 0..<states {
      for a in 0..<actions { result[s][a] += discount * dot(transition[s][a], v) - v[s] }
    }
    return result
  }

  /// I − γ P, or I − γ Pᵀ.
  private func identity(minus moves: [[Double]], transposed: Bool) -> [[Double]] {
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: states), count: states)
    for i in 0..<states {
      for j in 0..<states { matrix[i][j] = -discount * (transposed ? moves[j][i] : moves[i][j]) }
      matrix[i][i] += 1
    }
    return matrix
  }

  /// Gaussian elimination with pivots.
  private func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    var (m, x) = (matrix, right)
    for column in x.indices {
      let pivot = (column..<x.count).max { abs(m[$0][column]) < abs(m[$1][column]) } ?? column
      m.swapAt(column, pivot)
      x.swapAt(column, pivot)
      for row in x.indices where row != column {
        let factor = m[row][column] / m[column][column]
        for k in column..<x.count { m[row][k] -= factor * m[column][k] }
        x[row] -= factor * x[column]
      }
    }
    return x.indices.map { x[$0] / m[$0][$0] }
  }
}

/// Σ x_i y_i
func dot(_ x: [Double], _ y: [Double]) -> Double {
  zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
}

@Suite struct PolicyComparisonTests {
  @Test func `on random tables both sides of the lemma agree to 1e-10`() {
    var stream = RandomStream(seed: 1, purpose: "test")
    for trial in 0..<200 {
      let table = Table(
        states: 2 + trial % 7, actions: 2 + trial % 4, discount: [0.5, 0.9, 0.99][trial % 3], using: &stream)
      let (old, new) = (table.policy(&stream), table.policy(&stream))
      let left = table.expectedReturn(new) - table.expectedReturn(old)
      let advantages = table.advantages(old)
      /// E_{a ~ new}[A^old(s, a)]
      let gains = (0..<table.states).map { dot(new[$0], advantages[$0]) }
      let visits = table.visits(new)
      let right = dot(visits, gains) / (1 - table.discount)
      #expect(abs(left - right) < 1e-10, "trial \(trial): \(left) and \(right)")

      // the sum along an episode that the program takes, in expectation: Σ γᵗ E[A^old(s_t, a_t)]
      let moves = table.under(new).moves
      var (states, expected) = (table.start, [Double]())
      for _ in 0..<4000 {
        expected.append(dot(states, gains))
        var following = [Double](repeating: 0, count: table.states)
        for s in following.indices { for next in following.indices { following[next] += states[s] * moves[s][next] } }
        states = following
      }
      #expect(abs(discountedSum(expected, table.discount) - left) < 1e-10, "trial \(trial)")

      // the states of another policy are another thing, unless the policies are the same
      let others = dot(table.visits(old), gains) / (1 - table.discount)
      if trial == 0 { #expect(abs(others - left) > 1e-6) }
    }
  }

  @Test func `on the linear-quadratic task the rollouts and the lemma with the true advantage are right to 1 percent`()
    throws
  {
    let linear = LinearTask()
    let (old, new) = (0.0, 0.9)
    let runner = PolicyRunner(
      makeEnvironment: { linear.environment() }, task: "Linear-v0", discount: LinearTask.discount, episodes: 50, seed: 7
    )
    let before = try runner.run(linear.policy(gain: old), drawsActions: false, purpose: "old")
    let after = try runner.run(linear.policy(gain: new), drawsActions: false, purpose: "new")
    var worst = (a: 0.0, b: 0.0)
    for (one, other) in zip(before, after) {
      // the same start
      #expect(one.observations[0] == other.observations[0])
      let x = Double(one.observations[0])
      let truth = (linear.valueFactor(gain: old) - linear.valueFactor(gain: new)) * x * x
      let difference = other.discountedReturn(LinearTask.discount) - one.discountedReturn(LinearTask.discount)
      let advantages = (0..<other.count).map {
        linear.advantage(
          gain: old, Double(other.observations[$0]), LinearTask.bound * Double(other.actions[$0]))
      }
      worst.a = max(worst.a, abs(difference - truth) / truth)
      worst.b = max(worst.b, abs(discountedSum(advantages, LinearTask.discount) - truth) / truth)
    }
    #expect(worst.a < 0.01 && worst.b < 0.01, "\(worst)")
  }

  @Test func `with a fitted Q the report finds the improvement of the linear-quadratic task, (a) to 1 percent`() throws
  {
    let linear = LinearTask()
    let (old, new) = (try linear.policy(gain: 0), try linear.policy(gain: 0.9))
    let data = try linear.data([old, new])
    let settings = try linear.settings(updates: 12_000)
    let result = try PolicyComparison(
      old: old, new: new, from: data, settings, environment: ("Linear-v0", { linear.environment() }))
    let returns = try #require(result.returns)
    let lemma = try #require(result.lemma)
    // J = −p E[x₀²], with the very starts of the rollouts
    let squares = -returns.old.mean / linear.valueFactor(gain: 0)
    let truth = (linear.valueFactor(gain: 0) - linear.valueFactor(gain: 0.9)) * squares
    #expect(abs(returns.difference.mean - truth) < 0.01 * truth, "(a) \(returns.difference.mean), \(truth)")
    // a learned critic: 12,000 updates bring it this near
    #expect(abs(lemma.mean - truth) < 0.2 * truth, "(b) \(lemma.mean), \(truth)")
    #expect(result.improves == true && result.lemmaByCritic.count == 4)
    // the other way round it is worse, and the gate stays shut
    let back = try PolicyComparison(
      old: new, new: old, from: data, try linear.settings(updates: 500),
      environment: ("Linear-v0", { linear.environment() }))
    #expect(back.improves == false && (back.returns?.difference.high ?? 0) < 0)
    #expect(back.explanation[0].contains("is worse"))
  }

  @Test func `the surrogate is the mean advantage over the data's states, whatever the new policy would visit`() throws
  {
    let linear = LinearTask()
    let (k, gamma) = (0.9, LinearTask.discount)
    let data = try linear.data([linear.policy(gain: 0)])
    var squares = 0.0
    data.forEachTransition { squares += Double($0.observation[$0.observation.startIndex]).squared }
    let ofData = squares / Double(data.count)
    // A^old(x, −k x) = A^old(1, −k) x²; the new policy's own states shrink by a − b k a step:
    // E_{d^new}[x²] = (1 − γ) E[x₀²] / (1 − γ (a − b k)²)
    let advantage = linear.advantage(gain: 0, 1, -k)
    let closed = linear.task.drift - linear.task.push * k
    let ofNew = (1 - gamma) / 3 / (1 - gamma * closed * closed)
    let result = try PolicyComparison(
      old: linear.policy(gain: 0), new: linear.policy(gain: k), from: data, try linear.settings(updates: 12_000),
      environment: nil)
    let truth = advantage * ofData / (1 - gamma)
    #expect(abs(result.surrogate.mean - truth) < 0.15 * truth, "\(result.surrogate), \(truth)")
    #expect(ofData > 3 * ofNew, "the states are alike: \(ofData), \(ofNew)")
  }

  @Test func `policies that normalise are compared to the bit as those whose weights do it`() throws {
    let linear = LinearTask()
    // a scale that is a power of two: nothing is rounded on either way
    let scale = ObservationNormalization(mean: [0], scale: [0.25], clip: nil)
    let (old, new) = (try linear.policy(gain: 0), try linear.policy(gain: 0.9))
    let data = try linear.data([old, new], steps: 2000)
    func compare(_ old: Policy, _ new: Policy) throws -> PolicyComparison {
      try PolicyComparison(
        old: old, new: new, from: data, try linear.settings(updates: 100),
        environment: ("Linear-v0", { linear.environment() }))
    }
    let (a, b) = (
      try compare(old, new),
      try compare(linear.policy(gain: 0, normalization: scale), linear.policy(gain: 0.9, normalization: scale))
    )
    #expect(a.surrogateByCritic == b.surrogateByCritic && a.lemmaByCritic == b.lemmaByCritic)
    #expect(a.returns?.new.mean == b.returns?.new.mean && a.nearestNewActions == b.nearestNewActions)
  }

  @Test func `without a task there is the surrogate alone, and its worth is said`() throws {
    let linear = LinearTask()
    let (old, new) = (try linear.policy(gain: 0), try linear.policy(gain: 0.9))
    let result = try PolicyComparison(
      old: old, new: new, from: linear.data([old]), try linear.settings(updates: 2000), environment: nil)
    #expect(result.returns == nil && result.lemma == nil && result.improves == nil && result.criticError == nil)
    #expect(result.surrogate.low > 0, "\(result.surrogate)")
    #expect(result.explanation.contains { $0.contains("not to trust it") })
  }
}

extension Double {
  fileprivate var squared: Double { self * self }
}
