// Ensemble.swift — several networks of one layout, which are initialised, copied, tracked and saved together.

import Kernels
import Platform

/// One network or several of the same layout, each with a number j.
public protocol Ensemble: Tracking {
  /// The parameters of each network.
  var networks: [Parameters] { get }
}

extension Ensemble {
  /// The number of networks.
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

  /// Whether the last tracking wrote only finite numbers into all networks.
  public var trackedAllFinite: Bool { networks.allSatisfy(\.trackedAllFinite) }

  /// The parameters as tensors `prefix.J.layer.K.…`.
  public func tensors(_ prefix: String) -> [Tensor] {
    networks.enumerated().flatMap { $1.tensors("\(prefix).\($0)") }
  }

  /// Loads the parameters that `tensors` returned.
  public func load(_ prefix: String, from find: (String) throws -> Tensor) throws {
    for (j, network) in networks.enumerated() { try network.load("\(prefix).\(j)", from: find) }
  }
}
