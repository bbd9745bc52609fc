// PolicyForm.swift — the kind, sizes and activation of a learned policy, as policy files store them.

import Kernels

/// The kind, sizes and activation of a learned policy: they say how its tensors `policy.…` are read.
public struct PolicyForm: Sendable, Equatable {
  /// The meaning of a policy's outputs.
  public enum Kind: String, Sendable, Codable {
    /// The heads `policy.mean` and `policy.log_std`; without exploration tanh of the mean.
    case squashedGaussian = "squashed-gaussian"
    /// tanh of the outputs.
    case deterministic
    /// One output for each choice, of which the greatest is the action.
    case choosing
  }

  /// The meaning of the outputs.
  public var kind: Kind
  /// Units in each hidden layer.
  public var hiddenSizes: [Int]

  /// The activation of each hidden layer.
  public var activation: Activation

  /// A policy of a kind and of hidden sizes.
  public init(_ kind: Kind, hiddenSizes: [Int], activation: Activation = .relu) {
    (self.kind, self.hiddenSizes, self.activation) = (kind, hiddenSizes, activation)
  }
}
