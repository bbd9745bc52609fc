import Foundation
import OffPolicy
import Testing

@testable import Export

@Suite struct CHeaderTests {
  static let hasCompiler = Tool.has("cc", "--version")

  /// Compiles the header into a program that prints its action for every observation.
  static func run(_ policy: Policy, _ options: ExportOptions, file: String = "policy.h") throws -> [[Float]] {
    let folder = try TemporaryFolder()
    try PolicyExport.write(policy, as: .c, to: folder.path(file), options)
    let (isChoosing, draws) = (policy.description.choices != nil, options.isStochastic)
    let prefix = file.split(separator: ".")[0]
    let call = "\(prefix)_\(draws ? "sample" : "act")(s[k]\(draws ? ", noise[k]" : "")"
    let rows = { (rows: [[Float]]) in
      rows.map { "{" + $0.map { "\($0)f" }.joined(separator: ", ") + "}" }.joined(separator: ",\n")
    }
    let size = ExportedPolicyKind(policy).noiseSize
    try folder.write(
      "main.c",
      """
      #include <stdio.h>
      #include "\(file)"
      static const float s[\(observations.count)][3] = {\(rows(observations))};
      static const float noise[\(observations.count)][\(size)] = {\(rows(makeNoise(ExportedPolicyKind(policy))))};
      int main(void) {
        int k;
        (void)noise;
        for (k = 0; k < \(observations.count); k++) {
          \(isChoosing
            ? "printf(\"%d\\n\", (int)\(call)));"
            : "float a[2]; \(call), a); printf(\"%.9g %.9g\\n\", (double)a[0], (double)a[1]);")
        }
        return 0;
      }

      """)
    let strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    let compiled = try Tool.run(["cc"] + strict + ["-O2", "main.c", "-o", "main", "-lm"], in: folder)
    #expect(compiled.status == 0, "\(compiled.output)")
    return numbers(try Tool.run(["./main"], in: folder).output)
  }

  @Test(.enabled(if: hasCompiler, "there is no cc"))
  func `the compiled header acts as the policy does, without a warning`() throws {
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

  @Test(.enabled(if: hasCompiler, "there is no cc"))
  func `with noise the header draws as the equations say`() throws {
    for policy in [
      try makePolicy(.squashedGaussian, normalization: clipped), try makePolicy(.choosing, algorithm: "sac-discrete"),
    ] {
      let actions = try Self.run(policy, drawing, file: "my_cart.h")
      for ((observation, noise), action) in zip(zip(observations, makeNoise(ExportedPolicyKind(policy))), actions) {
        for (a, expected) in zip(action, policy.expected(observation, noise: noise)) {
          #expect(abs(Double(a) - expected) <= 4e-6, "\(observation)")
        }
      }
    }
  }

  @Test func `the comment counts the bytes of every array`() throws {
    let bytes = try PolicyExport.encode(makePolicy(.deterministic), as: .c, file: "policy.h", exportOptions)
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    // 3·5 + 5 + 5·4 + 4 + 4·2 + 2 parameters and three times 2 numbers of the bounds: 60
    #expect(lines.contains("* all constants 240"))
    for (name, size) in [("policy_hidden_0_weight", 15), ("policy_output_bias", 2), ("policy_action_low", 2)] {
      let row = "* \(name) \(4 * size) "
      #expect(lines.contains { $0.hasPrefix(row) }, "\(name)")
      #expect(text.contains("static const float \(name)[\(size)] = {"))
    }
    for word in ["malloc(", "double", "static float"] { #expect(!text.contains(word)) }
  }

  @Test func `text of a policy file cannot leave the comment`() throws {
    let policy = try makePolicy(.deterministic, algorithm: "*/ int x; /*", environment: "\"\\\n-v0")
    let bytes = try PolicyExport.encode(policy, as: .c, file: "policy.h", exportOptions)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasPrefix("/* policy.h: the policy of _/ int x_ /_ on ___-v0 after 60 steps.\n"))
    #expect(text.components(separatedBy: "*/").count == 3)
  }
}
