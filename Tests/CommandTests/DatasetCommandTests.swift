// DatasetCommandTests.swift — `collect`, `dataset`, `value`, `compare` and `train td3-bc`, as a person runs them.

import Foundation
import OffPolicy
import Testing

@Suite struct DatasetCommandTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  func succeed(_ arguments: [String]) throws -> ProgramResult {
    let result = try Program.run(arguments, in: folder.url)
    try #require(result.status == 0, "\(result.errors)")
    return result
  }

  /// Runs a command that must fail in one line, and leave the folder as it was.
  func refusal(_ arguments: [String], says parts: String...) throws {
    let before = folder.contents
    let result = try Program.run(arguments, in: folder.url)
    #expect(result.status != 0 && result.status < 128, "status \(result.status)")
    let lines = result.errorLines.filter { !$0.hasPrefix("Usage:") && !$0.hasPrefix("  See ") }
    #expect(lines.count == 1 && result.output.isEmpty, "\(result.errors)")
    for part in parts { #expect(result.errors.contains(part), "\(part) in \(result.errors)") }
    #expect(folder.contents == before)
  }

  /// A short run of TD3 on the pendulum, and data of random actions.
  func prepare(_ algorithm: String = "td3") throws {
    try succeed(shortRun(algorithm, into: folder.path("run"), steps: 400))
    try succeed(["collect", "random", "Pendulum-v1", "--steps", "1000", "--out", folder.path("data")])
  }

  let quick = ["--updates", "60", "--set", "hiddenSizes=16", "--set", "batchSize=32"]
  let onPendulum = ["--environment", "Pendulum-v1", "--episodes", "3"]
  /// As few as the gate takes.
  let gated = ["--environment", "Pendulum-v1", "--episodes", "10", "--gate"]

  @Test func `data go from layout to layout and stay the same`() throws {
    let collected = try succeed([
      "collect", "random", "Pendulum-v1", "--steps", "500", "--seed", "4", "--out", folder.path("a"), "--json",
    ]).json()
    #expect(collected["statistics"]?["transitions"]?.number == 500)
    #expect(collected["statistics"]?["truncated"]?.number == 2 && collected["statistics"]?["broken"]?.number == 1)
    #expect(collected["description"]?["environment"]?.string == "Pendulum-v1")
    let again = try succeed([
      "collect", "random", "Pendulum-v1", "--steps", "500", "--seed", "4", "--out", folder.path("b.npz"), "--json",
    ]).json()
    #expect(again["digest"] == collected["digest"])
    let back = try succeed(["dataset", "convert", folder.path("b.npz"), folder.path("c"), "--json"]).json()
    #expect(back["digest"] == collected["digest"])
    // a layout by its name, whatever the path looks like
    let named = try succeed([
      "dataset", "convert", folder.path("c"), folder.path("d.data"), "--layout", "folder", "--json",
    ]).json()
    #expect(named["digest"] == collected["digest"])
    #expect(try succeed(["dataset", "info", folder.path("d.data"), "--json"]).json()["digest"] == collected["digest"])
    // and a file by what is in it
    for name in ["e", "f.hdf5"] {
      try succeed(["dataset", "convert", folder.path("c"), folder.path(name), "--layout", "npz"])
      #expect(try succeed(["dataset", "info", folder.path(name), "--json"]).json()["digest"] == collected["digest"])
    }
    let text = try succeed(["dataset", "info", folder.path("c")]).output
    #expect(text.contains("500, 3 starts of episodes, 2 whole episodes") && text.contains("2 timed out"))
  }

  @Test func `a policy's steps and a run's replay buffer are data`() throws {
    try prepare()
    let own = try succeed([
      "collect", folder.path("run"), "Pendulum-v1", "--steps", "300", "--noise", "0.2", "--out", folder.path("own.npz"),
      "--json",
    ]).json()
    #expect(own["description"]?["source"]?.string?.contains("td3 after 400 steps, noise 0.2") == true)
    let run = try succeed(["dataset", "info", folder.path("run"), "--json"]).json()
    #expect(run["statistics"]?["transitions"]?.number == 400)
  }

  @Test func `value prints the fitted value, the task's own, and how far the data are`() throws {
    try prepare("sac")
    let arguments = ["value", folder.path("run"), "--dataset", folder.path("data")] + quick
    let json = try succeed(arguments + onPendulum + ["--critics", "3", "--json"]).json()
    for key in ["fitted", "monteCarlo", "criticError"] {
      let (low, mean, high) = (json[key]?["low"]?.number, json[key]?["mean"]?.number, json[key]?["high"]?.number)
      #expect((low ?? 1) <= (mean ?? 0) && (mean ?? 1) <= (high ?? 0), "\(key)")
    }
    #expect(json["critics"]?.array.count == 3 && json["horizon"]?.number == 917)
    #expect((json["nearestActions"]?["shareOutside"]?.number ?? -1) >= 0)
    #expect(json["temperature"]?.number == 0 && json["drawsActions"] == .bool(true))
    // sixty updates are no evaluation, and the result says so
    #expect(json["warnings"]?.array.isEmpty == false)
    let entropy = try succeed(arguments + ["--entropy", "--hard", "20", "--json"]).json()
    #expect((entropy["temperature"]?.number ?? 0) > 0.1 && entropy["startsFrom"]?.string == "data")
    let text = try succeed(arguments + ["--deterministic", "--soft", "0.01"])
    #expect(text.output.contains("value ") && text.output.contains("critics ") && text.output.contains("data "))
  }

  @Test func `compare tells the three numbers, and the gate lets only the better through`() throws {
    try prepare()
    try succeed(shortRun("td3", into: folder.path("other"), steps: 1200, seed: 5))
    let arguments = ["compare", folder.path("run"), folder.path("other"), "--dataset", folder.path("data")] + quick
    let json = try succeed(arguments + onPendulum + ["--json"]).json()
    for key in ["returns", "lemma", "surrogate", "criticError", "stateMismatch", "improves"] {
      #expect(json[key] != nil, "\(key)")
    }
    let gate = try Program.run(arguments + gated + ["--json"])
    let improves = try gate.json()["improves"] == .bool(true)
    #expect(gate.status == (improves ? 0 : 3))
    try refusal(arguments + onPendulum + ["--gate"], says: "--gate needs at least --episodes 10")
    try refusal(arguments + ["--episodes", "3"], says: "--episodes needs an environment")
    // the same policy twice is no improvement
    let same = try Program.run(
      [
        "compare", folder.path("run"), folder.path("run"), "--collect", "1000",
      ] + gated + quick)
    #expect(
      same.status == 3 && same.output.contains("(a) difference 0.00 [0.00, 0.00]"), "\(same.output)\(same.errors)")
    let blind = try succeed(arguments)
    #expect(blind.output.contains("(c) surrogate") && !blind.output.contains("(a)"))
    #expect(blind.output.contains("not to trust it"))
  }

  @Test func `compare values rewards alone, also of policies that draw`() throws {
    try prepare("sac")
    let run = folder.path("run")
    try refusal(
      ["compare", run, run, "--dataset", folder.path("data"), "--set", "temperature=0.2"],
      says: "leave --set temperature out")
  }

  @Test func `td3-bc trains from data, is resumed to the bit, and its policy is evaluated`() throws {
    try succeed(["collect", "random", "Pendulum-v1", "--steps", "1000", "--out", folder.path("data.npz")])
    func train(_ name: String, _ steps: String, _ more: [String] = []) throws {
      try succeed(
        [
          "train", "td3-bc", "--dataset", folder.path("data.npz"), "--steps", steps, "--run-directory",
          folder.path(name), "--set", "hiddenSizes=16,16", "--set", "batchSize=32", "--evaluate-every", "1000",
          "--evaluation-episodes", "2",
        ] + more)
    }
    func digest(_ name: String) throws -> String? {
      try succeed(["inspect", folder.path(name), "--json"]).json()["digest"]?.string
    }
    try train("whole", "2000", ["--threads", "2"])
    let rows = try String(contentsOfFile: folder.path("whole/evaluations.csv"), encoding: .utf8)
    #expect(rows.split(separator: "\n").count == 3, "the task that the data name is evaluated on")
    let result = try succeed(["evaluate", folder.path("whole"), "--episodes", "2", "--json"]).json()
    #expect((result["returnMean"]?.number ?? 0) < 0)

    // stopped by a signal somewhere on the way
    let process = try Program.run(
      [
        "train", "td3-bc", "--dataset", folder.path("data.npz"), "--steps", "2000", "--run-directory",
        folder.path("parts"), "--set", "hiddenSizes=16,16", "--set", "batchSize=32", "--evaluate-every", "1000",
        "--evaluation-episodes", "2", "--threads", "1",
      ],
      signal: (
        SIGINT,
        { ((try? Data(contentsOf: URL(fileURLWithPath: folder.path("parts/evaluations.csv"))))?.count ?? 0) > 90 }
      ))
    if process.status == 130 { try succeed(["resume", folder.path("parts")]) }
    #expect(try digest("parts") == digest("whole"))

    // other data cannot go on with it
    try FileManager.default.removeItem(atPath: folder.path("data.npz"))
    try refusal(["resume", folder.path("whole")], says: "data.npz", "does not exist")
    try succeed(["collect", "random", "Pendulum-v1", "--steps", "900", "--out", folder.path("data.npz")])
    try refusal(["resume", folder.path("whole")], says: "is not the data set that the run has learned from")
  }

  @Test func `what a value cannot obey is refused`() throws {
    try prepare()
    let value = ["value", "run", "--dataset", "data", "--updates", "5", "--set"]
    try refusal(value + ["targetTracking.soft.rate=0.3", "--soft", "0.1"], says: "--soft and --set targetTracking")
    try refusal(value + ["targetTracking.soft.rate=0.3", "--hard", "4"], says: "--hard and --set targetTracking")
    try refusal(value + ["critics=3", "--critics", "2"], says: "--critics and --set critics")
    try refusal(value + ["critics=3", "--workers", "2"], says: "--on-fault run an environment")
    try refusal(value + ["temperature=0.5"], says: "temperature weighs the entropy")
    try refusal(value + ["policyActivation=tanh"], says: "policyActivation is that of the policy")
  }

  @Test func `what cannot be collected, read or valued is refused in one line`() throws {
    try prepare()
    let (run, data) = (folder.path("run"), folder.path("data"))
    try refusal(["collect", "random", "Pendulum-v1", "--steps", "10", "--out", data], says: "exists already")
    try refusal(["collect", "random", "Pendulum-v1", "--steps", "10", "--out", "x.csv"], says: "unknown extension")
    try refusal(["collect", "random", "Pendulumm", "--steps", "10", "--out", "x"], says: "did you mean")
    try refusal(
      ["collect", run, "MountainCarContinuous-v0", "--steps", "9", "--out", "x"], says: "takes 3 observations")
    try refusal(["dataset", "info", "nothing"], says: "does not exist")
    try refusal(["dataset", "convert", data, data], says: "exists already")
    try refusal(["dataset", "convert", data, "x.csv"], says: "--layout")
    try refusal(["dataset", "info", data, "--timeouts", "often"], says: "--timeouts must be")
    try refusal(["value", run, "--dataset", "nothing"], says: "does not exist")
    try refusal(["value", run, "--dataset", data, "--environment", "Hopperr"], says: "no environment is called")
    try refusal(["value", run, "--dataset", data, "--entropy"], says: "--entropy needs a policy that draws")
    try refusal(["value", run, "--dataset", data, "--set", "discount=1"], says: "discount must be below 1")
    try refusal(["value", run, "--dataset", data, "--soft", "0.1", "--hard", "3"], says: "--soft or --hard")
    try refusal(["value", run, "--dataset", data, "--environment", "MountainCarContinuous-v0"], says: "takes 3")
    try succeed(["collect", "random", "Pendulum-v1", "--steps", "150", "--out", folder.path("one")])
    try refusal(
      ["value", run, "--dataset", folder.path("one")] + quick, says: "hold 1 start of an episode", "--environment")
    try succeed(["collect", "random", "MountainCarContinuous-v0", "--steps", "50", "--out", folder.path("car")])
    try refusal(["value", run, "--dataset", folder.path("car")], says: "they are of different environments")
    try refusal(["compare", run, run], says: "--environment, --dataset, or both")
    try refusal(["compare", run, run, "--dataset", data, "--gate"], says: "--gate needs --environment")
    try refusal(["train", "td3-bc", "Pendulum-v1"], says: "learns from data")
    try refusal(["train", "sac", "Pendulum-v1", "--dataset", data], says: "learns from an environment")
    try refusal(["train", "fqe", "--dataset", data], says: "offpolicy value")
    try refusal(["train", "sac"], says: "name the environment")
  }
}
