// FilesGuideTests.swift — the NumPy lines of Guides/Files.md give the actions that a policy file's policy takes.

import Foundation
import OffPolicy
import Testing

@Suite struct FilesGuideTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The guide's Python, as it stands there.
  static func lines() throws -> String {
    let guide = try String(contentsOf: root.appendingPathComponent("Guides/Files.md"), encoding: .utf8)
    let blocks = guide.components(separatedBy: "```python\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    return try #require(blocks.first { $0.contains("def act(p, observation)") })
  }

  /// What Python prints; nil where there is none, or it fails.
  static func python(_ program: String) throws -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(data: output.fileHandleForReading.readDataToEndOfFile(), encoding: .utf8)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? text : nil
  }

  static let hasNumPy = (try? python("import numpy")) != nil

  static let observations: [[Float]] = [[0, 0, 0], [1, -0.5, 3], [-1, 0.25, -8], [0.3, 100, 2]]

  /// Policy files of every kind that the lines are for, trained a little.
  static func files(_ folder: TemporaryFolder) throws -> [String] {
    var paths: [String] = []
    for algorithm in algorithmNames {
      let trainer = try makeTrainer(algorithm, steps: 60, set: ["hiddenSizes=5,4"], environment: pendulum)
      try trainer.train()
      let plain = folder.path("\(algorithm).safetensors")
      try trainer.policyFile().write(to: plain)
      paths.append(plain)
      let policy = try PolicyFile.load(plain)
      for (name, clip) in [("clipped", 2), ("unclipped", nil)] as [(String, Float?)] {
        var description = policy.description
        description.normalization = ObservationNormalization(
          mean: [0.5, -0.25, 1], scale: [0.75, 0.1, 4], clip: clip)
        paths.append(folder.path("\(algorithm)-\(name).safetensors"))
        try PolicyFile.encode(policy.tensors, description).write(to: paths.last!)
      }
    }
    return paths
  }

  static func action(_ policy: Policy, _ observation: [Float]) -> Float {
    var action: [Float] = [0]
    var span = action.mutableSpan
    policy.act(observation.span, into: &span)
    return action[0]
  }

  @Test(.enabled(if: hasNumPy, "python3 has no NumPy"))
  func `the NumPy lines act as the program does, with a normaliser and without`() throws {
    let folder = try TemporaryFolder()
    for path in try Self.files(folder) {
      let policy = try PolicyFile.load(path)
      let program = """
        \(try Self.lines())
        p = load("\(path)")
        for observation in \(Self.observations):
            print(float(act(p, observation)[0]))
        """
      let printed = try #require(try Self.python(program)).split(separator: "\n").compactMap { Float($0) }
      #expect(printed.count == Self.observations.count)
      for (observation, theirs) in zip(Self.observations, printed) {
        #expect(abs(Self.action(policy, observation) - theirs) < 1e-5, "\(path), \(observation)")
      }
    }
  }

  @Test func `what the lines say is what the program does: the same equations in double precision`() throws {
    let folder = try TemporaryFolder()
    for path in try Self.files(folder) {
      let policy = try PolicyFile.load(path)
      let network = PlainNetwork("policy", from: policy.tensors)
      for observation in Self.observations {
        var state = observation.map(Double.init)
        if let normalization = policy.description.normalization {
          let clip = Double(normalization.clip ?? .infinity)
          for i in state.indices {
            state[i] = (state[i] - Double(normalization.mean[i])) / Double(normalization.scale[i])
            state[i] = min(clip, max(-clip, state[i]))
          }
        }
        let expected = 2 * tanh(network(state)[0])
        #expect(abs(Double(Self.action(policy, observation)) - expected) < 1e-5, "\(path), \(observation)")
      }
    }
    for words in ["normalizer.mean", "normalizer.scale", "normalizerClip"] { #expect(try Self.lines().contains(words)) }
  }
}
