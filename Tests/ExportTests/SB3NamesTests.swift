import Testing

@testable import Export

@Suite struct SB3NamesTests {
  @Test func `weights have the names of Stable-Baselines3`() {
    for (algorithm, own, theirs) in [
      ("sac", "policy.layer.1.weight", "actor.latent_pi.2.weight"), ("sac", "policy.mean.bias", "actor.mu.bias"),
      ("sac", "policy.log_std.weight", "actor.log_std.weight"), ("td3", "policy.layer.2.bias", "actor.mu.4.bias"),
      ("td3", "target_policy.layer.0.weight", "actor_target.mu.0.weight"),
      ("td3", "critic.1.layer.2.weight", "critic.qf1.4.weight"),
      ("ddpg", "target_critic.0.layer.1.bias", "critic_target.qf0.2.bias"),
      ("dqn", "critic.0.layer.1.weight", "q_net.q_net.2.weight"),
      ("dqn", "target_critic.0.layer.0.bias", "q_net_target.q_net.0.bias"),
    ] { #expect(SB3Name(own, algorithm: algorithm)?.theirs == theirs, "\(own)") }
  }

  @Test func `what is no weight of such a network has no name`() {
    for name in [
      "critic_optimizer.0.first.layer.0.weight", "log_temperature", "critic.0.layer.0.scale", "critic.layer.0.weight",
      "policy.normalization.0.weight", "policy.layer.x.weight", "critic.0.mean.weight", "policy", "",
      "policy.layer.weight",
    ] { #expect(SB3Name(name, algorithm: "sac") == nil, "\(name)") }
  }

  @Test func `they are sorted as PyTorch lists parameters`() {
    let sorted = [
      "policy.layer.0.weight", "policy.layer.0.bias", "policy.layer.2.weight", "policy.layer.10.weight",
      "policy.mean.weight", "policy.mean.bias", "policy.log_std.weight", "policy.log_std.bias",
      "critic.0.layer.0.weight",
      "critic.0.layer.0.bias", "critic.2.layer.0.weight", "critic.10.layer.0.weight", "target_critic.0.layer.0.weight",
    ]
    let names = sorted.reversed().compactMap { SB3Name($0, algorithm: "sac") }.sorted()
    #expect(names.map(\.own) == sorted)
    #expect(names.map(\.rest).first == "layer.0.weight" && names.last?.member == 0)
  }
}
