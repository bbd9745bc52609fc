import Foundation
import OffPolicy
import Testing

@testable import Export

@Suite struct ModelCardTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func write(_ file: SafeTensors, result: ModelCard.Result? = nil) throws -> String {
    let policy = try PolicyFile.policy(file, path: "policy.safetensors")
    try PolicyExport.writeCard(policy, to: folder.path("card"), policyFile: file, result: result, exportOptions)
    return try String(contentsOfFile: folder.path("card/README.md"), encoding: .utf8)
  }

  @Test func `a card holds the policy in three formats, an example and what is known of it`() throws {
    let file = policyFile(.squashedGaussian, normalization: clipped, environment: "Pendulum-v1")
    let text = try write(file, result: ModelCard.Result(episodes: 10, mean: -151.934, standardDeviation: 80.005))
    #expect(
      folder.contents == [
        "card", "card/README.md", "card/config.json", "card/example.py", "card/examples.json", "card/policy.onnx",
        "card/policy.py", "card/policy.safetensors", "card/results.json",
      ])
    #expect(try PolicyFile.load(folder.path("card/policy.safetensors")).action([1, 2, 3]).count == 2)
    let front = text.components(separatedBy: "---\n")[1]
    for line in [
      "library_name: swift-offpolicy", "- \"Pendulum-v1\"", "- reinforcement-learning", "- name: \"sac\"",
      "      value: \"-151.93 +/- 80.01\"", "      verified: false",
    ] {
      #expect(front.split(separator: "\n").contains { $0 == line } || front.contains(line), "\(line)")
    }
    for name in folder.contents.dropFirst() where name != "card/README.md" && name != "card/example.py" {
      #expect(text.contains("`\(name.dropFirst(5))`"), "\(name)")
    }
    #expect(text.contains("| return | -151.93 ± 80.01 over 10 episodes |"))
    let example = try String(contentsOfFile: folder.path("card/example.py"), encoding: .utf8)
    #expect(text.contains("```python\n\(example)```"))
  }

  @Test func `without an evaluation a card claims no result`() throws {
    let text = try write(policyFile(.choosing))
    #expect(!text.contains("model-index") && text.contains("| return | not evaluated |"))
    #expect(!folder.contents.contains("card/results.json"))
  }

  @Test(.enabled(if: NumPyModuleTests.hasNumPy, "python3 has no NumPy"))
  func `the example of the card runs, and would notice another policy`() throws {
    _ = try write(policyFile(.squashedGaussian, normalization: clipped))
    let ran = try Tool.run(["python3", "card/example.py"], in: folder)
    #expect(ran.status == 0 && ran.output.split(separator: "\n").count == 8, "\(ran.output)")
    let other = try PolicyExport.encode(makePolicy(.deterministic), as: .numpy, file: "policy.py", exportOptions)
    try Data(other).write(to: URL(fileURLWithPath: folder.path("card/policy.py")))
    #expect(try Tool.run(["python3", "card/example.py"], in: folder).status != 0)
  }

  @Test func `what was set of the environment is part of the example`() throws {
    let text = try write(policyFile(.deterministic, environment: "Hopper-v5", options: ["forward_reward_weight": 2]))
    #expect(text.contains("environment = gymnasium.make(\"Hopper-v5\", **options)"))
    let configuration = try String(contentsOfFile: folder.path("card/config.json"), encoding: .utf8)
    #expect(try JSONValue(text: configuration)["environmentOptions"]?["forward_reward_weight"] == .number(2))
  }

  @Test func `a folder that exists is left alone, and one that cannot be made is told`() throws {
    try folder.write("card", "something else")
    let file = policyFile(.deterministic)
    let policy = try PolicyFile.policy(file, path: "policy.safetensors")
    for (path, says) in [("card", "exists already"), ("missing/card", "cannot be written: no such file or folder")] {
      let error = #expect(throws: ExportError.self) {
        try PolicyExport.writeCard(policy, to: folder.path(path), policyFile: file, exportOptions)
      }
      #expect(error?.description.contains(says) == true)
    }
    #expect(folder.contents == ["card"])
    #expect(throws: ExportError.self) {
      try PolicyExport.writeCard(policy, to: folder.path("drawn"), policyFile: file, drawing)
    }
  }
}
