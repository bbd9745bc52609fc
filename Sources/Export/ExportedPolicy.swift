// ExportedPolicy.swift — a policy as layers, heads and bounds: what every export writes down.

import Algorithms
import Kernels
import Networks
import Replay
import Training

/// What a policy computes, in the order in which an export has to do it:
///
///     x = clip((s − mean) / scale, ±clip)                      where observations are normalised
///     x = f(W x + b)                                           for each hidden layer, f its activation
///     z = W x + b                                              the output layer
///     a = low + (tanh(z) + 1) / 2 · (high − low), in [low, high]      real-valued actions
///     a = the index of the greatest z; ties go to the first           one of several choices
///
/// With noise ε the first becomes tanh(z + σ ε), log σ = clamp(W x + b, −20, 2) of its own head and ε standard normal; the
/// second takes z − log(−log ε) with ε uniform in (0, 1), which draws from softmax z (Gumbel 1954).
struct ExportedPolicy {
  /// y = W x + b.
  struct Layer {
    let name: String
    let inputs: Int
    let outputs: Int
    let weight: [Float]  // (outputs × inputs)
    let bias: [Float]  // (outputs)

    /// The weight with a row for each input.
    var transposed: [Float] {  // (inputs × outputs)
      (0..<inputs * outputs).map { weight[$0 % outputs * inputs + $0 / outputs] }
    }
  }

  let description: PolicyDescription
  let hidden: [Layer]
  let output: Layer
  /// The head of log σ; nil where the policy draws no real-valued actions, or is to act by its mean.
  let logDeviation: Layer?
  /// It takes noise and draws.
  let isStochastic: Bool

  /// log σ is clamped to this.
  static let logDeviationBounds: ClosedRange<Float> = -20...2

  /// - Parameter isStochastic: it shall draw its actions.
  /// - Throws: `ExportError` when it shall draw and cannot.
  init(_ policy: Policy, isStochastic: Bool) throws {
    description = policy.description
    self.isStochastic = isStochastic
    let tensors = Dictionary(policy.tensors.map { ($0.name, $0) }) { first, _ in first }
    func layer(_ tensor: String, as name: String) throws -> Layer {
      guard let weight = tensors["policy.\(tensor).weight"], let bias = tensors["policy.\(tensor).bias"] else {
        throw ExportError("the policy has no policy.\(tensor).weight and .bias, so it cannot be exported")
      }
      return Layer(
        name: name, inputs: weight.shape[1], outputs: weight.shape[0], weight: weight.values, bias: bias.values)
    }
    let count = description.hiddenSizes.count
    hidden = try (0..<count).map { try layer("layer.\($0)", as: "hidden_\($0)") }
    let isGaussian = policy.isStochastic && description.choices == nil
    output = try layer(isGaussian ? "mean" : "layer.\(count)", as: "output")
    logDeviation = isStochastic && isGaussian ? try layer("log_std", as: "log_deviation") : nil
    // the outputs of discrete SAC are logits; those of DQN are values, and nothing says how to draw by them
    guard !isStochastic || policy.isStochastic || description.algorithm == "sac-discrete" else {
      throw ExportError("the policy of \(description.algorithm) is deterministic: there is nothing that it could draw")
    }
  }

  /// Hidden layers, then the output, then the head of log σ where there is one.
  var layers: [Layer] { hidden + [output] + (logDeviation.map { [$0] } ?? []) }

  var observationSize: Int { description.observationSize }
  var choices: Int? { description.choices }
  var activation: Activation { description.activation }
  var normalization: ObservationNormalization? { description.normalization }
  var low: [Float] { description.actionLow }
  var high: [Float] { description.actionHigh }
  /// (high − low) / 2.
  var halfRange: [Float] { zip(low, high).map { ($1 - $0) / 2 } }
  /// Units of the widest hidden layer.
  var widest: Int { description.hiddenSizes.max() ?? 1 }
  /// Values that a draw takes: A, or the number of choices.
  var noiseSize: Int { output.outputs }

  /// What it is, for a comment: `sac on Pendulum-v1 after 10000 steps`.
  var summary: String {
    "\(plain(description.algorithm)) on \(plain(description.environment)) after \(description.step) steps"
  }

  /// What an action is, for a comment.
  var actionSummary: String {
    let values = counted(low.count, "value")
    return choices.map { "one of \($0) choices, by its index" } ?? "\(values) in the environment's own units"
  }

  /// How a draw uses its noise, for a comment.
  var noiseSummary: String {
    choices == nil ? counted(noiseSize, "standard normal number") : counted(noiseSize, "uniform number") + " in (0, 1)"
  }
}

/// A policy that cannot be exported as asked, or a file that cannot be written.
public struct ExportError: Error, CustomStringConvertible {
  /// What cannot be exported, and what to do, in one line.
  public let description: String

  init(_ description: String) { self.description = description }
}
