// CategoricalPolicy.swift — the policy π(·|s) = softmax f(s) over A choices: probabilities, draws, gradients of expectations.

import Kernels
import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A stochastic policy over discrete actions: a trunk whose linear outputs are logits.
package final class CategoricalPolicy: @unchecked Sendable {
  package let parameters: Parameters
  /// A, the number of choices.
  package let choices: Int
  private let activations: Activations
  private let logits: Matrix  // (B × A)
  private let probabilities: Matrix  // (B × A)
  private let logProbabilities: Matrix  // (B × A)
  private let logitGradients: Matrix  // (B × A)

  package convenience init(
    observationSize: Int, choices: Int, hiddenSizes: [Int], activation: Activation = .relu, batchSize: Int
  ) {
    let layout = Layout(
      inputs: observationSize, gradientInputs: 0, blocks: [NetworkBlock](hiddenSizes, activation: activation),
      outputs: [(nil, choices)], scalar: false)
    self.init(Parameters(layout, isLearned: true), choices: choices, batchSize: batchSize)
  }

  /// The same policy with buffers of its own, for other batches.
  package convenience init(sharing other: CategoricalPolicy, batchSize: Int) {
    self.init(other.parameters, choices: other.choices, batchSize: batchSize)
  }

  private init(_ parameters: Parameters, choices: Int, batchSize: Int) {
    self.parameters = parameters
    self.choices = choices
    activations = Activations(parameters.layout, rows: batchSize, forLearning: true)
    logits = Matrix(rows: batchSize, columns: choices)
    probabilities = Matrix(rows: batchSize, columns: choices)
    logProbabilities = Matrix(rows: batchSize, columns: choices)
    logitGradients = Matrix(rows: batchSize, columns: choices)
  }

  /// π(·|s) for some rows of observations.
  package func evaluate(_ observations: borrowing Matrix, rows: Range<Int>) {
    parameters.forward(Input(observations), activations, into: logits, rows: rows)
    for row in rows {
      // log π_a = z_a − log Σ_b exp z_b, with the greatest logit subtracted first, so that nothing overflows
      let greatest = logits[row, logits.indexOfMaximum(inRow: row)]
      var sum = 0.0
      for choice in 0..<choices { sum += exp(Double(logits[row, choice] - greatest)) }
      let logSum = log(sum)
      for choice in 0..<choices {
        let logProbability = Double(logits[row, choice] - greatest) - logSum
        logProbabilities[row, choice] = Float(logProbability)
        probabilities[row, choice] = Float(exp(logProbability))
      }
    }
  }

  /// π(a|s) at a row of the last evaluation.
  package func probability(of choice: Int, at row: Int) -> Float { probabilities[row, choice] }

  /// log π(a|s) at a row of the last evaluation.
  package func logProbability(of choice: Int, at row: Int) -> Float { logProbabilities[row, choice] }

  /// The share of hidden units that are zero over the first `rows` rows of the last evaluation.
  package func deadUnits(rows: Int) -> Double { activations.deadUnits(rows: rows) }

  /// The likeliest action at a row of the last evaluation; ties go to the first.
  package func best(at row: Int) -> Int { logits.indexOfMaximum(inRow: row) }

  /// An action drawn from π(·|s) at a row of the last evaluation.
  package func sample(at row: Int, using generator: inout RandomStream) -> Int {
    // the first action whose cumulative probability is above the draw; the last one if rounding leaves none
    let draw = generator.uniform()
    var sum: Float = 0
    for choice in 0..<(choices - 1) {
      sum += probabilities[row, choice]
      if draw < sum { return choice }
    }
    return choices - 1
  }

  /// The backward pass of scale · Σ_a π(a|s) f_a to the hidden layers, for some rows:
  /// ∂/∂z_a = scale · π_a (f_a − Σ_b π_b f_b).
  ///
  /// If f_a is α log π_a plus a constant, this is the whole gradient, since Σ_a π_a ∂ log π_a = 0.
  ///
  /// - Parameters:
  ///   - objective: f (B × A).
  ///   - expectations: Σ_a π_a f_a (B).
  package func backward(
    objective: borrowing Matrix, expectations: borrowing Block, scale: Float, rows: Range<Int>
  ) {
    for row in rows {
      for choice in 0..<choices {
        logitGradients[row, choice] =
          scale * probabilities[row, choice] * (objective[row, choice] - expectations[row])
      }
    }
    parameters.backwardOutput(logitGradients, activations, rows: rows)
  }

  /// ∂L/∂θ of a share of the parameters.
  package func weightGradients(_ observations: borrowing Matrix, rows: Int, _ share: Share) {
    parameters.weightGradients(Input(observations), activations, output: logitGradients, rows: rows, share)
  }
}
