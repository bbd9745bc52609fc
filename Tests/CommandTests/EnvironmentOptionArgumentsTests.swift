import Foundation
import OffPolicy
import Testing

@Suite struct EnvironmentOptionArgumentsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Runs a command that must fail in one line and write nothing.
  func refusal(_ arguments: [String], says parts: String...) throws {
    let before = folder.contents
    let result = try Program.run(arguments, in: folder.url)
    #expect(result.status != 0 && result.status < 128, "status \(result.status)")
    #expect(result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
    for part in parts { #expect(result.errors.contains(part), "\(part) in \(result.errors)") }
    #expect(folder.contents == before)
  }

  @Test(arguments: [
    ("gee=9", "Pendulum-v1 has no option \"gee\": did you mean g? `offpolicy list Pendulum-v1` shows them"),
    ("frame_skip=2", "Pendulum-v1 has no option \"frame_skip\"; `offpolicy list Pendulum-v1` shows them"),
    ("g=heavy", "the option g of Pendulum-v1 cannot be \"heavy\": it must be a number"),
    ("g=1,2", "the option g of Pendulum-v1 cannot be \"1,2\": it must be a number"),
    ("max_episode_steps=2.5", "it must be a whole number, at least 1, or -1 for no limit"),
    ("g", "--option \"g\" is not key=value"), ("=1", "is not key=value"), ("", "is not key=value"),
  ])
  func `a wrong option is told in one line by every command that makes a task`(option: String, message: String) throws {
    let run = folder.path("run")
    for command in [
      ["train", "sac", "Pendulum-v1", "--run-directory", run], ["environment", "check", "Pendulum-v1"],
      ["environment", "rollout", "Pendulum-v1", "actions", "out"],
      ["collect", "random", "Pendulum-v1", "--steps", "10", "--out", "data.npz"],
    ] { try refusal(command + ["--option", option], says: message) }
  }

  @Test func `an episode without a limit is refused where whole episodes are waited for`() throws {
    let endless = ["--option", "max_episode_steps=-1"]
    try refusal(
      ["train", "sac", "Pendulum-v1", "--run-directory", folder.path("run")] + endless,
      says: "an evaluation (--evaluate-every 0: none)", "may not: give a number of steps")
    let run = folder.path("endless")
    let result = try Program.run(
      [
        "train", "sac", "Pendulum-v1", "--steps", "230", "--set", "hiddenSizes=8", "--set", "randomSteps=50",
        "--evaluate-every", "0",
        "--run-directory", run,
      ] + endless)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try Program.run("inspect", run, "--json").json()["episodes"]?.number == 0)
    try refusal(["evaluate", run], says: "an evaluation needs episodes that end")
    #expect(try Program.run("evaluate", run, "--episodes", "1", "--option", "max_episode_steps=9").status == 0)
  }

  @Test func `a run keeps its options, and everything that is made from it has them`() throws {
    let (run, plain) = (folder.path("run"), folder.path("plain"))
    let options = ["--option", "g=2", "--option", "max_episode_steps=40"]
    for (path, options) in [(run, options), (plain, [])] {
      let result = try Program.run(shortRun("td3", into: path, steps: 300) + options)
      try #require(result.status == 0, "\(result.errors)")
    }
    let description = try JSONValue(text: String(contentsOfFile: run + "/run.json", encoding: .utf8))
    #expect(description["run"]?["environmentOptions"]?.text() == #"{"g":2,"max_episode_steps":40}"#)
    #expect(try String(contentsOfFile: plain + "/run.json", encoding: .utf8).contains("ptions") == false)
    let metadata = try SafeTensors(contentsOf: run + "/policy.safetensors").metadata
    #expect(metadata["environmentOptions"] == #"{"g":2,"max_episode_steps":40}"#)
    let plainMetadata = try SafeTensors(contentsOf: plain + "/policy.safetensors").metadata
    #expect(plainMetadata.keys.contains("environmentOptions") == false)
    #expect(try Program.run("inspect", run).output.contains("options    g=2 max_episode_steps=40"))

    // episodes of the run have the limit
    let rows = try String(contentsOfFile: run + "/episodes.csv", encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 1 + 7)
    // evaluate: those of the policy, unless others are given; each by itself
    func evaluate(_ path: String, _ more: String...) throws -> JSONValue {
      try Program.run(["evaluate", path, "--episodes", "2", "--json"] + more).json()
    }
    let own = try evaluate(run)
    #expect(own["lengthMean"]?.number == 40 && own["options"]?["g"]?.number == 2)
    #expect(try evaluate(run + "/policy.safetensors") == own)
    let given = try evaluate(run, "--option", "max_episode_steps=30")
    #expect(given["lengthMean"]?.number == 30 && given["options"]?["g"]?.number == 2)
    let heavy = try evaluate(run, "--option", "g=10")
    #expect(heavy["lengthMean"]?.number == 40 && heavy["returns"] != own["returns"])
    #expect(try evaluate(plain)["options"] == nil)

    // collect, and value, in the policy's task
    let data = folder.path("data.npz")
    let collected = try Program.run(
      "collect", run, "Pendulum-v1", "--steps", "100", "--seed", "5", "--out", data, "--json"
    ).json()
    #expect(collected["description"]?["source"]?.string?.hasSuffix("noise 0.0, g=2 max_episode_steps=40") == true)
    #expect(collected["statistics"]?["truncated"]?.number == 2)
    let lengths = try Program.run("dataset", "info", data, "--json").json()["statistics"]?["lengths"]
    #expect(lengths?["greatest"]?.number == 40)
    // a difference of returns has a meaning in one task only
    try refusal(
      ["compare", plain, run, "--environment", "Pendulum-v1"],
      says: "\(plain) was trained with the default options", "\(run) with g=2 max_episode_steps=40", "set with --option"
    )
  }

  @Test func `a resumed run goes on in its task, to the bit`() throws {
    let (whole, halves) = (folder.path("whole"), folder.path("halves"))
    let more = ["--option", "max_episode_steps=35", "--option", "g=4", "--checkpoint-every", "170"]
    #expect(try Program.run(shortRun("sac", into: whole, steps: 400) + more).status == 0)
    let file = URL(fileURLWithPath: halves + "/checkpoint/state-previous.safetensors")
    let stopped = try Program.run(
      shortRun("sac", into: halves, steps: 400) + more,
      signal: (SIGTERM, { FileManager.default.fileExists(atPath: file.path) }))
    #expect(stopped.status == 143 || stopped.status == 0)
    #expect(try Program.run("resume", halves).status == 0)
    let digests = try [whole, halves].map { try Program.run("inspect", $0, "--json").json()["digest"]?.string }
    #expect(digests[0] != nil && digests[0] == digests[1])
    let rows = try [whole, halves].map { path in
      try String(contentsOfFile: path + "/episodes.csv", encoding: .utf8).split(separator: "\n").count
    }
    #expect(rows == [12, 12])
  }

  @Test func `data of a task with options are learned from, and evaluated in, that task`() throws {
    let (run, learned) = (folder.path("run"), folder.path("learned"))
    #expect(try Program.run(shortRun("td3", into: run, steps: 300) + ["--option", "max_episode_steps=40"]).status == 0)
    let small = ["--steps", "60", "--set", "hiddenSizes=8", "--evaluate-every", "60", "--evaluation-episodes", "1"]
    #expect(try Program.run(["train", "td3-bc", "--dataset", run, "--run-directory", learned] + small).status == 0)
    let description = try JSONValue(text: String(contentsOfFile: learned + "/run.json", encoding: .utf8))
    #expect(description["run"]?["environmentOptions"]?.text() == #"{"max_episode_steps":40}"#)
    let evaluations = try String(contentsOfFile: learned + "/evaluations.csv", encoding: .utf8).split(separator: "\n")
    #expect(evaluations.last?.split(separator: ",")[6] == "40.0")
  }

  @Test(.enabled(if: EnvironmentCommandTests.hasLibrary))
  func `a robot that sees its place is trained, resumed and evaluated so`() throws {
    let run = folder.path("run")
    let result = try Program.run(
      [
        "train", "td3", "Swimmer-v5", "--steps", "120", "--set", "hiddenSizes=8", "--set", "randomSteps=60",
        "--evaluate-every", "60", "--evaluation-episodes", "1", "--run-directory", run,
        "--option", "exclude_current_positions_from_observation=False", "--option", "max_episode_steps=30",
      ], in: Program.root)
    try #require(result.status == 0, "\(result.errors)")
    #expect(try Program.run(["resume", run], in: Program.root).status == 0)
    let report = try Program.run(["evaluate", run, "--episodes", "1", "--json"], in: Program.root)
    #expect(try report.json()["lengthMean"]?.number == 30)
    try refusal(
      [
        "collect", run, "Swimmer-v5", "--steps", "9", "--out", folder.path("x.npz"), "--option",
        "exclude_current_positions_from_observation=true",
      ],
      says: "takes 10 observations", "Swimmer-v5, exclude_current_positions_from_observation=true", "has 8 and 2")
  }

  @Test func `options are listed with defaults, what is allowed and what they mean`() throws {
    let tasks = try Program.run("list", "--json").json()["environments"]?.array ?? []
    for task in tasks {
      let entry = try EnvironmentRegistry.standard.entry(task["id"]?.string ?? "")
      let listed = task["options"]?.array ?? []
      #expect(listed.compactMap { $0["name"]?.string } == entry.options.map(\.name))
      #expect(listed.allSatisfy { $0["allowed"]?.string?.isEmpty == false && $0["summary"]?.string?.isEmpty == false })
    }
    let hopper = try Program.run("list", "Hopper-v5", "--json").json()["environments"]?.array.first
    let range = hopper?["options"]?.array.first { $0["name"]?.string == "healthy_z_range" }
    #expect(range?["default"]?.text() == #"[0.7,"inf"]"#)
    #expect(try Program.run("list", "Hopper").output.contains("healthy_z_range                             0.7,inf"))
    #expect(try Program.run("list").output.contains("sutton_barto_reward max_episode_steps"))
  }
}
