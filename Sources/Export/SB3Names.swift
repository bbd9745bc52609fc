// SB3Names.swift — what Stable-Baselines3 calls the weights of a run's networks, and in which order PyTorch lists them.
//
//   here                                                Stable-Baselines3
//   policy.layer.K, policy.mean, policy.log_std (SAC)   actor.latent_pi.2K, actor.mu, actor.log_std
//   policy.layer.K, target_policy.layer.K (TD3, DDPG)   actor.mu.2K, actor_target.mu.2K
//   critic.J.layer.K, target_critic.J.layer.K           critic.qfJ.2K, critic_target.qfJ.2K
//   the same of DQN                                     q_net.q_net.2K, q_net_target.q_net.2K
//
// It counts activations as layers. The Python package has the same table: Guides/Export.md.

/// One weight or bias of a network.
struct SB3Name: Comparable {
  /// The name here.
  let own: String
  /// "policy", "target_policy", "critic" or "target_critic".
  let network: String
  /// Which of several critics.
  let member: Int
  /// What follows network and member: `layer.0.weight`.
  let rest: String
  /// The name in Stable-Baselines3.
  let theirs: String

  private let place: [Int]

  static let networks = ["policy", "target_policy", "critic", "target_critic"]
  /// The heads of SAC's policy come after its layers.
  private static let heads = ["mean": 1_000_000, "log_std": 1_000_001]

  /// - Returns: nil for a tensor that is no part of a network which Stable-Baselines3 has.
  init?(_ name: String, algorithm: String) {
    let parts = name.split(separator: ".").map(String.init)
    guard let first = parts.first, let network = Self.networks.firstIndex(of: first), let kind = parts.last,
      ["weight", "bias"].contains(kind)
    else { return nil }
    let isPolicy = first.hasSuffix("policy")
    let inner = parts.dropFirst(isPolicy ? 1 : 2)
    guard let member = isPolicy ? 0 : parts.count > 1 ? Int(parts[1]) : nil else { return nil }
    let target = first.hasPrefix("target_") ? "_target" : ""
    let module: String
    let layer: Int
    if inner.count == 3, inner.first == "layer", let number = Int(inner[inner.startIndex + 1]) {
      layer = number
      if isPolicy {
        module = "actor\(target).\(algorithm == "sac" ? "latent_pi" : "mu").\(2 * number)"
      } else if algorithm == "dqn" {
        module = "q_net\(target).q_net.\(2 * number)"
      } else {
        module = "critic\(target).qf\(member).\(2 * number)"
      }
    } else if isPolicy, inner.count == 2, let head = inner.first, let number = Self.heads[head] {
      layer = number
      module = "actor\(target).\(head == "mean" ? "mu" : head)"
    } else {
      return nil
    }
    (own, self.network, self.member, rest) = (name, first, member, inner.joined(separator: "."))
    theirs = "\(module).\(kind)"
    place = [network, member, layer, kind == "bias" ? 1 : 0]
  }

  /// Network by network, critic by critic, layer by layer, the weight before the bias.
  static func < (first: SB3Name, second: SB3Name) -> Bool {
    first.place.lexicographicallyPrecedes(second.place)
  }

  static func == (first: SB3Name, second: SB3Name) -> Bool { first.own == second.own }
}
