// PolicyForm.swift — which policy an algorithm learns, as files keep it.

import Kernels

/// A learned policy's kind, sizes and activation: what its tensors `policy.…` are read into.
public struct PolicyForm: Sendable, Equatable {
  /// What the outputs mean.
  public enum Kind: String, Sendable, Codable {
    /// The heads `policy.mean` and `policy.log_std`; without exploration tanh of the mean.
    case squashedGaussian = "squashed-gaussian"
    /// tanh of the outputs.
    case deterministic
    /// One output for each choice, of which the greatest is the action.
    case choosing
  }

  /// What its outputs mean.
  public var kind: Kind
  /// Units in each hidden layer.
  public var hiddenSizes: [Int]

  /// Of each hidden layer.
  public var activation: Activation

  /// A policy of a kind and of hidden sizes.
  public init(_ kind: Kind, hiddenSizes: [Int], activation: Activation = .relu) {
    (self.kind, self.hiddenSizes, self.activation) = (kind, hiddenSizes, activation)
  }
}
