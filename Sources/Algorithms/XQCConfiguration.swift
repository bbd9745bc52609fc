// XQCConfiguration.swift — XQC's settings: defaults, ranges and sources. XQC.swift has the equations.

import Kernels
import Networks
import Replay

extension XQC {
  /// The settings of XQC.
  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.995
    /// How the target critics follow the critics; τ.
    public var targetTracking = TargetTracking.soft(rate: 0.005)
    public var batchSize = 256
    /// Units in each hidden layer of each critic, and of the policy unless it has its own sizes.
    public var hiddenSizes = [256, 256, 256, 256]
    /// Sizes of the policy; nil: `hiddenSizes`.
    public var policyHiddenSizes: [Int]? = [256, 256, 256, 256]
    /// Sizes of the critics; nil: `hiddenSizes`.
    public var criticHiddenSizes: [Int]? = nil
    /// M, the values that a return may have.
    public var atoms = 101
    /// V_min, the smallest of them, in scaled rewards.
    public var minimumValue: Float = -5
    /// V_max, the largest of them.
    public var maximumValue: Float = 5
    /// m of the running statistics M ← m M + (1 − m) μ.
    public var batchMomentum: Float = 0.99
    /// Added to variances.
    public var batchEpsilon: Float = 1e-3
    /// The policy and the temperature step at each d-th update.
    public var policyDelay = 3
    /// Adam's rate η for the policy.
    public var policyLearningRate: Float = 3e-4
    /// Adam's rate η for the critics.
    public var criticLearningRate: Float = 3e-4
    /// Adam's rate η for log α.
    public var temperatureLearningRate: Float = 3e-4
    /// α: learned from an initial value, or fixed.
    public var temperature = Temperature.learned(initial: 0.01)
    /// H̄ in nats, of the density of actions in [−1, 1]^A; null means −A / 2.
    public var targetEntropy: Float? = nil
    public var bufferCapacity = 1_000_000
    public var randomSteps = 5_000
    public var updateEvery = 1
    public var updatesPerStep = 1.0
    public var nSteps = 1
    public var sampler = SamplerConfiguration.uniform
    public var normalizeObservations = false
    public var scaleRewards = true
    public var returnBound: Float?

    // Adam, of every network and the temperature; the authors' AdamW has a decay of 0
    public var learningRateSchedule = LearningRateSchedule.linear(final: 0.1, updates: nil)
    public var maximumGradientNorm: Float? = nil
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8

    public init() {}

    /// The loss is a cross-entropy: it has no threshold.
    public var huberThreshold: Float? { nil }

    /// How every network normalises.
    var normalization: BatchNormalization {
      var normalization = BatchNormalization()
      (normalization.momentum, normalization.epsilon) = (batchMomentum, batchEpsilon)
      normalization.order = .beforeActivation
      return normalization
    }

    public func check() throws(ConfigurationError) {
      guard minimumValue < maximumValue else {
        throw .malformed(
          "minimumValue is \(minimumValue) and maximumValue \(maximumValue): a return may have no value; raise the latter"
        )
      }
      let range = maximumValue - minimumValue
      guard range.isFinite, (Float(atoms - 1) / range).isFinite else {
        throw .malformed(
          "from minimumValue \(minimumValue) to maximumValue \(maximumValue) it is \(range), which \(atoms) atoms cannot "
            + "divide: take bounds near the scaled returns, such as −5 and 5")
      }
    }

    private static let authors = "danielpalenicek/xqc"

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("danielpalenicek/xqc: 1 − 5 / T within [0.95, 0.995], for episodes of T = 1,000 steps"),
        .targetTracking(authors),
        .batchSize(authors),
        .hiddenSizes("four layers: danielpalenicek/xqc, whose critics have 512 units; 256 is a third of their cost"),
        Hyperparameter(
          "policyHiddenSizes", "H_π", .wholes(1, 16_384), "units in each hidden layer of the policy; null: hiddenSizes",
          source: authors, isOptional: true),
        .criticHiddenSizes,
        Hyperparameter(
          "atoms", "M", .whole(2, 1024), "values that a return may have",
          source: "danielpalenicek/xqc; Bellemare 2017 has 51"),
        Hyperparameter(
          "minimumValue", "V_min", .real(-.infinity), "the smallest of them, of scaled rewards", source: authors),
        Hyperparameter(
          "maximumValue", "V_max", .real(-.infinity), "the largest of them", source: authors),
        Hyperparameter(
          "batchMomentum", "m", .real(0, 1, excludingUpper: true),
          "share of the running statistics that a batch leaves", source: authors),
        Hyperparameter(
          "batchEpsilon", "ε", .real(0, 1, excludingLower: true), "added to variances", source: authors),
        .policyDelay(authors),
        .learningRate("policyLearningRate", "Adam's rate for the policy", authors),
        .learningRate("criticLearningRate", "Adam's rate for the critics", authors),
        .learningRate("temperatureLearningRate", "Adam's rate for log α", authors),
        .temperature("danielpalenicek/xqc: α starts at 0.01"),
        Hyperparameter(
          "targetEntropy", "H̄", .real(-.infinity), "entropy that α is tuned for; null means −A / 2",
          source: authors, isOptional: true),
        .bufferCapacity(authors),
        .randomSteps(authors),
      ] + .collecting(updatesPerStep: "one update per step: as sac; danielpalenicek/xqc has 2") + [
        .rateSchedule("linear to a tenth: danielpalenicek/xqc"), .maximumGradientNorm, .adamBeta1, .adamBeta2,
        .adamEpsilon,
      ]
  }
}
