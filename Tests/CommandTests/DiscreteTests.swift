import Foundation
import OffPolicy
import Testing

/// Algorithms of discrete actions as a process: a run, its policy, a stop and a resume.
@Suite struct DiscreteTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func run(_ algorithm: String, _ name: String, steps: Int, _ more: String...) -> [String] {
    [
      "train", algorithm, "CartPole-v1", "--steps", "\(steps)", "--seed", "3", "--run-directory", folder.path(name),
      "--set", "hiddenSizes=16,16", "--set", "batchSize=32", "--set", "randomSteps=200", "--evaluate-every", "500",
      "--evaluation-episodes", "2",
    ] + more
  }

  func digest(_ name: String) throws -> String? {
    try Program.run("inspect", folder.path(name), "--json").json()["digest"]?.string
  }

  @Test(arguments: ["dqn", "sac-discrete"])
  func `a run can be inspected and evaluated, from its folder and from its policy file alone`(algorithm: String) throws
  {
    let result = try Program.run(run(algorithm, "run", steps: 1500))
    #expect(result.status == 0 && result.output.isEmpty)
    let inspection = try Program.run("inspect", folder.path("run"), "--json").json()
    #expect(inspection["step"]?.number == 1500 && inspection["health"]?["status"]?.string == "ok")
    let ofRun = try Program.run("evaluate", folder.path("run"), "--episodes", "4", "--json")
    try FileManager.default.copyItem(atPath: folder.path("run/policy.safetensors"), toPath: folder.path("policy"))
    try FileManager.default.removeItem(atPath: folder.path("run"))
    let ofFile = try Program.run("evaluate", folder.path("policy"), "--episodes", "4", "--json")
    #expect(ofFile.status == 0 && ofFile.output == ofRun.output)
    let returns = try ofFile.json()["returns"]?.array.compactMap(\.number) ?? []
    #expect(returns.count == 4 && returns.allSatisfy { (1...500).contains($0) })
  }

  @Test(arguments: ["dqn", "sac-discrete"])
  func `threads change no bit, and a run that was stopped and resumed is the run that was not`(
    algorithm: String
  ) throws {
    #expect(try Program.run(run(algorithm, "one", steps: 4000, "--threads", "1")).status == 0)
    #expect(try Program.run(run(algorithm, "two", steps: 4000, "--threads", "2")).status == 0)
    let log = folder.path("parts/episodes.csv")
    let stopped = try Program.run(
      run(algorithm, "parts", steps: 4000),
      signal: (
        SIGINT, { ((try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").count ?? 0) > 20 }
      ))
    #expect(stopped.status == 130 || stopped.status == 0)
    #expect(try Program.run("resume", folder.path("parts"), "--threads", "2").status == 0)
    let digest = try #require(try digest("one"))
    #expect(try self.digest("two") == digest && self.digest("parts") == digest)
  }

  @Test func `a run of choices is data of choices, and what cannot use them refuses before anything is written`() throws
  {
    #expect(try Program.run(run("dqn", "run", steps: 600)).status == 0)
    let data = try Program.run("dataset", "convert", folder.path("run"), folder.path("data.npz"), "--json").json()
    #expect(data["description"]?["choices"]?.number == 2)
    #expect(data["statistics"]?["actions"]?["least"]?.number == 0)
    #expect(data["statistics"]?["actions"]?["greatest"]?.number == 1)
    let collected = try Program.run(
      "collect", folder.path("run"), "CartPole-v1", "--steps", "50", "--out", folder.path("own"), "--json")
    #expect(try collected.json()["description"]?["choices"]?.number == 2)
    let before = folder.contents
    for (arguments, reason) in [
      (["train", "td3-bc", "--dataset", folder.path("run"), "--run-directory", folder.path("bc")], "one of 2 choices"),
      (
        ["value", folder.path("run"), "--dataset", folder.path("data.npz"), "--distance", "1.5"],
        "--distance must be below 1 for choices"
      ),
      (["value", folder.path("run"), "--dataset", folder.path("data.npz"), "--entropy"], "--entropy needs a policy"),
      (
        ["collect", folder.path("run"), "CartPole-v1", "--steps", "9", "--noise", "1", "--out", folder.path("x")],
        "noise"
      ),
      (["collect", folder.path("run"), "Acrobot-v1", "--steps", "9", "--out", folder.path("x")], "one of 2 choices"),
    ] {
      let result = try Program.run(arguments)
      #expect(result.status == 1 && result.errors.contains(reason), "\(result.errors)")
    }
    #expect(folder.contents == before)
  }
  @Test(arguments: ["dqn", "sac-discrete"])
  func `a policy of choices is valued and compared, from data and in its environment`(algorithm: String) throws {
    #expect(try Program.run(run(algorithm, "run", steps: 600)).status == 0)
    let fitting = ["--updates", "50", "--episodes", "10", "--environment", "CartPole-v1", "--json"]
    let value = try Program.run(["value", folder.path("run"), "--dataset", folder.path("run")] + fitting).json()
    #expect(value["monteCarlo"]?["count"]?.number == 10 && value["critics"]?.array.count == 4)
    #expect(value["drawsActions"] == .bool(algorithm == "sac-discrete"))
    let compared = try Program.run(
      ["compare", folder.path("run"), folder.path("run"), "--collect", "1000"] + fitting
    ).json()
    #expect(compared["returns"]?["episodes"]?.number == 10 && compared["surrogate"]?["mean"]?.number != nil)
    // a file of others, which says neither bounds nor choices, holds what the policy chooses
    var archive = NumPyArchive.Writer()
    let states = (0..<80).map { Float(($0 * 7) % 13) / 100 }
    archive.add("observations", floats: states, shape: [20, 4])
    archive.add("actions", floats: (0..<20).map { Float($0 % 2) }, shape: [20])
    archive.add("rewards", floats: [Float](repeating: 1, count: 20), shape: [20])
    archive.add("terminals", booleans: (0..<20).map { UInt8($0 % 10 == 9 ? 1 : 0) }, shape: [20])
    archive.add("timeouts", booleans: [UInt8](repeating: 0, count: 20), shape: [20])
    try archive.write(to: folder.path("others.npz"))
    for environment in [[], ["--episodes", "4", "--environment", "CartPole-v1"]] {
      let call = ["value", folder.path("run"), "--dataset", folder.path("others.npz"), "--updates", "20"] + environment
      let result = try Program.run(call)
      #expect(result.status == 0, "\(result.errors)")
    }
  }
}
