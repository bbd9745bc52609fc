// NetworkBlock.swift — a hidden layer as it is asked for: units, and what follows the product.
//
//   h = f( norm( dropout( x W + b ) ) )
//
// A network is a list of blocks and a linear output layer. A block with ReLU and nothing else is one fused kernel; every other
// one is that kernel without ReLU, then each part in turn.

import Kernels

/// What normalises the units of a block before its activation.
public enum BlockNormalization: Codable, Sendable, Equatable, CaseIterable {
  /// Nothing.
  case none
  /// Over a row's units, with a learned scale and shift (Ba 2016).
  case layer
}

/// One hidden layer.
public struct NetworkBlock: Sendable, Equatable {
  /// Units of the layer.
  public var units: Int
  // differs: directly behind the product, before the normalisation, as in DroQ (Hiraoka 2022, fig. 2)
  /// The share of units that are dropped while learning, in [0, 1).
  public var dropout: Float
  /// What normalises them before f.
  public var normalization: BlockNormalization
  /// f
  public var activation: Activation

  /// A layer; without more it is a product and ReLU.
  public init(
    units: Int, dropout: Float = 0, normalization: BlockNormalization = .none, activation: Activation = .relu
  ) {
    (self.units, self.dropout) = (units, dropout)
    (self.normalization, self.activation) = (normalization, activation)
  }

  /// The product and ReLU are one kernel, and nothing else follows.
  package var isFused: Bool { dropout == 0 && normalization == .none && activation == .relu }

  /// Numbers for each unit and row beside its value and gradient: f′, the dropped units, n and the gradient before it.
  package var furtherNumbers: Int {
    isFused ? 0 : 1 + (dropout > 0 ? 1 : 0) + (normalization == .layer ? 2 : 0)
  }
}

extension [NetworkBlock] {
  /// Hidden layers of these sizes that are alike otherwise.
  public init(
    _ sizes: [Int], activation: Activation = .relu, normalization: BlockNormalization = .none, dropout: Float = 0
  ) {
    self = sizes.map {
      NetworkBlock(units: $0, dropout: dropout, normalization: normalization, activation: activation)
    }
  }
}
