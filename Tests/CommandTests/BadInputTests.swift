// BadInputTests.swift — whatever the world gets wrong ends in one line that says what, where and what next.

import Foundation
import OffPolicy
import Testing

@Suite struct BadInputTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Runs a command that must fail in one line, and leave the folder as it was.
  @discardableResult
  func refusal(_ arguments: [String], environment: [String: String] = [:], says parts: String...) throws -> String {
    let before = folder.contents
    let result = try Program.run(arguments, in: folder.url, environment: environment)
    #expect(result.status != 0 && result.status < 128, "status \(result.status)")
    #expect(result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
    #expect(result.errors.hasPrefix("Error: "))
    for part in parts { #expect(result.errors.contains(part), "\(part) in \(result.errors)") }
    #expect(folder.contents == before)
    return result.errors
  }

  func train(_ more: String..., algorithm: String = "sac", task: String = "Pendulum-v1") -> [String] {
    ["train", algorithm, task, "--steps", "100", "--set", "randomSteps=10", "--run-directory", folder.path("run")]
      + more
  }

  /// What lies where a file should, and can be opened but not read as one.
  enum Obstacle: String, CaseIterable { case pipe, holes, folder, loop }

  private func put(_ obstacle: Obstacle, at path: String) throws {
    switch obstacle {
    case .pipe: mkfifo(path, 0o644)
    case .holes:
      // a terabyte, of which the disk has nothing
      try Data().write(to: URL(fileURLWithPath: path))
      truncate(path, 1 << 40)
    case .folder: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    case .loop: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
    }
  }

  @Test(arguments: Obstacle.allCases)
  func `a pipe, a file of holes, a folder or a link to itself in place of a file is refused by whatever reads it`(
    obstacle: Obstacle
  ) throws {
    for name in ["x.safetensors", "x.npz", "x.hdf5", "x.yaml", "x.json"] { try put(obstacle, at: folder.path(name)) }
    try FileManager.default.createDirectory(atPath: folder.path("run"), withIntermediateDirectories: false)
    try put(obstacle, at: folder.path("run/run.json"))
    try FileManager.default.createDirectory(atPath: folder.path("sweep"), withIntermediateDirectories: false)
    try put(obstacle, at: folder.path("sweep/sweep.json"))
    let file = folder.path("x.safetensors")
    var calls = [
      ["evaluate", file], ["export", file, "--format", "c"], ["record", file],
      ["conformance", file, folder.path("out")],
      ["environment", "rollout", "Pendulum-v1", file, folder.path("out")], train("--from", file),
      ["value", file, "--dataset", folder.path("x.npz")], ["dataset", "info", folder.path("x.npz")],
      ["dataset", "info", folder.path("x.hdf5")], train("--preset", folder.path("x.yaml")),
      train("--preset", "zoo:" + folder.path("x.yaml")), ["sweep", folder.path("x.yaml"), "--dry-run"],
      ["sweep", folder.path("sweep"), "--dry-run"], ["compare-runs", folder.path("sweep")],
    ]
    for command in ["inspect", "resume", "clone", "report", "plot", "compare-runs", "evaluate"] {
      calls.append([command, folder.path("run")])
    }
    for call in calls {
      let start = ContinuousClock.now
      let result = try Program.run(
        call, in: folder.url, signal: (SIGKILL, { ContinuousClock.now - start > .seconds(30) }))
      #expect([1, 64].contains(result.status), "\(call): \(result.status)")
      #expect(result.errorLines.filter { $0.hasPrefix("Error: ") }.count == 1, "\(call): \(result.errors)")
    }
  }

  @Test func `an empty argument is named, since nobody sees it in a message`() throws {
    for (arguments, name) in [
      (["report", folder.path("run"), "--out", ""], "--out is empty"), (["evaluate", ""], "an argument is empty"),
      (["plot", folder.path("run"), "--out", ""], "--out is empty"), (["inspect", ""], "an argument is empty"),
      (["train", "sac", "Pendulum-v1", "--from", ""], "--from is empty"),
      (["record", "x", "--out", ""], "--out is empty"),
      (["train", "sac", "Pendulum-v1", "--run-directory", ""], "--run-directory is empty"),
    ] {
      try refusal(arguments, says: name, "--help")
    }
  }

  @Test func `what a file says is told in one line, whatever is in it`() throws {
    #expect(try Program.run(shortRun("td3", into: folder.path("run"), steps: 300)).status == 0)
    var file = try SafeTensors(contentsOf: folder.path("run/policy.safetensors"))
    file.metadata["digest"] = nil
    file.metadata["environment"] = "Pend\n\u{1b}[31mulum\r\u{2028}-v1"
    try file.write(to: folder.path("evil.safetensors"))
    for command in [["evaluate"], ["record"], ["value", "--dataset", folder.path("run"), "--environment", "a\nb"]] {
      let said = try refusal([command[0], folder.path("evil.safetensors")] + command.dropFirst(), says: "Error: ")
      #expect(!said.contains("\u{1b}") && !said.contains("\r") && !said.contains("\u{2028}"))
    }
    let exported = try Program.run(
      "export", folder.path("evil.safetensors"), "--format", "c", "--out", folder.path("x.h"))
    #expect(exported.status == 0 && exported.output.split(separator: "\n").count == 1)
  }

  @Test func `an unknown algorithm is told with the nearest or with all names`() throws {
    try refusal(train(algorithm: "sca"), says: "\"sca\"", "did you mean sac?")
    try refusal(train(algorithm: "reinforce"), says: "\"reinforce\"", "ddpg, td3, sac")
    try refusal(["bench", "--algorithm", "ppo"], says: "\"ppo\"")
  }

  @Test func `an unknown task is told with the nearest names`() throws {
    try refusal(train(task: "HalfCheeta-v5"), says: "\"HalfCheeta-v5\"", "HalfCheetah-v5", "offpolicy list")
    try refusal(["environment", "check", "Pendulumm-v1"], says: "Pendulum-v1")
    try refusal(["list", "Wlaker2d"], says: "Walker2d-v5")
  }

  @Test(arguments: [
    ("discont=0.9", "did you mean discount?"), ("lerningRate=1", "offpolicy list"),
    ("policyDelay=2", "no hyperparameter \"policyDelay\""),
  ])
  func `an unknown hyperparameter is told with the nearest name`(setting: String, hint: String) throws {
    try refusal(train("--set", setting), says: "there is no hyperparameter", hint)
  }

  @Test(arguments: [
    ("discount=1.5", "discount cannot be 1.5: it must be [0, 1]"), ("batchSize=0", "batchSize cannot be 0"),
    ("batchSize=2.5", "a whole number"), ("hiddenSizes=0", "hiddenSizes"), ("hiddenSizes=", "hiddenSizes"),
    ("policyLearningRate=0", "policyLearningRate cannot be 0"), ("discount=nan", "discount cannot be nan"),
    ("discount=\"high\"", "discount"), ("temperature.learned.initial=0", "temperature"),
    ("temperature.fixed.initial=1", "temperature"), ("temperature.automatic=1", "temperature"),
    ("targetTracking.soft.rate=2", "targetTracking"), ("discount.soft=1", "discount"),
    ("discount=1e999", "discount"),
    ("learningRateSchedule.linear.final=2", "linear.final in [0, 1]"),
    ("learningRateSchedule=step", "constant, cosine"),
    ("maximumGradientNorm=0", "maximumGradientNorm cannot be 0"), ("adamBeta2=1", "[0, 1)"),
    ("criticHiddenSizes=64,0", "whole numbers in [1, 16384] or null"),
    ("policyGradient.scoreFunction.samples=1", "scoreFunction.samples: a whole number in [2,"),
  ])
  func `a value out of range is told with what is allowed`(setting: String, hint: String) throws {
    try refusal(train("--set", setting), says: hint, "it must be")
  }

  @Test(arguments: ["discount", "=0.9", "discount:0.9", ""])
  func `a malformed setting is told with an example`(setting: String) throws {
    try refusal(train("--set", setting), says: "is not key=value, such as discount=0.98")
  }

  @Test func `a run directory that exists is left alone`() throws {
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent("run"), withIntermediateDirectories: true)
    try refusal(train(), says: folder.path("run"), "exists already", "offpolicy resume")
  }

  @Test func `a run directory that cannot be made is told`() throws {
    try Data().write(to: folder.url.appendingPathComponent("file"))
    try refusal(["train", "sac", "Pendulum-v1", "--run-directory", folder.path("file/run")], says: "cannot be written")
  }

  @Test func `a task whose actions an algorithm cannot choose is refused with those that can`() throws {
    try refusal(
      train(task: "CartPole-v1"), says: "CartPole-v1", "2 discrete actions", "use dqn or sac-discrete", "offpolicy list"
    )
    try refusal(train(algorithm: "dqn"), says: "Pendulum-v1", "real-valued actions", "use ddpg, td3", "offpolicy list")
    try refusal(train(algorithm: "sac-discrete"), says: "Pendulum-v1", "use ddpg, td3")
  }

  @Test(arguments: [
    ("doubleQ=1", "doubleQ cannot be 1: it must be true or false"), ("huberThreshold=0", "huberThreshold cannot be 0"),
    ("initialEpsilon=1.1", "initialEpsilon cannot be 1.1"), ("epsilonSteps=-1", "epsilonSteps cannot be -1"),
    ("epsilonStep=1", "did you mean epsilonSteps?"),
  ])
  func `a wrong setting of dqn is told`(setting: String, hint: String) throws {
    try refusal(train("--set", setting, algorithm: "dqn", task: "CartPole-v1"), says: hint)
  }

  @Test func `a case of discrete actions with what is no index is refused`() throws {
    let name = ConformanceCommandTests.folder.appendingPathComponent("dqn-one-row.case.safetensors").path
    let given = try SafeTensors(contentsOf: name)
    for (value, hint) in [(3, "from 0 to 2"), (0.5, "holds 0.5"), (-1, "holds -1"), (.nan, "holds nan")]
      as [(Float, String)]
    {
      var changed = SafeTensors()
      changed.metadata = given.metadata
      for tensor in given.names {
        let isAction = tensor == "batch.actions"
        changed.add(tensor, floats: isAction ? [value] : try given.floats(tensor), shape: try given.shape(tensor))
      }
      try changed.write(to: folder.path("case"))
      try refusal(["conformance", folder.path("case"), folder.path("out")], says: "batch.actions", hint)
    }
  }

  @Test func `a policy of real-valued actions is refused by a task of choices, and the other way round`() throws {
    let (continuous, discrete) = (folder.path("continuous"), folder.path("discrete"))
    let short = ["--steps", "60", "--set", "hiddenSizes=8", "--set", "randomSteps=50", "--evaluate-every", "0"]
    for (algorithm, task, path) in [
      ("td3", "MountainCarContinuous-v0", continuous), ("dqn", "MountainCar-v0", discrete),
    ] {
      #expect(try Program.run(["train", algorithm, task, "--run-directory", path] + short).status == 0)
    }
    try refusal(
      ["evaluate", continuous, "--environment", "MountainCar-v0"],
      says: "gives 1 actions; MountainCar-v0 has 2 and 3 choices")
    try refusal(
      ["evaluate", discrete, "--environment", "MountainCarContinuous-v0"],
      says: "gives one of 3 choices; MountainCarContinuous-v0 has 2 and 1")
  }

  @Test func `a buffer that cannot fit is refused before anything is written`() throws {
    try refusal(
      [
        "train", "sac", "Humanoid-v5", "--steps", "1000000000", "--set", "bufferCapacity=1000000000",
        "--run-directory", folder.path("run"),
      ].map { $0 == "Humanoid-v5" && !EnvironmentCommandTests.hasLibrary ? "Pendulum-v1" : $0 },
      says: "needs", "available", "bufferCapacity")
  }

  @Test func `networks that cannot fit are refused before anything is made`() throws {
    let huge = Array(repeating: "16384", count: 200).joined(separator: ",")
    try refusal(train("--set", "hiddenSizes=\(huge)"), says: "needs", "available", "--set hiddenSizes=256,256")
    try refusal(["bench", "--hidden", huge], says: "needs", "available")
  }

  @Test func `advice is what the command takes`() throws {
    let small = try refusal(["bench", "--buffer", "1000000000000"], says: "lower bufferCapacity (--buffer N)")
    #expect(!small.contains("--set"))
    let huge = Array(repeating: "16384", count: 200).joined(separator: ",")
    try refusal(["bench", "--hidden", huge], says: "(--set hiddenSizes=256,256)")
    try FileManager.default.createDirectory(atPath: folder.path("run"), withIntermediateDirectories: true)
    try refusal(
      train(), says: "exists already: resume the run in it, or choose another folder (--run-directory PATH); ",
      "resume \(folder.path("run"))` goes on with it")
    try refusal(
      train(task: "HalfCheetah-v3"),
      says:
        "no environment is called \"HalfCheetah-v3\": there is HalfCheetah-v5; `offpolicy list` shows all environments")
    try refusal(train("--set", "zzz=1"), says: "there is no hyperparameter \"zzz\"; `offpolicy list` shows all of them")
  }

  @Test func `without the simulator its tasks are refused with what to run`() throws {
    let missing = ["OFFPOLICY_MUJOCO": "/nonexistent"]
    for arguments in [train(task: "Hopper-v5"), ["environment", "check", "Hopper-v5"]] {
      try refusal(arguments, environment: missing, says: "/nonexistent", "Scripts/fetch-dependencies")
    }
  }

  @Test func `what is not a run cannot be resumed, inspected or evaluated`() throws {
    for command in ["resume", "inspect", "evaluate"] {
      try refusal([command, folder.url.path], says: folder.url.path, "run.json")
    }
    try refusal(["evaluate", folder.path("missing")], says: "does not exist")
    try refusal(["resume", folder.path("missing")], says: "missing", "is no run")
    try Data("{".utf8).write(to: folder.url.appendingPathComponent("run.json"))
    try refusal(["resume", folder.url.path], says: "run.json cannot be read")
  }

  @Test func `a policy file that is unreadable, foreign, cut off or damaged is refused`() throws {
    let run = folder.path("run")
    #expect(try Program.run(shortRun("td3", into: run, steps: 100)).status == 0)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: run + "/policy.safetensors"))
    let file = folder.url.appendingPathComponent("bad.safetensors")
    func check(_ data: Data, _ parts: String) throws {
      try data.write(to: file)
      try refusal(["evaluate", file.path], says: file.path, parts)
    }
    try check(Data(), "0 bytes")
    try check(Data("not a policy at all".utf8), "is a text file, not a safetensors file")
    try check(Data([0x50, 0x4b, 3, 4] + Array(repeating: 0, count: 60)), "is a zip archive")
    try check(bytes.prefix(bytes.count / 2), "cut off")
    var weight = bytes
    weight[bytes.count - 6] ^= 0x10
    try check(weight, "does not match its digest")
    var foreign = SafeTensors()
    foreign.add("weight", floats: [1], shape: [1])
    try check(Data(foreign.encoded()), "is not a policy of this program")
    if getuid() != 0 {
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file.path)
      try refusal(["evaluate", file.path], says: "permission denied")
    }
  }

  @Test func `damaged checkpoints are refused and stay for another try`() throws {
    let run = folder.path("run")
    #expect(try Program.run(shortRun("sac", into: run, steps: 300)).status == 0)
    let files = ["state", "state-previous"].map { URL(fileURLWithPath: run + "/checkpoint/\($0).safetensors") }
    let contents = try files.map { try Data(contentsOf: $0) }
    for (file, bytes) in zip(files, contents) { try bytes.prefix(bytes.count - 5).write(to: file) }
    try refusal(
      ["resume", run], says: "no checkpoint that is whole", "state.safetensors", "state-previous.safetensors")
    try refusal(["inspect", run], says: "state.safetensors", "cut off")
    for (file, bytes) in zip(files, contents) { try bytes.write(to: file) }
    try FileManager.default.removeItem(at: files[1])
    try FileManager.default.removeItem(atPath: run + "/checkpoint/replay-00000000.frames")
    try refusal(["resume", run], says: "replay-00000000.frames is missing")
  }

  @Test func `a case or actions of wrong shapes are refused, and nothing is written`() throws {
    var file = SafeTensors()
    file.add("actions", floats: [0, 0], shape: [1, 2])
    try file.write(to: folder.path("actions"))
    let out = folder.path("out")
    try refusal(
      ["environment", "rollout", "Pendulum-v1", folder.path("actions"), out], says: "[1, 2]", "needs [T, 1]")
    try refusal(["environment", "rollout", "Pendulum-v1", folder.path("none"), out], says: folder.path("none"))
    try refusal(["conformance", folder.path("actions"), out], says: "names no algorithm")
    try refusal(["conformance", folder.path("none"), out], says: folder.path("none"))

    let name = ConformanceCommandTests.folder.appendingPathComponent("td3-one-row.case.safetensors").path
    let given = try SafeTensors(contentsOf: name)
    var changed = SafeTensors()
    changed.metadata = given.metadata
    for tensor in given.names {
      let values = try given.floats(tensor)
      changed.add(tensor, floats: values, shape: tensor == "batch.rewards" ? [values.count] : try given.shape(tensor))
    }
    try changed.write(to: folder.path("case"))
    try refusal(["conformance", folder.path("case"), out], says: "batch.rewards", "expected [1, 1]")
  }

  @Test func `a result that cannot be written is told`() throws {
    let name = ConformanceCommandTests.folder.appendingPathComponent("td3-one-row.case.safetensors").path
    try refusal(["conformance", name, folder.path("nowhere/out")], says: "nowhere/out", "cannot be written")
  }
}
