import Foundation
import OffPolicy
import Testing

@testable import Export

@Suite struct SwiftFileTests {
  static let hasCompiler = Tool.has("swiftc", "--version")

  /// One program of several policies: each file has a type of its own.
  static func run(_ policies: [(policy: Policy, options: ExportOptions)]) throws -> [[[Float]]] {
    let folder = try TemporaryFolder()
    var main = ""
    for (index, (policy, options)) in policies.enumerated() {
      try PolicyExport.write(policy, as: .swift, to: folder.path("policy_\(index).swift"), options)
      let text = try String(contentsOfFile: folder.path("policy_\(index).swift"), encoding: .utf8)
      #expect(text.contains("public enum Policy\(index) {") && !text.contains("import Foundation"))
      for (observation, noise) in zip(observations, makeNoise(ExportedPolicyKind(policy))) {
        let more = options.isStochastic ? ", noise: \(noise)" : ""
        main += "print(Policy\(index).\(options.isStochastic ? "sample" : "act")(\(observation)\(more)))\n"
      }
    }
    try folder.write("main.swift", main)
    let files = policies.indices.map { "policy_\($0).swift" }
    let strict = ["-swift-version", "6", "-warnings-as-errors"]
    let compiled = try Tool.run(["swiftc"] + strict + files + ["main.swift", "-o", "main"], in: folder)
    #expect(compiled.status == 0, "\(compiled.output)")
    let printed = try Tool.run(["./main"], in: folder).output
    let rows = numbers(String(printed.filter { !"[],".contains($0) }))
    return policies.indices.map { k in Array(rows.dropFirst(k * observations.count).prefix(observations.count)) }
  }

  @Test(.enabled(if: hasCompiler, "there is no swiftc"))
  func `the compiled file acts as the policy does, without a warning`() throws {
    var policies = try allPolicies().map { (policy: $0.policy, options: exportOptions) }
    policies.append((try makePolicy(.squashedGaussian, normalization: clipped), drawing))
    policies.append((try makePolicy(.choosing, algorithm: "sac-discrete"), drawing))
    for ((policy, options), actions) in zip(policies, try Self.run(policies)) {
      #expect(actions.count == observations.count)
      for ((observation, noise), action) in zip(zip(observations, makeNoise(ExportedPolicyKind(policy))), actions) {
        let expected = policy.expected(observation, noise: options.isStochastic ? noise : nil)
        #expect(action.count == expected.count)
        for (a, expected) in zip(action, expected) { #expect(abs(Double(a) - expected) <= 4e-6, "\(observation)") }
      }
    }
  }
}
