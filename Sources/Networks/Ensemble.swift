// Ensemble.swift — networks that are alike, initialised, copied, tracked and kept together, whatever their heads mean.

import Kernels
import Platform

/// One network or several of the same layout, each with a number j.
public protocol Ensemble: Tracking {
  /// The parameters of each.
  var networks: [Parameters] { get }
}

extension Ensemble {
  /// How many there are.
  public var count: Int { networks.count }

  /// Draws all parameters anew, network after network.
  public func initialize(using generator: inout RandomStream) {
    for network in networks { network.initialize(using: &generator) }
  }

  /// θ ← other's θ, for targets at the start.
  public func copy(_ other: Self) {
    for (network, source) in zip(networks, other.networks) { network.copy(source) }
  }

  /// θ_j ← rate · other's θ_j + (1 − rate) · θ_j for a share of the parameters.
  public func track(_ j: Int, _ other: Self, rate: Float, _ share: Share) {
    networks[j].track(other.networks[j], rate: rate, share)
  }

  /// Whether the last tracking wrote finite numbers only, into all of them.
  public var trackedAllFinite: Bool { networks.allSatisfy(\.trackedAllFinite) }

  /// The parameters as tensors `prefix.J.layer.K.…`.
  public func tensors(_ prefix: String) -> [Tensor] {
    networks.enumerated().flatMap { $1.tensors("\(prefix).\($0)") }
  }

  /// Takes up the parameters that `tensors` gave.
  public func load(_ prefix: String, from find: (String) throws -> Tensor) throws {
    for (j, network) in networks.enumerated() { try network.load("\(prefix).\(j)", from: find) }
  }
}
