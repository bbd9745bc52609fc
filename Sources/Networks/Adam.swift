// Adam.swift — Adam (Kingma & Ba 2015, alg. 1) for networks that step together, and for one number.

import Kernels
import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Adam (Kingma & Ba 2015) over the parameters of networks that step together.
public final class Adam: @unchecked Sendable {
  private let networks: [Parameters]
  private let firstMoments: FixedArray<Block>
  private let secondMoments: FixedArray<Block>
  private var settings: AdamSettings
  /// Steps taken.
  public private(set) var steps = 0
  /// η before its schedule, in (0, 1].
  public var learningRate: Float {
    get { Float(settings.learningRate) }
    set { settings.learningRate = Double(newValue) }
  }
  private var step: AdamStep
  /// For each network and share 0, or NaN if a parameter in it is not finite.
  private let checks: Block
  /// Σ g² of each panel of each network's layers, one after another; empty unless the norm is bounded.
  private let panelSquares: Block
  /// The factor of the gradients before the step: 1 unless their norm is above its bound.
  private var clipping: Float = 1

  /// - Parameter networks: networks that step together, such as both critics.
  public init(_ networks: [Parameters], _ settings: AdamSettings) {
    self.networks = networks
    self.settings = settings
    step = AdamStep(count: 1, settings, learningRate: 0)
    firstMoments = FixedArray(count: networks.count) { Block(count: networks[$0].values.count) }
    secondMoments = FixedArray(count: networks.count) { Block(count: networks[$0].values.count) }
    checks = Block(count: networks.count * WorkerPool.maximumCount)
    panelSquares = Block(
      count: settings.maximumGradientNorm == nil ? 0 : networks.reduce(0) { $0 + $1.layout.panelCount })
  }

  /// Steps all networks, a share of each on each worker. One phase computes gradients and steps, so that gradients are still in
  /// the worker's cache. If the norm is bounded there are two phases, since the norm of all gradients comes before the step.
  ///
  /// - Parameters:
  ///   - update: the number of this update in the run, from 1, for the schedule of the rate.
  ///   - gradients: computes a share of a network's gradients.
  ///   - following: called for each share after its step, for example to track it by the target network.
  public func step(
    atUpdate update: Int, by workers: WorkerPool, gradients: (_ network: Int, Share) -> Void,
    following: (_ network: Int, Share) -> Void = { _, _ in }
  ) {
    beginStep(atUpdate: update)
    if settings.maximumGradientNorm == nil {
      workers.forEachShare(of: networks.count) { j, share in
        gradients(j, share)
        apply(j, share)
        following(j, share)
      }
    } else {
      workers.forEachShare(of: networks.count) { j, share in
        gradients(j, share)
        addSquares(j, share)
      }
      clip()
      workers.forEachShare(of: networks.count) { j, share in
        apply(j, share)
        following(j, share)
      }
    }
  }

  /// Begins step t: computes its bias corrections and its rate. Called once per step, before the workers apply it.
  package func beginStep(atUpdate update: Int) {
    steps += 1
    step = AdamStep(count: steps, settings, learningRate: settings.rate(atUpdate: update))
  }

  /// Σ g² of a share of network j, a sum for each panel, so that no sum depends on how panels are divided among workers.
  private func addSquares(_ j: Int, _ share: Share) {
    let network = networks[j]
    var at = networks[..<j].reduce(0) { $0 + $1.layout.panelCount }
    for layer in network.layout.layers {
      for panel in share.range(of: layer.panels) {
        panelSquares[at + panel] = squaredNorm(network.gradients, range: layer.range(ofPanels: panel..<(panel + 1)))
      }
      at += layer.panels
    }
  }

  /// Computes ‖g‖ over all networks, and the factor of the gradients.
  private func clip() {
    var sum = 0.0
    for i in 0..<panelSquares.count { sum += Double(panelSquares[i]) }
    clipping = settings.clipping(ofNorm: sum.squareRoot())
  }

  /// Steps a share of every network along its gradients, and brings the transposed weights up to date.
  package func apply(_ share: Share) {
    for j in networks.indices { apply(j, share) }
  }

  /// Steps a share of network j, and brings its weights to length 1 where the network keeps that.
  package func apply(_ j: Int, _ share: Share) {
    let network = networks[j]
    var check: Float = 0
    for layer in network.layout.layers {
      if clipping != 1 { scale(network.gradients, by: clipping, range: layer.range(of: share)) }
      check += adamStep(
        network.values, network.gradients, firstMoments[j], secondMoments[j], step, range: layer.range(of: share))
    }
    check += network.bringToUnitLength(share)
    network.refreshTransposed(share)
    checks[j * WorkerPool.maximumCount + share.lower] = check
  }

  /// Whether every parameter was finite after the last step. Then its gradient and moments were finite, too.
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

  /// Loads moments that `tensors` returned, and the number of steps taken.
  public func load(_ prefix: String, steps: Int, from find: (String) throws -> Tensor) throws {
    for (index, network) in networks.enumerated() {
      try network.load("\(prefix).\(index).first", into: firstMoments[index], from: find)
      try network.load("\(prefix).\(index).second", into: secondMoments[index], from: find)
    }
    self.steps = steps
  }
}

extension AdamStep {
  /// The constants of step t, from 1, at a rate η: η / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ).
  package init(count t: Int, _ settings: AdamSettings, learningRate: Double) {
    let (beta1, beta2) = (settings.beta1, settings.beta2)
    self.init(
      gain1: Float(1 - beta1), beta2: Float(beta2), gain2: Float(1 - beta2),
      rate: Float(learningRate / (1 - pow(beta1, Double(t)))),
      correction: Float(1 / (1 - pow(beta2, Double(t))).squareRoot()), epsilon: Float(settings.epsilon))
  }
}

/// Adam for one number, such as log α. It uses the settings' rate, β and ε, but not their bound on the gradient's norm.
package struct ScalarAdam: Sendable, Equatable {
  package var firstMoment: Double = 0
  package var secondMoment: Double = 0
  package var steps = 0

  package init() {}

  /// Steps `value` along `gradient`, at the rate that the schedule has at an update.
  package mutating func step(
    _ value: inout Double, gradient: Double, _ settings: AdamSettings, atUpdate update: Int
  ) {
    steps += 1
    firstMoment += (1 - settings.beta1) * (gradient - firstMoment)
    secondMoment += (1 - settings.beta2) * (gradient * gradient - secondMoment)
    let mean = firstMoment / (1 - pow(settings.beta1, Double(steps)))
    let deviation = (secondMoment / (1 - pow(settings.beta2, Double(steps)))).squareRoot()
    value -= settings.rate(atUpdate: update) * mean / (deviation + settings.epsilon)
  }
}
