import Foundation
import OffPolicy
import Testing

@Suite struct EnvironmentCommandTests {
  static let classic = Program.root.appendingPathComponent("Tests/EnvironmentsTests/Fixtures")
  static let robots = Program.root.appendingPathComponent("Tests/MuJoCoTasksTests/Fixtures")
  static let hasLibrary = (try? MuJoCoTasks.simulatorVersion()) != nil

  /// Replays a recording through the command, up to the end of its first episode.
  func rollout(_ id: String, seed: Int, actions: [Float], shape: [Int]) throws -> SafeTensors {
    let folder = try TemporaryFolder()
    var file = SafeTensors()
    file.add("actions", floats: actions, shape: shape)
    try file.write(to: folder.path("actions"))
    let result = try Program.run(
      ["environment", "rollout", id, "--seed", "\(seed)", folder.path("actions"), folder.path("out")],
      in: Program.root)
    try #require(result.status == 0, "\(result.errors)")
    return try SafeTensors(contentsOf: folder.path("out"))
  }

  @Test(arguments: ["Pendulum-v1", "MountainCarContinuous-v0", "CartPole-v1"], [0, 42, 123])
  func `a classic task gives what Gymnasium gave`(id: String, seed: Int) throws {
    let recorded = try SafeTensors(contentsOf: Self.classic.appendingPathComponent("\(id).safetensors").path)
    let prefix = "seed.\(seed)."
    let file = try rollout(
      id, seed: seed, actions: recorded.floats(prefix + "actions"), shape: recorded.shape(prefix + "actions"))
    #expect(try file.shape("observations") == recorded.shape(prefix + "observations"))
    let pairs = zip(try file.floats("observations"), try recorded.floats(prefix + "observations"))
    #expect(pairs.allSatisfy { abs($0 - $1) <= 1e-5 })
    let rewards = zip(try file.doubles("rewards"), try recorded.doubles(prefix + "rewards"))
    #expect(rewards.allSatisfy { abs($0 - $1) <= 1e-6 * abs($1) })
    #expect(try file.bytes("terminated") == recorded.bytes(prefix + "terminated"))
    #expect(try file.bytes("truncated") == recorded.bytes(prefix + "truncated"))
  }

  @Test(.enabled(if: hasLibrary), arguments: MuJoCoTasks.entries.map(\.id), [0, 1, 2])
  func `a robot gives what Gymnasium gave, to the bit on the machine that recorded`(id: String, seed: Int) throws {
    let recorded = try SafeTensors(contentsOf: Self.robots.appendingPathComponent("\(id).safetensors").path)
    let prefix = "seed_\(seed)."
    let width = try recorded.shape(prefix + "actions")[1]
    let (terminated, truncated) = (try recorded.bytes(prefix + "terminated"), try recorded.bytes(prefix + "truncated"))
    // the recording goes on after a reset, a rollout does not
    let last = zip(terminated, truncated).enumerated().first { $1.0 == 1 || $1.1 == 1 }?.offset ?? terminated.count - 1
    let count = last + 1
    let file = try rollout(
      id, seed: seed, actions: Array(recorded.floats(prefix + "actions").prefix(count * width)), shape: [count, width])
    let observations = try file.floats("observations")
    let theirs = try recorded.floats(prefix + "observations").prefix(observations.count)
    let size = try file.shape("observations")[1]
    #expect(try file.shape("observations") == [count + 1, recorded.shape(prefix + "observations")[1]])
    #if os(Linux) && arch(x86_64)
      let difference = zip(observations, theirs).enumerated().first { $1.0.bitPattern != $1.1.bitPattern }
      #expect(difference == nil, "step \(difference.map { $0.offset / size } ?? 0)")
      let rewards = zip(try file.doubles("rewards"), try recorded.doubles(prefix + "rewards"))
      #expect(rewards.allSatisfy { abs($0 - $1) <= 1e-6 * abs($1) })
      #expect(try file.bytes("terminated") == Array(terminated.prefix(count)))
      #expect(try file.bytes("truncated") == Array(truncated.prefix(count)))
    #else
      #expect(zip(observations, theirs).prefix(6 * size).allSatisfy { abs($0 - $1) < 1e-4 })
    #endif
  }

  @Test func `a built-in task keeps the contract, and says so`() throws {
    let result = try Program.run("environment", "check", "Pendulum-v1", "--steps", "300")
    #expect(result.status == 0 && result.output.hasSuffix("Pendulum-v1: keeps the contract\n"))
    let json = try Program.run("environment", "check", "Pendulum-v1", "--steps", "300", "--json").json()
    #expect(json.keys.contains("findings"))
  }
}
