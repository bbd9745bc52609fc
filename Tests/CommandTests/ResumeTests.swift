// ResumeTests.swift — a run that goes on: for longer, with other settings, with data that moved, or into a new run.

import Foundation
import OffPolicy
import Testing

@Suite struct ResumeTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  func succeed(_ arguments: [String]) throws -> ProgramResult {
    let result = try Program.run(arguments, in: folder.url)
    try #require(result.status == 0, "\(arguments): \(result.errors)")
    return result
  }

  func refusal(_ arguments: [String], says parts: String...) throws {
    let result = try Program.run(arguments, in: folder.url)
    #expect((1..<128).contains(result.status), "status \(result.status)")
    #expect(result.errorLines.last?.hasPrefix("Error: ") == true, "\(result.errors)")
    for part in parts { #expect(result.errors.contains(part), "\(part) in \(result.errors)") }
  }

  func digest(_ name: String) throws -> String {
    try #require(try succeed(["inspect", folder.path(name), "--json"]).json()["digest"]?.string)
  }

  func runFile(_ name: String) throws -> JSONValue {
    try JSONValue(text: String(contentsOfFile: folder.path(name) + "/run.json", encoding: .utf8))
  }

  @Test(arguments: [
    ("sac", ["--environments", "2"]), ("td3", []), ("ddpg", ["--set", "nSteps=3", "--set", "updatesPerStep=0.5"]),
    ("td3", ["--set", "sampler=prioritised", "--set", "normalizeObservations=true"]),
  ])
  func `a finished run that is given more steps has the bits of one that always had them`(
    algorithm: String, more: [String]
  ) throws {
    try succeed(shortRun(algorithm, into: folder.path("whole"), steps: 1300, more))
    try succeed(shortRun(algorithm, into: folder.path("parts"), steps: 450, more))
    for steps in ["900", "1300"] {
      let result = try succeed(["resume", folder.path("parts"), "--steps", steps])
      #expect(!result.errors.contains("not with the bits"))
    }
    #expect(try digest("parts") == digest("whole"))
    #expect(
      try Data(contentsOf: folder.url.appendingPathComponent("parts/policy.safetensors"))
        == Data(contentsOf: folder.url.appendingPathComponent("whole/policy.safetensors")))
    let changes = try #require(try runFile("parts")["changes"]?.array)
    #expect(changes.map { $0["step"]?.number } == [450, 900] && changes.map { $0["steps"]?.number } == [900, 1300])
    #expect(try runFile("parts")["run"]?["steps"]?.number == 1300)
  }

  @Test func `an extended run on data has the bits of one that always had its updates`() throws {
    try succeed(["collect", "random", "Pendulum-v1", "--steps", "500", "--out", folder.path("here.npz")])
    let arguments = [
      "train", "td3-bc", "Pendulum-v1", "--dataset", folder.path("here.npz"), "--evaluate-every", "0", "--set",
      "hiddenSizes=8", "--set", "batchSize=16",
    ]
    try succeed(arguments + ["--steps", "300", "--run-directory", folder.path("parts")])
    try succeed(arguments + ["--steps", "600", "--run-directory", folder.path("whole")])
    // the data moved meanwhile
    try FileManager.default.moveItem(atPath: folder.path("here.npz"), toPath: folder.path("there.npz"))
    try refusal(["resume", folder.path("parts"), "--steps", "600"], says: "here.npz does not exist", "--dataset PATH")
    try succeed(["resume", folder.path("parts"), "--steps", "600", "--dataset", folder.path("there.npz")])
    #expect(try digest("parts") == digest("whole"))
    #expect(try runFile("parts")["run"]?["dataset"]?["path"]?.string?.hasSuffix("there.npz") == true)
    // other data are refused
    try succeed([
      "collect", "random", "Pendulum-v1", "--steps", "500", "--seed", "9", "--out", folder.path("other.npz"),
    ])
    try refusal(
      ["resume", folder.path("parts"), "--dataset", folder.path("other.npz")], says: "is not the data set that the run")
    try succeed([
      "train", "td3", "Pendulum-v1", "--steps", "60", "--set", "randomSteps=20", "--run-directory", folder.path("own"),
    ])
    try refusal(["resume", folder.path("own"), "--dataset", "x"], says: "it has no data that could have moved")
  }

  @Test func `a run cannot end before where it is, and a schedule that ends with it must be said anew`() throws {
    try succeed(shortRun("td3", into: folder.path("run"), steps: 400, ["--set", "learningRateSchedule=linear"]))
    try refusal(
      ["resume", folder.path("run"), "--steps", "300"], says: "learningRateSchedule ends with the run's 400 steps")
    try refusal(
      ["resume", folder.path("run"), "--steps", "800"], says: "such as learningRateSchedule.linear.updates=200")
    try succeed([
      "resume", folder.path("run"), "--steps", "800", "--set", "learningRateSchedule.linear.updates=200",
    ])
    try succeed(shortRun("td3", into: folder.path("plain"), steps: 400))
    let before = try String(contentsOfFile: folder.path("plain/run.json"), encoding: .utf8)
    try refusal(["resume", folder.path("plain"), "--steps", "300"], says: "is at step 400 already")
    #expect(try String(contentsOfFile: folder.path("plain/run.json"), encoding: .utf8) == before)
    let done = try succeed(["resume", folder.path("plain")])
    #expect(done.errors.contains("--steps N` goes on to step N"))
    try refusal(["resume", folder.path("plain"), "--python", "python3"], says: "--python is for gym:ID", "Pendulum-v1")
  }

  @Test func `what is set in mid-run holds from there on and is kept with its step`() throws {
    try succeed(shortRun("sac", into: folder.path("run"), steps: 400))
    try succeed(shortRun("sac", into: folder.path("same"), steps: 400))
    try succeed([
      "resume", folder.path("run"), "--steps", "700", "--set", "criticLearningRate=1e-4", "--set", "discount=0.9",
    ])
    try succeed(["resume", folder.path("same"), "--steps", "700"])
    #expect(try digest("run") != digest("same"))
    let file = try runFile("run")
    #expect(file["run"]?["configuration"]?["discount"]?.number == 0.9)
    let change = try #require(file["changes"]?.array.first)
    #expect(change["step"]?.number == 400 && change["configuration"]?.keys == ["criticLearningRate", "discount"])
    for setting in ["hiddenSizes=8", "bufferCapacity=100", "sampler=prioritised", "normalizeObservations=true"] {
      try refusal(["resume", folder.path("run"), "--set", setting], says: "cannot be changed in mid-run")
    }
    try refusal(["resume", folder.path("run"), "--set", "discount=2"], says: "discount cannot be 2")
  }

  @Test(arguments: [
    ("redq", ["critics=3", "criticsInTarget=2"], ["critics=2", "critics=4"]),
    ("tqc", [], ["critics=3", "quantiles=10"]),
    ("xqc", ["updatesPerStep=0.2"], ["atoms=51", "minimumValue=-3", "maximumValue=3", "batchEpsilon=0.1"]),
  ])
  func `a setting that would make the same weights mean something else stays in mid-run`(
    algorithm: String, settings: [String], refused: [String]
  ) throws {
    let flags = settings.flatMap { ["--set", $0] }
    try succeed(shortRun(algorithm, into: folder.path("run"), steps: 250, flags))
    for setting in refused {
      try refusal(["resume", folder.path("run"), "--set", setting], says: "cannot be changed in mid-run")
    }
  }

  @Test func `a temperature that is fixed in mid-run is the one that it goes on with`() throws {
    try succeed(shortRun("sac", into: folder.path("run"), steps: 300))
    try succeed([
      "resume", folder.path("run"), "--steps", "400", "--set", "temperature.fixed.value=0.25",
    ])
    let policy = try SafeTensors(contentsOf: folder.path("run/policy.safetensors"))
    // kept as log α in single precision
    let temperature = try #require(policy.metadata["temperature"].flatMap(Double.init))
    #expect(abs(temperature - 0.25) < 1e-7)
  }

  @Test func `a new run begins with another's networks and says so`() throws {
    let run = folder.path("run")
    try succeed(shortRun("td3", into: run, steps: 400))
    let result = try succeed(shortRun("td3", into: folder.path("new"), steps: 600, seed: 9, ["--from", run]))
    #expect(result.errors.contains("it begins with the networks of td3 after 400 steps"))
    #expect(try runFile("new")["run"]?["from"]?["digest"]?.string == digest("run"))
    // before the first update its policy is the other's
    let (given, taken) = try (
      SafeTensors(contentsOf: run + "/policy.safetensors"),
      SafeTensors(contentsOf: folder.path("new/checkpoint/state-previous.safetensors"))
    )
    #expect(try taken.floats("algorithm.policy.layer.0.weight") == given.floats("policy.layer.0.weight"))
    #expect(try taken.floats("algorithm.target_policy.layer.0.weight") != [])

    // a policy file has no critics
    let file = try succeed(
      shortRun("td3", into: folder.path("file"), steps: 300, ["--from", run + "/policy.safetensors"]))
    #expect(file.errors.contains("except critic, target_critic"))
    // resumed, it is the run that was not stopped
    try succeed(shortRun("td3", into: folder.path("parts"), steps: 450, seed: 9, ["--from", run]))
    try succeed(["resume", folder.path("parts"), "--steps", "600"])
    #expect(try digest("parts") == digest("new"))

    try refusal(
      shortRun("td3", into: folder.path("a"), ["--from", run, "--set", "hiddenSizes=8"]), says: "of shape [16, 3]")
    try refusal(shortRun("sac", into: folder.path("b"), ["--from", run]), says: "of another kind")
    try refusal(
      shortRun("td3", into: folder.path("c"), ["--from", run, "--set", "normalizeObservations=true"]),
      says: "no running statistics")
    #expect(!folder.contents.contains("a") && !folder.contents.contains("b"))
  }

  @Test func `networks that normalise batches begin a run of their kind, by their policy file any other`()
    throws
  {
    let (run, sizes) = (folder.path("run"), ["--set", "policyHiddenSizes=16,16"])
    try succeed(shortRun("crossq", into: run, steps: 400, sizes))
    try succeed(shortRun("crossq", into: folder.path("new"), steps: 300, sizes + ["--from", run]))
    try succeed(shortRun("sac", into: folder.path("file"), steps: 300, ["--from", run + "/policy.safetensors"]))
    try refusal(
      shortRun("sac", into: folder.path("a"), ["--from", run]), says: "normalises batches, this run's does not")
    try refusal(
      shortRun("crossq", into: folder.path("b"), sizes + ["--from", run + "/policy.safetensors"]),
      says: "give a run of the same algorithm")
    try refusal(
      shortRun("crossq", into: folder.path("c"), sizes + ["--set", "batchEpsilon=0.1", "--from", run]),
      says: "give both the same")
    #expect(!folder.contents.contains("a") && !folder.contents.contains("b") && !folder.contents.contains("c"))
  }

  @Test func `a longer run whose buffer had dropped frames says that its bits are others`() throws {
    // random actions end an episode of this task after some 20 steps: with one of 8 and less frames are dropped
    let arguments = [
      "train", "dqn", "CartPole-v1", "--option", "max_episode_steps=3", "--steps", "300", "--set", "hiddenSizes=8",
      "--set",
      "randomSteps=50", "--set", "batchSize=8", "--evaluate-every", "0", "--run-directory", folder.path("run"),
    ]
    try succeed(arguments)
    let result = try succeed(["resume", folder.path("run"), "--steps", "400"])
    #expect(
      result.errors.contains("not with the bits of one that always had 400 steps: the buffer of 300 steps has dropped"))
  }
}
