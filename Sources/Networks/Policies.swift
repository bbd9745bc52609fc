// Policies.swift — the policies of real-valued actions: a squashed Gaussian (SAC) and a deterministic tanh (DDPG, TD3,
// TD3+BC). CategoricalPolicy.swift has the policy of discrete SAC. DQN has no policy network: it acts by its critic.

import Kernels
import Platform

/// π(·|s) = tanh N(μ(s), σ(s)²): one trunk with the heads μ and log σ, kept side by side as one layer.
package final class SquashedGaussian: @unchecked Sendable {
  package let parameters: Parameters
  /// The same, as a list.
  let networks: [Parameters]
  private let actionSize: Int
  /// One, for the one network.
  let activations: FixedArray<Activations>
  let heads: Matrix  // (B × 2A)
  let headGradients: Matrix  // (B × 2A)
  let record: GaussianRecord

  /// - Parameters:
  ///   - batchNormalization: of what every layer reads. Such a policy learns from `sampleBatch`; elsewhere it is normalised by its
  ///     running statistics.
  ///   - hasUnitLengths: the weights of each unit and output are kept at length 1.
  ///   - isLearned: false for a policy into which another is folded.
  package convenience init(
    observationSize: Int, actionSize: Int, hiddenSizes: [Int], activation: Activation = .relu, batchSize: Int,
    batchNormalization: BatchNormalization? = nil, hasUnitLengths: Bool = false, isLearned: Bool = true
  ) {
    let layout = Layout(
      inputs: observationSize, gradientInputs: 0, blocks: [NetworkBlock](hiddenSizes, activation: activation),
      outputs: [("mean", actionSize), ("log_std", actionSize)], scalar: false, batchNormalization: batchNormalization,
      hasUnitLengths: hasUnitLengths)
    self.init(Parameters(layout, isLearned: isLearned), actionSize: actionSize, batchSize: batchSize)
  }

  /// The same policy with buffers of its own, for other batches.
  package convenience init(sharing other: SquashedGaussian, batchSize: Int) {
    self.init(other.parameters, actionSize: other.actionSize, batchSize: batchSize)
  }

  private init(_ parameters: Parameters, actionSize: Int, batchSize: Int) {
    (self.parameters, networks) = (parameters, [parameters])
    self.actionSize = actionSize
    activations = FixedArray(count: 1) { _ in Activations(parameters.layout, rows: batchSize, forLearning: true) }
    heads = Matrix(rows: batchSize, columns: 2 * actionSize)
    headGradients = Matrix(rows: batchSize, columns: 2 * actionSize)
    record = GaussianRecord(rows: batchSize, actionSize: actionSize)
  }

  /// Draws an action for some rows of observations with the given ε: a = tanh(μ + σ ε).
  package func sample(
    _ observations: borrowing Matrix, noise: borrowing Block, into draw: borrowing PolicyDraw, rows: Range<Int>
  ) {
    forward(observations, rows: rows)
    sampleAgain(0, noise: noise, into: draw, rows: rows)
  }

  /// μ(s) and log σ(s) for some rows, to draw from.
  package func evaluate(_ observations: borrowing Matrix, rows: Range<Int>) { forward(observations, rows: rows) }

  /// Draws actions again from the heads of the last evaluation, with the k-th ε of `noise` (K × B × A).
  package func sampleAgain(_ k: Int, noise: borrowing Block, into draw: borrowing PolicyDraw, rows: Range<Int>) {
    gaussianSample(
      heads, noise: noise, draw: k, into: draw.actions, record, logProbabilities: draw.logProbabilities, rows: rows)
  }

  /// The action that the mean gives: a = tanh μ.
  package func mean(_ observations: borrowing Matrix, into actions: borrowing Matrix, rows: Range<Int>) {
    forward(observations, rows: rows)
    for row in rows {
      for i in 0..<actionSize { actions[row, i] = heads[row, i] }
    }
    tanhForward(actions, rows: rows)
  }

  /// The backward pass of ∂L/∂a (B × A) and ∂L/∂log π of the last draw to the hidden layers, for some rows.
  package func backward(actionGradient: borrowing Matrix, logProbabilityGradient: Float, rows: Range<Int>) {
    gaussianGradient(
      record, actionGradient: actionGradient, logProbabilityGradient: logProbabilityGradient, into: headGradients,
      rows: rows)
    parameters.backwardOutput(headGradients, activations[0], rows: rows)
  }

  /// The backward pass of Σ_k w_k log π(a_k|s) to the hidden layers, with the actions of the last K draws fixed, for some rows.
  ///
  /// - Parameters:
  ///   - weights: w (K × B), the weight of draw k of row i.
  ///   - noise: ε (K × B × A) of the draws.
  package func backward(scoreWeights weights: borrowing Block, draws: Int, noise: borrowing Block, rows: Range<Int>) {
    gaussianScoreGradient(heads, record, draws: draws, noise: noise, weights: weights, into: headGradients, rows: rows)
    parameters.backwardOutput(headGradients, activations[0], rows: rows)
  }

  /// ∂L/∂θ of a share of the parameters.
  package func weightGradients(_ observations: borrowing Matrix, rows: Int, _ share: Share) {
    parameters.weightGradients(Input(observations), activations[0], output: headGradients, rows: rows, share)
  }

  /// The share of hidden units that are zero over the first `rows` rows of the last evaluation.
  package func deadUnits(rows: Int) -> Double { activations[0].deadUnits(rows: rows) }

  private func forward(_ observations: borrowing Matrix, rows: Range<Int>) {
    parameters.forward(Input(observations), activations[0], into: heads, rows: rows)
  }
}

/// Actions in [−1, 1] that a policy drew, and their log-densities.
package struct PolicyDraw: ~Copyable {
  package let actions: Matrix  // (B × A)
  package let logProbabilities: Block  // (B)

  package init(rows: Int, actionSize: Int) {
    actions = Matrix(rows: rows, columns: actionSize)
    logProbabilities = Block(count: rows)
  }
}

/// One row to act from, and room for what it becomes.
package struct ActingRow: ~Copyable {
  package let observation: Matrix  // (1 × S)
  package let noise: Block  // (A)
  package let draw: PolicyDraw  // (1 × A)

  package init(observationSize: Int, actionSize: Int) {
    observation = Matrix(rows: 1, columns: observationSize)
    noise = Block(count: actionSize)
    draw = PolicyDraw(rows: 1, actionSize: actionSize)
  }
}

/// π(s) = tanh(f(s)).
public final class DeterministicPolicy: @unchecked Sendable {
  /// The network's weights and biases.
  public let parameters: Parameters
  private let activations: Activations
  private let outputGradients: Matrix  // (B × A)

  /// - Parameter isLearned: false for a target policy, which has no gradients.
  public convenience init(
    observationSize: Int, actionSize: Int, hiddenSizes: [Int], activation: Activation = .relu, batchSize: Int,
    isLearned: Bool = true
  ) {
    let layout = Layout(
      inputs: observationSize, gradientInputs: 0, blocks: [NetworkBlock](hiddenSizes, activation: activation),
      outputs: [(nil, actionSize)], scalar: false)
    self.init(Parameters(layout, isLearned: isLearned), batchSize: batchSize, forLearning: isLearned)
  }

  /// A target policy: of the same layout, with parameters of its own, which are only ever tracked.
  public convenience init(following other: DeterministicPolicy) {
    self.init(
      Parameters(other.parameters.layout, isLearned: false), batchSize: other.outputGradients.rows, forLearning: false)
  }

  /// The same policy with buffers of its own, for acting.
  public convenience init(sharing other: DeterministicPolicy, batchSize: Int) {
    self.init(other.parameters, batchSize: batchSize, forLearning: false)
  }

  private init(_ parameters: Parameters, batchSize: Int, forLearning: Bool) {
    self.parameters = parameters
    activations = Activations(parameters.layout, rows: batchSize, forLearning: forLearning)
    outputGradients = Matrix(rows: batchSize, columns: parameters.layout.output.outputs)
  }

  /// a = π(s) for some rows.
  public func evaluate(_ observations: borrowing Matrix, into actions: borrowing Matrix, rows: Range<Int>) {
    parameters.forward(Input(observations), activations, into: actions, rows: rows)
    tanhForward(actions, rows: rows)
  }

  /// The backward pass of ∂L/∂a at the last evaluated actions to the hidden layers, for some rows.
  public func backward(actions: borrowing Matrix, actionGradient: borrowing Matrix, rows: Range<Int>) {
    tanhGradient(actionGradient, actions: actions, into: outputGradients, rows: rows)
    parameters.backwardOutput(outputGradients, activations, rows: rows)
  }

  /// ∂L/∂θ of a share of the parameters.
  public func weightGradients(_ observations: borrowing Matrix, rows: Int, _ share: Share) {
    parameters.weightGradients(Input(observations), activations, output: outputGradients, rows: rows, share)
  }

  /// The share of hidden units that are zero over the first `rows` rows of the last evaluation.
  public func deadUnits(rows: Int) -> Double { activations.deadUnits(rows: rows) }
}
