import Foundation
import OffPolicy
import Testing

/// Train.swift: a run as a process, stopped and resumed.
@Suite struct TrainTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  func succeed(_ arguments: [String]) throws -> ProgramResult {
    let result = try Program.run(arguments, in: folder.url)
    try #require(result.status == 0, "\(result.errors)")
    return result
  }

  func digest(_ name: String) throws -> String {
    let value = try succeed(["inspect", folder.path(name), "--json"]).json()["digest"]?.string
    return try #require(value)
  }

  func text(_ name: String) throws -> String { try String(contentsOfFile: folder.path(name), encoding: .utf8) }

  /// A log's rows without the last column, the seconds.
  func rows(_ name: String) throws -> [[Substring]] {
    try text(name).split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).dropLast() }
  }

  /// Waits for a log to have this many rows.
  func has(_ count: Int, rowsIn name: String) -> Bool { ((try? rows(name).count) ?? 0) >= count }

  @Test func `a run leaves its files, and they say what it was`() throws {
    let result = try succeed(shortRun("sac", into: folder.path("run")))
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("done: 1,500 steps"))
    for file in [
      "run.json", "episodes.csv", "metrics.csv", "evaluations.csv", "policy.safetensors", "policy-best.safetensors",
      "checkpoint/state.safetensors", "checkpoint/replay-00000000.frames",
    ] {
      #expect(folder.contents.contains("run/\(file)"), "\(file)")
    }
    let evaluations = try text("run/evaluations.csv").split(separator: "\n")
    #expect(evaluations[0] == "step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds")
    #expect(evaluations.dropFirst().map { $0.split(separator: ",")[0] } == ["500", "1000", "1500"])
    #expect(evaluations.dropFirst().allSatisfy { $0.split(separator: ",").compactMap { Double($0) }.count == 8 })
    // seven whole episodes of 200 steps, each truncated
    let episodes = try rows("run/episodes.csv")
    #expect(episodes.dropFirst().map { $0[0] } == (1...7).map { Substring("\(200 * $0)") })
    #expect(episodes.dropFirst().allSatisfy { $0[3] == "200" && $0[4] == "0" && $0[5] == "1" })

    let run = try JSONValue(text: text("run/run.json"))
    #expect(run["run"]?["seed"]?.number == 3 && run["run"]?["algorithm"]?.string == "sac")
    #expect(run["run"]?["configuration"]?["hiddenSizes"]?.array == [.number(16), .number(16)])
    #expect(run["run"]?["configuration"]?["discount"]?.number == 0.99)
    let versions = try #require(run["versions"])
    for key in ["program", "swift", "processor"] { #expect(versions[key]?.string?.isEmpty == false, "\(key)") }
    #expect((versions["mujoco"] ?? .null) == .null)
  }

  @Test(arguments: ["sac", "td3", "ddpg"])
  func `threads and evaluation change no bit, another seed does`(algorithm: String) throws {
    try succeed(shortRun(algorithm, into: folder.path("one"), steps: 600, ["--threads", "1"]))
    try succeed(shortRun(algorithm, into: folder.path("two"), steps: 600, ["--threads", "2"]))
    try succeed(shortRun(algorithm, into: folder.path("silent"), steps: 600, ["--evaluate-every", "0"]))
    try succeed(shortRun(algorithm, into: folder.path("seed"), steps: 600, seed: 4))
    let digest = try digest("one")
    #expect(try self.digest("two") == digest && self.digest("silent") == digest)
    #expect(try self.digest("seed") != digest)
    #expect(try rows("one/evaluations.csv").count == 3 && rows("silent/evaluations.csv").count == 1)
  }

  @Test(arguments: ["sac", "td3", "ddpg"])
  func `a run that was stopped and resumed is the run that was not`(algorithm: String) throws {
    try succeed(shortRun(algorithm, into: folder.path("whole"), steps: 6000))
    var stops = 0
    // the stop comes when the log says so; on a fast machine the run may be over by then
    let first = try Program.run(
      shortRun(algorithm, into: folder.path("parts"), steps: 6000), in: folder.url,
      signal: (SIGINT, { has(3, rowsIn: "parts/episodes.csv") }))
    if first.status == 130 { stops += 1 }
    let second = try Program.run(
      ["resume", folder.path("parts"), "--threads", "2"], in: folder.url,
      signal: (SIGTERM, { has(15, rowsIn: "parts/episodes.csv") }))
    if second.status == 143 { stops += 1 }
    try succeed(["resume", folder.path("parts")])
    #expect(stops > 0)
    #expect(try digest("parts") == digest("whole"))
    for log in ["episodes.csv", "evaluations.csv"] {
      #expect(try rows("parts/\(log)") == rows("whole/\(log)"), "\(log)")
    }
    #expect(
      try Data(contentsOf: folder.url.appendingPathComponent("parts/policy.safetensors"))
        == Data(contentsOf: folder.url.appendingPathComponent("whole/policy.safetensors")))
  }

  @Test(arguments: ["sac", "td3", "ddpg"])
  func `sizes of their own, a schedule and a bound of the gradients are resumed, evaluated and inspected`(
    algorithm: String
  ) throws {
    let settings = [
      "policyHiddenSizes=9", "criticHiddenSizes=20,7", "learningRateSchedule=linear", "maximumGradientNorm=0.5",
      "huberThreshold=1", "adamEpsilon=1e-5",
    ].flatMap { ["--set", $0] }
    try succeed(shortRun(algorithm, into: folder.path("whole"), steps: 4000, settings))
    let first = try Program.run(
      shortRun(algorithm, into: folder.path("parts"), steps: 4000, settings), in: folder.url,
      signal: (SIGINT, { has(4, rowsIn: "parts/episodes.csv") }))
    #expect(first.status == 130 || first.status == 0)
    try succeed(["resume", folder.path("parts"), "--threads", "2"])
    #expect(try digest("parts") == digest("whole"))
    let file = try SafeTensors(contentsOf: folder.path("parts/policy.safetensors"))
    #expect(file.metadata["hiddenSizes"] == "9")
    #expect(try file.shape("policy.layer.0.weight") == [9, 3])
    let ofRun = try Program.run("evaluate", folder.path("whole"), "--episodes", "2", "--json")
    #expect(ofRun.status == 0)
    #expect(
      try Program.run("evaluate", folder.path("parts/policy.safetensors"), "--episodes", "2", "--json").output
        == ofRun.output)
  }

  @Test func `a run that is done can be resumed and stays as it is`() throws {
    try succeed(shortRun("td3", into: folder.path("run"), steps: 400))
    let (before, log) = (try digest("run"), try rows("run/episodes.csv"))
    try succeed(["resume", folder.path("run")])
    #expect(try digest("run") == before && rows("run/episodes.csv") == log)
  }

  @Test func `without a folder a run goes to one named after it, numbered where that is taken`() throws {
    let arguments = [
      "train", "ddpg", "Pendulum-v1", "--steps", "20", "--seed", "7", "--evaluate-every", "0", "--set",
      "randomSteps=10",
    ]
    try succeed(arguments)
    let second = try succeed(arguments)
    // the lines to paste are those of the second run
    #expect(second.errors.contains(" evaluate runs/ddpg-Pendulum-v1-seed7-2 "))
    #expect(second.errors.hasSuffix(" report runs/ddpg-Pendulum-v1-seed7-2\n"))
    #expect(folder.contents.contains("runs/ddpg-Pendulum-v1-seed7/policy.safetensors"))
    #expect(folder.contents.contains("runs/ddpg-Pendulum-v1-seed7-2/policy.safetensors"))
  }

  @Test func `a run that would learn nothing is refused with what to set, and one that learns says how much`() throws {
    let few = ["train", "sac", "Pendulum-v1", "--steps", "800", "--evaluate-every", "0"]
    func refusal(_ arguments: [String]) throws -> String {
      let result = try Program.run(arguments, in: folder.url)
      #expect(result.status == 1 && result.errorLines.count == 1 && folder.contents.isEmpty)
      return result.errors
    }
    #expect(
      try refusal(few).contains("the first randomSteps = 1000 take random actions"))
    #expect(try refusal(few).contains("(--set randomSteps=256)"))
    #expect(
      try refusal(few + ["--set", "randomSteps=10", "--set", "updateEvery=801"]).contains("(--set updateEvery=1)"))
    // what is advised works
    let result = try succeed(few + ["--set", "randomSteps=256", "--set", "hiddenSizes=8", "--set", "batchSize=8"])
    #expect(result.errors.contains("learning begins after 256 steps and makes 544 updates"))
    #expect(result.errors.contains("544 updates\n"))
  }

  @Test func `episodes so short that the buffer is never full are learned from all the same`() throws {
    // episodes of 2 steps: of 100 transitions, 82 have room with their final observations
    try succeed([
      "train", "td3", "Pendulum-v1", "--option", "max_episode_steps=2", "--steps", "400", "--set", "randomSteps=50",
      "--set",
      "bufferCapacity=100", "--set", "batchSize=100", "--set", "hiddenSizes=8", "--evaluate-every", "0",
      "--run-directory",
      folder.path("run"),
    ])
    #expect(try succeed(["inspect", folder.path("run"), "--json"]).json()["updates"]?.number ?? 0 > 200)
  }

  @Test func `the last policy is evaluated, and the run's own episodes can be run again`() throws {
    try succeed(shortRun("sac", into: folder.path("run"), steps: 730, ["--set", "normalizeObservations=true"]))
    let logged = try rows("run/evaluations.csv").dropFirst()
    #expect(logged.map { $0[0] } == ["500", "730"])
    let again = try succeed(["evaluate", folder.path("run"), "--as-in-run", "--json"]).json()
    #expect(again["returnMean"]?.number == Double(logged.last![2]) && again["episodes"]?.number == 2)
    #expect(try JSONValue(text: text("run/run.json"))["evaluationSeed"]?.number == again["firstSeed"]?.number)
    let mixed = try Program.run("evaluate", folder.path("run"), "--as-in-run", "--seed", "4")
    #expect(mixed.status == 1 && mixed.errors.contains("leave out --episodes, --seed"))
  }
}
