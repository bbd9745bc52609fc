// NetworkBlock.swift — the description of a hidden layer: units, dropout, normalisation and activation.
//
//   h = f( norm( dropout( x W + b ) ) )
//
// A network is a list of blocks and a linear output layer. A block with only ReLU is one fused kernel. Any other block is that
// kernel without ReLU, followed by each part in turn.

import Kernels

/// The normalisation of a block's units before the activation.
public enum BlockNormalization: Codable, Sendable, Equatable, CaseIterable {
  /// No normalisation.
  case none
  /// Layer normalisation: over the units of a row, with a learned scale and shift (Ba 2016).
  case layer
}

/// One hidden layer.
public struct NetworkBlock: Sendable, Equatable {
  /// Units of the layer.
  public var units: Int
  // differs: directly behind the product, before the normalisation, as in DroQ (Hiraoka 2022, fig. 2)
  /// The share of units that are dropped in an update, in [0, 1).
  public var dropout: Float
  /// The normalisation before f.
  public var normalization: BlockNormalization
  /// The activation f.
  public var activation: Activation

  /// A layer; by default a product and ReLU.
  public init(
    units: Int, dropout: Float = 0, normalization: BlockNormalization = .none, activation: Activation = .relu
  ) {
    (self.units, self.dropout) = (units, dropout)
    (self.normalization, self.activation) = (normalization, activation)
  }

  /// Whether the block is one kernel: the product and ReLU, and nothing else.
  package var isFused: Bool { dropout == 0 && normalization == .none && activation == .relu }

  /// Numbers stored for each unit and row besides value and gradient: f′, the dropout factor, n and its gradient.
  package var furtherNumbers: Int {
    isFused ? 0 : 1 + (dropout > 0 ? 1 : 0) + (normalization == .layer ? 2 : 0)
  }
}

extension [NetworkBlock] {
  /// Hidden layers of these sizes, with the other settings equal.
  public init(
    _ sizes: [Int], activation: Activation = .relu, normalization: BlockNormalization = .none, dropout: Float = 0
  ) {
    self = sizes.map {
      NetworkBlock(units: $0, dropout: dropout, normalization: normalization, activation: activation)
    }
  }
}
