// PlainTD3+State.swift — PlainTD3's parameters and state by name: checkpoints, policy files and `conformance` use them.

import OffPolicy

extension PlainTD3 {
  var parameters: [Tensor] {
    policy.parameters.tensors("policy") + critics.tensors("critic")
      + targetPolicy.parameters.tensors("target_policy") + targetCritics.tensors("target_critic")
  }

  func loadParameters(from find: (String) throws -> Tensor) throws {
    try policy.parameters.load("policy", from: find)
    try critics.load("critic", from: find)
    try targetPolicy.parameters.load("target_policy", from: find)
    try targetCritics.load("target_critic", from: find)
  }

  var state: AlgorithmState {
    var state = AlgorithmState()
    state.tensors =
      parameters + policyOptimizer.tensors("policy_optimizer") + criticOptimizer.tensors("critic_optimizer")
    state.tensors.append(exploration.tensor)
    state.counts = [
      "updates": UInt64(updates), "policy_optimizer.steps": UInt64(policyOptimizer.steps),
      "critic_optimizer.steps": UInt64(criticOptimizer.steps), "update_stream": updateStream.position,
      "acting_stream": exploration.stream.position,
    ]
    return state
  }

  func restore(_ state: AlgorithmState) throws {
    let find = state.finder()
    try loadParameters(from: find)
    try policyOptimizer.load("policy_optimizer", steps: state.count("policy_optimizer.steps"), from: find)
    try criticOptimizer.load("critic_optimizer", steps: state.count("critic_optimizer.steps"), from: find)
    updates = try state.count("updates")
    updateStream.position = try state.position("update_stream")
    try exploration.restore(position: state.position("acting_stream"), from: find)
  }
}
