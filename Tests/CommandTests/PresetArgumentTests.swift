// PresetArgumentTests.swift — `train --preset`: what a run begins with, what it says of it, and what is refused.

import Foundation
import OffPolicy
import Testing

@Suite struct PresetArgumentTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private static let small = [
    "--steps", "1100", "--evaluate-every", "0", "--set", "hiddenSizes=8", "--set", "batchSize=8", "--set",
    "randomSteps=100",
  ]

  @discardableResult
  private func train(
    _ name: String, _ more: [String] = [], of algorithm: String = "ddpg", in task: String = "MountainCarContinuous-v0"
  ) throws -> ProgramResult {
    let result = try Program.run(
      ["train", algorithm, task, "--run-directory", folder.path(name)] + Self.small + more, in: folder.url)
    try #require(result.status == 0, "\(result.errors)")
    return result
  }

  private func inspected(_ name: String) throws -> JSONValue {
    try Program.run("inspect", folder.path(name), "--json").json()
  }

  private func refusal(_ preset: String) throws -> String {
    let result = try Program.run(
      ["train", "sac", "Pendulum-v1", "--run-directory", folder.path("none"), "--preset", preset] + Self.small,
      in: folder.url)
    #expect(result.status == 1 && result.errorLines.count == 1, "\(result.errors)")
    #expect(!folder.contents.contains("none"))
    return result.errors
  }

  @Test func `a run begins with the matching preset, says so in one line and keeps each value's source`() throws {
    let result = try train("run")
    let lines = result.errorLines.filter { $0.contains("preset") }
    #expect(lines.count == 1 && lines[0].hasPrefix("preset ddpg/MountainCarContinuous-v0: criticLearningRate=0.001"))
    let run = try inspected("run")
    #expect(run["preset"]?["name"]?.string == "ddpg/MountainCarContinuous-v0")
    #expect(run["run"]?["configuration"]?["criticLearningRate"]?.number == 0.001)
    let source = run["sources"]?["criticLearningRate"]?.string
    #expect(source?.hasPrefix("preset ddpg/MountainCarContinuous-v0: RL Baselines3 Zoo") == true)
    #expect(run["sources"]?["hiddenSizes"]?.string == "set for this run")
    #expect(run["sources"]?["steps"]?.string == "set for this run")
    #expect(run["sources"]?["discount"] == nil)
    let text = try Program.run("inspect", folder.path("run")).output
    #expect(text.contains("preset     ddpg/MountainCarContinuous-v0"))
    #expect(text.contains("  hiddenSizes: set for this run"))
    let page = folder.path("page.html")
    #expect(try Program.run("report", folder.path("run"), "--out", page).status == 0)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("preset ddpg/MountainCarContinuous-v0: RL Baselines3 Zoo"))
    #expect(html.contains("--preset none"))
  }

  @Test func `a preset's run has the bits of one whose values were set by hand, and none those of the defaults`() throws
  {
    try train("preset")
    try train(
      "hand",
      ["--preset", "none"]
        + [
          "policyLearningRate=1e-3", "criticLearningRate=1e-3",
          #"explorationNoise={"ornsteinUhlenbeck":{"stiffness":0.15,"standardDeviation":0.5,"timestep":0.01}}"#,
        ].flatMap { ["--set", $0] })
    try train("none", ["--preset", "none"])
    let digests = try ["preset", "hand", "none"].map { try inspected($0)["digest"]?.string }
    #expect(digests[0] != nil && digests[0] == digests[1] && digests[0] != digests[2])
    let plain = try inspected("none")
    #expect(plain["preset"] == nil && plain["run"]?["configuration"]?["criticLearningRate"]?.number == 3e-4)
    // what is set wins
    try train("own", ["--set", "criticLearningRate=1e-4"])
    #expect(try inspected("own")["run"]?["configuration"]?["criticLearningRate"]?.number == 1e-4)
    #expect(try inspected("own")["sources"]?["criticLearningRate"]?.string == "set for this run")
  }

  @Test func `a file of one's own is a preset, with its steps and environments`() throws {
    try """
    source: my notebook
    steps: 260
    environments: 2
    settings: {discount: 0.9, tau: 1}
    """.write(toFile: folder.path("my.yaml"), atomically: true, encoding: .utf8)
    #expect(try refusal("./my.yaml").contains("did you mean targetTracking?"))
    try """
    source: my notebook
    steps: 260
    environments: 2
    settings: {discount: 0.9}
    """.write(toFile: folder.path("my.yaml"), atomically: true, encoding: .utf8)
    let arguments = ["train", "td3", "Pendulum-v1", "--preset", "my.yaml", "--run-directory", folder.path("run")]
    let result = try Program.run(arguments + Self.small.dropFirst(2), in: folder.url)
    #expect(result.status == 0 && result.errors.contains("260 steps in 2 environments"), "\(result.errors)")
    #expect(result.errors.contains("preset my.yaml: discount=0.9, steps=260, environments=2\n"))
    let run = try inspected("run")
    #expect(run["sources"]?["steps"]?.string == "preset my.yaml: my notebook")
    #expect(run["preset"]?["path"]?.string == URL(fileURLWithPath: folder.path("my.yaml")).standardizedFileURL.path)
  }

  @Test func `a zoo's file is read, and what has no counterpart is told and kept`() throws {
    try """
    Pendulum-v1:
      n_timesteps: !!float 300
      policy: 'MlpPolicy'
      learning_rate: !!float 1e-3
      use_sde: True
      policy_kwargs: "dict(log_std_init=-2, net_arch=[8])"
    """.write(toFile: folder.path("sac.yml"), atomically: true, encoding: .utf8)
    let result = try train("run", ["--preset", "zoo:sac.yml"], of: "sac", in: "Pendulum-v1")
    #expect(result.errors.contains("warning: "))
    #expect(result.errors.contains("no counterpart of policy_kwargs.log_std_init=-2, use_sde=true in "))
    let run = try inspected("run")
    #expect(run["preset"]?["name"]?.string == "zoo:sac.yml#Pendulum-v1")
    #expect(run["preset"]?["leftOut"]?.array.count == 2)
    #expect(run["run"]?["configuration"]?["criticLearningRate"]?.number == 0.001)
  }

  @Test func `a preset that there is not is refused in one line, and nothing is written`() throws {
    #expect(try refusal("Hoper-v5").contains("there is no preset \"Hoper-v5\": did you mean Hopper-v5?"))
    #expect(try refusal("none.yaml").contains("none.yaml does not exist"))
    #expect(try refusal("zoo:none.yml").contains("none.yml does not exist"))
    #expect(try refusal("").contains("--preset is empty"))
    #expect(try refusal("td3/Swimmer-v5").contains("is for td3, not for sac"))
    try "a: [".write(toFile: folder.path("bad.yaml"), atomically: true, encoding: .utf8)
    #expect(try refusal("bad.yaml").contains("bad.yaml is not YAML: line "))
  }

  @Test func `the presets are listed, each value with its source`() throws {
    let presets = try Program.run("list", "presets", "--json").json()["presets"]?.array ?? []
    #expect(presets.count > 10)
    for preset in presets {
      #expect(preset["settings"]?.keys.isEmpty == false)
      for key in preset["settings"]?.keys ?? [] {
        #expect(preset["settings"]?[key]?["source"]?.string?.isEmpty == false, "\(key)")
      }
    }
    let text = try Program.run("list", "presets").output
    #expect(text.contains("sac/Hopper-v5  ") && text.contains("discount=0.999  from: RL Baselines3 Zoo"))
  }
}
