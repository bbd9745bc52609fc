// SoftActing.swift — what soft actor-critics of continuous actions share: acting, the entropy bonus, learning rates.

import Kernels
import Networks

/// A soft actor-critic with a squashed Gaussian policy: how it acts, what its entropy adds to a return, what has a rate.
protocol SoftActing: Algorithm where Configuration: ActorCriticConfiguration {
  /// The policy in the lanes.
  var actor: GaussianActor { get }
  /// α
  var learnedTemperature: LearnedTemperature { get }
  var policyOptimizer: Adam { get }
  var criticOptimizer: Adam { get }
}

extension SoftActing {
  public func beginEpisode(lane: Int) {}

  public func act(_ observations: borrowing Matrix, rows: Int, explore: Bool, into actions: borrowing Matrix) {
    actor.act(observations, rows: rows, explore: explore, into: actions)
  }

  public func sample(
    _ observations: borrowing Matrix, rows: Int, using stream: inout RandomStream, into actions: borrowing Matrix
  ) {
    actor.sample(observations, rows: rows, using: &stream, into: actions)
  }

  public func entropyBonus(lane: Int) -> Double { -learnedTemperature.value * actor.logProbability(lane: lane) }

  public func setLearningRate(_ rate: Float) {
    (policyOptimizer.learningRate, criticOptimizer.learningRate) = (rate, rate)
    learnedTemperature.learningRate = rate
  }

  public static func policy(_ configuration: Configuration) -> PolicyForm {
    configuration.policyForm(.squashedGaussian)
  }
}
