import Foundation
import OffPolicy
import Testing

@testable import Export

@Suite struct NumPyModuleTests {
  static let hasNumPy = Tool.has("python3", "-c", "import numpy")

  static func run(_ policy: Policy, _ options: ExportOptions) throws -> [[Float]] {
    let folder = try TemporaryFolder()
    try PolicyExport.write(policy, as: .numpy, to: folder.path("policy.py"), options)
    let noise = makeNoise(ExportedPolicyKind(policy))
    let call = options.isStochastic ? "sample(s, noise)" : "act(s)"
    let single = options.isStochastic ? "sample(s[2], noise[2])" : "act(s[2])"
    try folder.write(
      "main.py",
      """
      import numpy as np
      from policy import *
      s, noise = np.array(\(observations)), np.array(\(noise))
      actions = np.asarray(\(call)).reshape(len(s), -1)
      for action in actions:
          print(*map(float, action))
      assert np.allclose(\(single), actions[2], atol=1e-5), "one row"
      try:
          act([0, 0]) if "act" in globals() else sample([0, 0], 0)
          raise SystemExit("two values were accepted")
      except ValueError as error:
          assert "an observation has 3 values" in str(error)

      """)
    let result = try Tool.run(["python3", "main.py"], in: folder)
    #expect(result.status == 0, "\(result.output)")
    return numbers(result.output)
  }

  @Test(.enabled(if: hasNumPy, "python3 has no NumPy"))
  func `the module acts as the policy does, on a row and on a batch`() throws {
    for (name, policy) in try allPolicies() {
      let actions = try Self.run(policy, exportOptions)
      #expect(actions.count == observations.count)
      for (observation, action) in zip(observations, actions) {
        for (a, own) in zip(action, policy.action(observation)) {
          #expect(abs(a - own) <= 2e-6, "\(name), \(observation)")
        }
      }
    }
  }

  @Test(.enabled(if: hasNumPy, "python3 has no NumPy"))
  func `with noise the module draws as the equations say`() throws {
    for policy in [
      try makePolicy(.squashedGaussian, normalization: clipped), try makePolicy(.choosing, algorithm: "sac-discrete"),
    ] {
      let actions = try Self.run(policy, drawing)
      for ((observation, noise), action) in zip(zip(observations, makeNoise(ExportedPolicyKind(policy))), actions) {
        for (a, expected) in zip(action, policy.expected(observation, noise: noise)) {
          #expect(abs(Double(a) - expected) <= 4e-6, "\(observation)")
        }
      }
    }
  }
}
