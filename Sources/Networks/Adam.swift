// Adam.swift — Adam (Kingma & Ba 2015, alg. 1), with the constants of PyTorch: β = (0.9, 0.999), ε = 1e-8.

import Kernels
import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

public final class Adam: @unchecked Sendable {
  private let networks: [Parameters]
  private let firstMoments: FixedArray<Block>
  private let secondMoments: FixedArray<Block>
  private let learningRate: Double
  /// Steps taken.
  public private(set) var steps = 0
  private var step = AdamStep(count: 1, learningRate: 0)
  /// Of each network and share 0, or NaN where a parameter is not finite.
  private let checks: Block

  /// - Parameter networks: networks that step together, such as both critics.
  public init(_ networks: [Parameters], learningRate: Float) {
    self.networks = networks
    self.learningRate = Double(learningRate)
    firstMoments = FixedArray(count: networks.count) { Block(count: networks[$0].values.count) }
    secondMoments = FixedArray(count: networks.count) { Block(count: networks[$0].values.count) }
    checks = Block(count: networks.count * WorkerPool.maximumCount)
  }

  /// Begins step t: its bias corrections. Once per step, before the workers apply it.
  public func beginStep() {
    steps += 1
    step = AdamStep(count: steps, learningRate: learningRate)
  }

  /// Steps a share of every network along its gradients, and brings the transposed weights up to date.
  public func apply(_ share: Share) {
    for j in networks.indices { apply(j, share) }
  }

  /// Steps a share of network j.
  public func apply(_ j: Int, _ share: Share) {
    let network = networks[j]
    var check: Float = 0
    for layer in network.layout.layers {
      check += adamStep(
        network.values, network.gradients, firstMoments[j], secondMoments[j], step, range: layer.range(of: share))
    }
    network.refreshTransposed(share)
    checks[j * WorkerPool.maximumCount + share.lower] = check
  }

  /// Every parameter was finite after the last step: so were its gradient and its moments, or it would not be.
  public var leftAllFinite: Bool {
    var check: Float = 0
    for i in 0..<checks.count { check += checks[i] }
    return check == 0
  }

  // MARK: state

  /// The moments as tensors `prefix.J.first.…` and `prefix.J.second.…`, J the network's number.
  public func tensors(_ prefix: String) -> [Tensor] {
    var result: [Tensor] = []
    for (index, network) in networks.enumerated() {
      result += network.tensors("\(prefix).\(index).first", of: firstMoments[index])
      result += network.tensors("\(prefix).\(index).second", of: secondMoments[index])
    }
    return result
  }

  public func load(_ prefix: String, steps: Int, from find: (String) throws -> Tensor) throws {
    for (index, network) in networks.enumerated() {
      try network.load("\(prefix).\(index).first", into: firstMoments[index], from: find)
      try network.load("\(prefix).\(index).second", into: secondMoments[index], from: find)
    }
    self.steps = steps
  }
}

extension AdamStep {
  /// The constants of step t, from 1: η / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ).
  package init(count t: Int, learningRate: Double) {
    self.init(
      gain1: 0.1, beta2: 0.999, gain2: 0.001, rate: Float(learningRate / (1 - pow(0.9, Double(t)))),
      correction: Float(1 / (1 - pow(0.999, Double(t))).squareRoot()), epsilon: 1e-8)
  }
}

/// Adam for one number, such as log α.
package struct ScalarAdam: Sendable, Equatable {
  package var firstMoment: Double = 0
  package var secondMoment: Double = 0
  package var steps = 0

  package init() {}

  /// Steps `value` along `gradient`.
  package mutating func step(_ value: inout Double, gradient: Double, learningRate: Float) {
    steps += 1
    firstMoment += (1 - 0.9) * (gradient - firstMoment)
    secondMoment += (1 - 0.999) * (gradient * gradient - secondMoment)
    let mean = firstMoment / (1 - pow(0.9, Double(steps)))
    let deviation = (secondMoment / (1 - pow(0.999, Double(steps)))).squareRoot()
    value -= Double(learningRate) * mean / (deviation + 1e-8)
  }
}
