// OptimizerConfiguration.swift — the settings of networks, losses and optimisers that learners share.

import Kernels
import Networks

/// The configuration of a learner that uses Adam. Its optimisers share all settings except for the learning rate.
public protocol OptimizerConfiguration: AlgorithmConfiguration {
  /// δ of the critics' loss, Huber's; nil: the squared error.
  var huberThreshold: Float? { get }
  /// How every learning rate changes over the run's updates.
  var learningRateSchedule: LearningRateSchedule { get set }
  /// The bound of ‖g‖ of the policy, and of all critics together; nil: none.
  var maximumGradientNorm: Float? { get }
  /// Adam's β₁, the decay of the gradients' mean.
  var adamBeta1: Double { get }
  /// Adam's β₂, the decay of the mean of their squares.
  var adamBeta2: Double { get }
  /// Adam's ε, added to the root that it divides by.
  var adamEpsilon: Double { get }
}

extension OptimizerConfiguration {
  /// The optimiser's settings with this learning rate.
  public func adam(learningRate: Float) -> AdamSettings {
    var settings = AdamSettings(learningRate: learningRate)
    (settings.schedule, settings.maximumGradientNorm) = (learningRateSchedule, maximumGradientNorm)
    (settings.beta1, settings.beta2, settings.epsilon) = (adamBeta1, adamBeta2, adamEpsilon)
    return settings
  }

  /// ℓ, the loss of a critic's error.
  public var valueLoss: ValueLoss { huberThreshold.map { .huber(threshold: $0) } ?? .squared }

  public func lasting(updates: Int) -> Self {
    var configuration = self
    configuration.learningRateSchedule = learningRateSchedule.over(updates: updates)
    return configuration
  }
}

/// The configuration of a policy and critics, each with sizes and blocks of its own.
public protocol ActorCriticConfiguration: OptimizerConfiguration {
  /// Units in each hidden layer, where nothing else is said.
  var hiddenSizes: [Int] { get }
  /// Units in each hidden layer of the policy; nil: `hiddenSizes`.
  var policyHiddenSizes: [Int]? { get }
  /// Units in each hidden layer of each critic; nil: `hiddenSizes`.
  var criticHiddenSizes: [Int]? { get }
  /// f of the policy's hidden layers.
  var policyActivation: Activation { get }
  /// f of the critics' hidden layers.
  var criticActivation: Activation { get }
  /// What normalises the units of the critics' hidden layers.
  var criticNormalization: BlockNormalization { get }
  /// The share of the critics' hidden units that are dropped while learning.
  var criticDropout: Float { get }
}

extension ActorCriticConfiguration {
  public var policyActivation: Activation { .relu }
  public var criticActivation: Activation { .relu }
  public var criticNormalization: BlockNormalization { .none }
  public var criticDropout: Float { 0 }

  /// Units in each hidden layer of the policy.
  public var policySizes: [Int] { policyHiddenSizes ?? hiddenSizes }
  /// Units in each hidden layer of each critic.
  public var criticSizes: [Int] { criticHiddenSizes ?? hiddenSizes }
  /// The hidden layers of each critic.
  public var criticBlocks: [NetworkBlock] {
    [NetworkBlock](
      criticSizes, activation: criticActivation, normalization: criticNormalization, dropout: criticDropout)
  }

  /// The kind, sizes and activation of the learned policy, for files.
  public func policyForm(_ kind: PolicyForm.Kind) -> PolicyForm {
    PolicyForm(kind, hiddenSizes: policySizes, activation: policyActivation)
  }

  /// The policy's sizes, for its cost.
  package func policySize(inputs: Int, outputs: Int) -> NetworkSize {
    NetworkSize(inputs: inputs, hidden: policySizes, activation: policyActivation, outputs: outputs)
  }

  /// A critic's sizes, for its cost.
  package func criticSize(inputs: Int, outputs: Int) -> NetworkSize {
    NetworkSize(inputs: inputs, blocks: criticBlocks, outputs: outputs)
  }
}

extension Hyperparameter {
  /// Sizes of the policy.
  public static let policyHiddenSizes = Hyperparameter(
    "policyHiddenSizes", "H_π", .wholes(1, 16_384), "units in each hidden layer of the policy; null: hiddenSizes",
    source: "as hiddenSizes", isOptional: true)

  /// Sizes of the critics.
  public static let criticHiddenSizes = Hyperparameter(
    "criticHiddenSizes", "H_Q", .wholes(1, 16_384), "units in each hidden layer of each critic; null: hiddenSizes",
    source: "as hiddenSizes", isOptional: true)

  private static let activations: [String: Interval] = Dictionary(
    uniqueKeysWithValues: Activation.allCases.map { ($0.name, .nothing) })

  /// f of the policy's hidden layers.
  public static func policyActivation(_ source: String = "ReLU: all papers") -> Hyperparameter {
    Hyperparameter(
      "policyActivation", "f_π", cases: activations, "activation of the policy's hidden layers", source: source)
  }

  /// f of the critics' hidden layers.
  public static func criticActivation(_ source: String = "ReLU: all papers") -> Hyperparameter {
    Hyperparameter(
      "criticActivation", "f_Q", cases: activations, "activation of the critics' hidden layers", source: source)
  }

  /// What normalises the critics' hidden layers.
  public static func criticNormalization(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "criticNormalization", "", cases: ["none": .nothing, "layer": .nothing],
      "what normalises the units of the critics' hidden layers", source: source)
  }

  /// δ of Huber's loss, or the squared error.
  public static func huberThreshold(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "huberThreshold", "δ", .real(0, excludingLower: true), "δ of Huber's loss; null means the squared error",
      source: source, isOptional: true)
  }

  /// How rates change over a run.
  public static let learningRateSchedule = rateSchedule("constant: all papers")

  /// The same, where the schedule has a source of its own.
  static func rateSchedule(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "learningRateSchedule", "η_n",
      cases: [
        "constant": .nothing, "linear.final": .real(0, 1), "linear.updates": .whole(1), "cosine.final": .real(0, 1),
        "cosine.updates": .whole(1),
      ],
      caseDefaults: [
        "linear.final": .number(0), "linear.updates": .null, "cosine.final": .number(0), "cosine.updates": .null,
      ],
      "decay of every learning rate to the share `final`, over `updates` updates; null: over the whole run",
      source: source)
  }

  /// The bound of the gradient's norm.
  public static let maximumGradientNorm = Hyperparameter(
    "maximumGradientNorm", "c", .real(0, excludingLower: true),
    "bound of the gradient's norm, of the policy and of all critics; null: none", source: "none: all papers",
    isOptional: true)

  /// Adam's β₁.
  public static let adamBeta1 = Hyperparameter(
    "adamBeta1", "β₁", .real(0, 1, excludingUpper: true), "Adam's decay of the gradients' mean",
    source: "Kingma & Ba 2015, alg. 1")

  /// Adam's β₂.
  public static let adamBeta2 = Hyperparameter(
    "adamBeta2", "β₂", .real(0, 1, excludingUpper: true), "Adam's decay of the mean of their squares",
    source: "Kingma & Ba 2015, alg. 1")

  /// Adam's ε.
  public static let adamEpsilon = Hyperparameter(
    "adamEpsilon", "ε", .real(0, 1, excludingLower: true), "added to the root that Adam divides by",
    source: "Kingma & Ba 2015, alg. 1")
}

extension [Hyperparameter] {
  /// The settings of Adam that all optimisers of an algorithm share.
  public static var adam: [Hyperparameter] {
    [.learningRateSchedule, .maximumGradientNorm, .adamBeta1, .adamBeta2, .adamEpsilon]
  }
}
