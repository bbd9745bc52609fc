// UpdateCost.swift — the cost of an update, operations and memory, as each algorithm counts it beside its equations.

import Kernels
import Networks

/// The least cost of one update.
public struct UpdateCost: Sendable, Equatable {
  /// Floating-point operations of the networks' matrix products; a multiplication and an addition are two. A mean
  /// if updates differ in cost.
  public var operations: Double
  /// The number of updates after which the costs repeat, such as TD3's policy delay.
  public var period: Int
  /// Networks that are learned.
  public var learned: [NetworkSize]
  /// Networks that follow others.
  public var following: [NetworkSize]
  /// Further numbers that the update stores besides the networks and their rows.
  public var numbers: Int

  /// Operations of an update and the networks that it needs.
  public init(
    operations: Double, period: Int = 1, learned: [NetworkSize], following: [NetworkSize] = [], numbers: Int = 0
  ) {
    (self.operations, self.period) = (operations, period)
    (self.learned, self.following, self.numbers) = (learned, following, numbers)
  }

  /// Bytes of all networks for batches of `batchSize` rows, 4 a number.
  ///
  /// A learned network has five numbers for each weight: itself, its gradient, its transposed copy and two moments; and two
  /// for each unit and row: its value and its gradient. A network that follows has one of each. Blocks that are more than ReLU
  /// have further numbers.
  public func bytes(batchSize: Int) -> Int {
    let own = learned.reduce(0) { $0 + 5 * $1.weights + batchSize * (2 * $1.units + $1.furtherUnits) }
    let others = following.reduce(0) { $0 + $1.weights + batchSize * ($1.units + $1.furtherUnits) }
    // a layer's rows in the matrix unit's three parts of 2 bytes
    let widest = (learned + following).reduce(0) { max($0, $1.hidden.max() ?? 0) }
    return 4 * (own + others + numbers) + 6 * batchSize * widest
  }

  /// The sizes of the hidden layers in words: `256, 256`, or `256, 256 and 512, 512`.
  var hiddenText: String {
    var texts: [String] = []
    for network in learned + following {
      let text = network.hidden.map(String.init).joined(separator: ", ")
      if !texts.contains(text) { texts.append(text) }
    }
    return texts.joined(separator: " and ")
  }
}

/// The sizes of a multilayer perceptron I → H₁ → … → H_n → O, and the cost of its passes.
///
/// The weights' gradients over some rows cost what the forward pass of these rows does.
public struct NetworkSize: Sendable, Equatable {
  /// Its inputs.
  public var inputs: Int
  /// Units in each hidden layer.
  public var hidden: [Int]
  /// Its outputs.
  public var outputs: Int
  /// Numbers of each row beside the units' values and gradients: what blocks that are more than ReLU keep.
  package var furtherUnits = 0

  /// A network of given sizes.
  public init(inputs: Int, hidden: [Int], outputs: Int) {
    (self.inputs, self.hidden, self.outputs) = (inputs, hidden, outputs)
  }

  package init(inputs: Int, blocks: [NetworkBlock], outputs: Int) {
    self.init(inputs: inputs, hidden: blocks.map(\.units), outputs: outputs)
    furtherUnits = blocks.reduce(0) { $0 + $1.units * $1.furtherNumbers }
  }

  /// A network whose hidden layers have an activation and nothing else.
  package init(inputs: Int, hidden: [Int], activation: Activation, outputs: Int) {
    self.init(inputs: inputs, blocks: [NetworkBlock](hidden, activation: activation), outputs: outputs)
  }

  /// The same with other outputs, such as the one of many through which an error goes back.
  public func with(outputs: Int) -> NetworkSize {
    var other = self
    other.outputs = outputs
    return other
  }

  /// 2 B (I H₁ + … + H_n O): the output of B rows, or the gradients of the weights over them.
  public func forward(rows: Int) -> Double {
    2 * Double(rows) * (Double(inputs) * first + inner + last * Double(outputs))
  }

  /// 2 B (H₁ H₂ + … + H_n O): back from the output of B rows to the first hidden layer.
  public func backward(rows: Int) -> Double { 2 * Double(rows) * (inner + last * Double(outputs)) }

  /// 2 B A H₁: from the first hidden layer back to A inputs of B rows.
  public func backwardToInputs(_ count: Int, rows: Int) -> Double { 2 * Double(rows) * Double(count) * first }

  /// Forward and all the way back to A inputs, without the weights' gradients: what a policy's step asks of a critic.
  func forwardAndBackToInputs(_ count: Int, rows: Int) -> Double {
    forward(rows: rows) + backward(rows: rows) + backwardToInputs(count, rows: rows)
  }

  /// Weights, biases left out.
  var weights: Int { zip([inputs] + hidden, hidden + [outputs]).reduce(0) { $0 + $1.0 * $1.1 } }
  var units: Int { hidden.reduce(0, +) }

  private var first: Double { Double(hidden.first ?? 0) }
  private var last: Double { Double(hidden.last ?? 0) }
  private var inner: Double { zip(hidden, hidden.dropFirst()).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
}
