// REDQConfiguration.swift — REDQ's settings: defaults, ranges and sources. REDQ.swift has the equations.

import Kernels
import Networks
import Replay

extension REDQ {
  /// The settings of REDQ.
  public struct Configuration: ActorCriticConfiguration, CollectingConfiguration {
    /// Discount γ, in [0, 1].
    public var discount: Float = 0.99
    /// How the target critics follow the critics; 1 − ρ in the paper.
    public var targetTracking = TargetTracking.soft(rate: 0.005)
    public var batchSize = 256
    /// Units in each hidden layer of the policy and of each critic.
    public var hiddenSizes = [256, 256]
    /// Sizes of the policy and of the critics; nil: `hiddenSizes`.
    public var policyHiddenSizes: [Int]? = nil
    public var criticHiddenSizes: [Int]? = nil
    public var policyActivation = Activation.relu
    public var criticActivation = Activation.relu
    public var criticNormalization = BlockNormalization.none
    /// The share of the critics' hidden units that are dropped while learning; DroQ.
    public var criticDropout: Float = 0
    /// J, the critics.
    public var critics = 10
    /// M, the critics in the minimum of a target, drawn anew for each update.
    public var criticsInTarget = 2
    /// The policy and the temperature step at each d-th update: once for the G updates of a step.
    public var policyDelay = 20
    /// Adam's rate η for the policy.
    public var policyLearningRate: Float = 3e-4
    /// Adam's rate η for the critics.
    public var criticLearningRate: Float = 3e-4
    /// Adam's rate η for log α.
    public var temperatureLearningRate: Float = 3e-4
    /// δ of Huber's loss of the critics; nil: the squared error.
    public var huberThreshold: Float? = nil
    /// α: learned from an initial value, or fixed.
    public var temperature = Temperature.learned(initial: 1)
    // differs: H̄ is −A for all tasks; the authors have −1 for Hopper, −2 for Humanoid, −3 for HalfCheetah and Walker2d, −4 for Ant
    /// H̄ in nats, of the density of actions in [−1, 1]^A; null means −A.
    public var targetEntropy: Float? = nil
    public var bufferCapacity = 1_000_000
    public var randomSteps = 5_000
    public var updateEvery = 1
    public var updatesPerStep = 20.0
    public var nSteps = 1
    public var sampler = SamplerConfiguration.uniform
    public var normalizeObservations = false
    public var scaleRewards = false
    public var returnBound: Float?

    // Adam, of every network and the temperature
    public var learningRateSchedule = LearningRateSchedule.constant
    public var maximumGradientNorm: Float? = nil
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8

    public init() {}

    public func check() throws(ConfigurationError) {
      guard criticsInTarget <= critics else {
        throw .malformed(
          "criticsInTarget is \(criticsInTarget) of \(critics) critics: a target cannot have more of them than there are"
        )
      }
    }

    public static let hyperparameters: [Hyperparameter] =
      [
        .discount("watchernyu/REDQ"),
        .targetTracking("watchernyu/REDQ"),
        .batchSize("watchernyu/REDQ"),
        .hiddenSizes("watchernyu/REDQ"),
        .policyHiddenSizes,
        .criticHiddenSizes,
        .policyActivation(),
        .criticActivation(),
        .criticNormalization("none: REDQ; layer: DroQ"),
        Hyperparameter(
          "criticDropout", "p", .real(0, 1, excludingUpper: true),
          "share of the critics' hidden units dropped while learning",
          source: "none: REDQ; DroQ has 0.0001 to 0.1 by task"),
        Hyperparameter("critics", "N", .whole(1, 64), "critics, J", source: "watchernyu/REDQ; DroQ has 2"),
        Hyperparameter(
          "criticsInTarget", "M", .whole(1, 64), "critics of a target, drawn anew for each update",
          source: "watchernyu/REDQ"),
        .policyDelay("watchernyu/REDQ: once for the updates of a step"),
        .learningRate("policyLearningRate", "Adam's rate for the policy", "watchernyu/REDQ"),
        .learningRate("criticLearningRate", "Adam's rate for the critics", "watchernyu/REDQ"),
        .learningRate("temperatureLearningRate", "Adam's rate for log α", "watchernyu/REDQ"),
        .huberThreshold("the notes (N5); all papers"),
        .temperature("watchernyu/REDQ: log α starts at 0"),
        .targetEntropy("Haarnoja 2018, table 1; watchernyu/REDQ has a number for each task"),
        .bufferCapacity("watchernyu/REDQ"),
        .randomSteps("watchernyu/REDQ"),
      ] + .collecting(updatesPerStep: "watchernyu/REDQ") + .adam
  }
}
