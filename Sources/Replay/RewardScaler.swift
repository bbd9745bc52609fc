// RewardScaler.swift — divides rewards by the running standard deviation of the discounted return.
// Engstrom et al. 2020, "Implementation Matters in Deep Policy Gradients", arXiv:2005.12729; the bound: FlashSAC, arXiv:2604.04539.
//
//   G ← γ G + r at each step of an environment, 0 after its episode's end
//   divisor = √(Var G + ε), Var over every G so far, ε = 1e-8;   with a bound c:  max(√(Var G + ε), max |G| / c)
//
// Rewards are only scaled. No mean is subtracted, since that would change the best policy where episodes end. The buffer keeps
// raw rewards. They are divided when they are gathered, so old rewards follow the current divisor. An n-step return is divided
// in the same way, since it is a sum of rewards.
//
// Critics then learn Q / divisor. Compare Q · divisor with returns, and α · divisor with rewards.

import Kernels

/// The running standard deviation of the discounted return, by which rewards are divided.
public final class RewardScaler {
  /// ε, added to the variance.
  static let epsilon = 1e-8

  private let discount: Double
  private let bound: Double?
  /// G of the running episode of each environment.
  private var returns: [Double]  // (N)
  // Welford's mean and Σ (G − mean)², and max |G|
  private var count = 0.0
  private var mean = 0.0
  private var squares = 0.0
  private var largest = 0.0

  /// The divisor of rewards; 1 as long as all returns are equal.
  public private(set) var divisor = 1.0

  /// - Parameters:
  ///   - discount: γ of the learner, since its critic learns G.
  ///   - bound: c, the largest |G| / divisor; nil: none.
  ///   - lanes: number of environments.
  public init(discount: Double, bound: Double? = nil, lanes: Int = 1) {
    precondition(lanes > 0 && bound ?? 1 > 0, "a bound of \(bound ?? 0), \(lanes) lanes")
    (self.discount, self.bound) = (discount, bound)
    returns = [Double](repeating: 0, count: lanes)
  }

  // differs: the return begins anew after every end, as in Stable-Baselines3; Gymnasium's does after terminations alone
  /// Counts the reward of one step of an environment, as it was stored.
  ///
  /// - Parameter endsEpisode: terminated or truncated.
  public func update(lane: Int = 0, reward: Double, endsEpisode: Bool) {
    let value = discount * returns[lane] + reward
    returns[lane] = value
    count += 1
    let difference = value - mean
    mean += difference / count
    squares += difference * (value - mean)
    largest = max(largest, abs(value))
    publish()
    if endsEpisode { endEpisode(lane: lane) }
  }

  /// Begins a new return: the episode has ended, or the simulator broke it off.
  public func endEpisode(lane: Int = 0) { returns[lane] = 0 }

  private func publish() {
    // differs: as long as all returns were equal their variance, 0, says nothing, and rewards stay as they are; elsewhere they
    // are multiplied by 10,000, or clipped
    let deviation = squares > 0 ? (squares / count + Self.epsilon).squareRoot() : 1
    divisor = max(deviation, bound.map { largest / $0 } ?? 0)
  }

  // MARK: use

  /// Divides the rewards of a batch that was gathered from the buffer.
  // differs: no reward is clipped; Stable-Baselines3 clips to ±10
  public func apply(to batch: borrowing Batch) {
    for row in 0..<batch.count { batch.rewards[row] = Float(Double(batch.rewards[row]) / divisor) }
  }

  // MARK: state

  /// The complete state, for a checkpoint.
  public var state: [(name: String, values: [Double])] {
    [
      ("rewardScaler.count", [count]), ("rewardScaler.mean", [mean]), ("rewardScaler.squares", [squares]),
      ("rewardScaler.largest", [largest]), ("rewardScaler.returns", returns),
    ]
  }

  /// Restores a saved state, with the same bits.
  ///
  /// - Throws: the error of `find` for a missing name, `MismatchedStatistics` for numbers of another run.
  public func restore(from find: (_ name: String) throws -> [Double]) throws {
    let returns = try statistics("rewardScaler.returns", count: self.returns.count, from: find)
    let count = try statistics("rewardScaler.count", count: 1, atLeast: 0, from: find)[0]
    let mean = try statistics("rewardScaler.mean", count: 1, from: find)[0]
    let squares = try statistics("rewardScaler.squares", count: 1, atLeast: 0, from: find)[0]
    largest = try statistics("rewardScaler.largest", count: 1, atLeast: 0, from: find)[0]
    (self.returns, self.count, self.mean, self.squares) = (returns, count, mean, squares)
    if count > 0 { publish() }
  }
}
