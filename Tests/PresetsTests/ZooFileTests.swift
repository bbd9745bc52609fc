// ZooFileTests.swift — a zoo's entries against the models that Stable-Baselines3 makes of them (Scripts/fixtures/zoo.py).

import Algorithms
import Formats
import Foundation
import Testing
import Training

@testable import Presets

private struct ZooCase: Decodable, Sendable, CustomTestStringConvertible {
  var entry: String
  var algorithm: String
  var facts: JSONValue
  var testDescription: String { entry }

  static let all: [ZooCase] = {
    let url = Bundle.module.url(forResource: "zoo", withExtension: "json", subdirectory: "Fixtures")!
    return try! JSONDecoder().decode([ZooCase].self, from: Data(contentsOf: url))
  }()
}

@Suite struct ZooFileTests {
  static let path = Bundle.module.url(forResource: "zoo", withExtension: "yml", subdirectory: "Fixtures")!.path

  private func preset(_ algorithm: String, _ environment: String, entry: String? = nil) throws -> Preset {
    try ZooFile(Self.path).preset(
      for: try AlgorithmRegistry.entry(algorithm), environment: environment, entry: entry, steps: nil,
      suggestedSteps: 1_000_000)
  }

  @Test func `there is a case for every algorithm`() {
    #expect(ZooCase.all.count == 12 && Set(ZooCase.all.map(\.algorithm)) == ["sac", "td3", "ddpg", "dqn"])
  }

  @Test(arguments: ZooCase.all)
  fileprivate func `an entry means what Stable-Baselines3 makes of it`(_ zoo: ZooCase) throws {
    let preset = try preset(zoo.algorithm, zoo.entry)
    let entry = try AlgorithmRegistry.entry(zoo.algorithm)
    let values = try ResolvedSettings(of: entry, for: nil, preset: preset, settings: []).configuration.values
    func expect(_ value: JSONValue?, _ fact: String) {
      guard let fact = zoo.facts[fact] else { return }
      guard let expected = fact.asNumber, let found = value?.asNumber else {
        #expect(value == fact, "\(fact)")
        return
      }
      #expect(abs(found - expected) <= 1e-6 * max(1e-3, abs(expected)), "\(found) for \(expected)")
    }
    for name in [
      "discount", "batchSize", "bufferCapacity", "randomSteps", "criticLearningRate", "policyDelay", "targetNoise",
      "targetNoiseClip", "maximumGradientNorm", "adamEpsilon", "adamBeta1", "adamBeta2",
    ] {
      expect(values[name], name)
    }
    if zoo.algorithm != "dqn" {
      expect(values["policyLearningRate"], "criticLearningRate")
      expect(values["targetTracking"]?["soft"]?["rate"], "tau")
    }
    expect(values["updateEvery"], "stepsBetweenRounds")
    if let every = values["updateEvery"]?.asNumber, let ratio = values["updatesPerStep"]?.asNumber {
      expect(.number(every * ratio), "updatesOfARound")
      // counted in updates here, in steps there
      if let copies = zoo.facts["copiesEvery"]?.asNumber {
        #expect(values["targetTracking"]?["hard"]?["every"]?.asNumber == (copies * ratio).rounded())
      }
    }
    let sizes = values["hiddenSizes"]
    let isNull: (String) -> Bool = { (values[$0] ?? .null) == .null }
    expect(isNull("criticHiddenSizes") ? sizes : values["criticHiddenSizes"], "criticSizes")
    if zoo.algorithm != "dqn" {
      expect(isNull("policyHiddenSizes") ? sizes : values["policyHiddenSizes"], "policySizes")
    }
    let activation = zoo.facts["activation"]?.asText ?? ""
    for name in ["policyActivation", "criticActivation"] where values[name] != nil {
      #expect(values[name] == .object([activation: .object([:])]))
    }
    checkSchedule(values, zoo.facts)
    checkExploration(values, zoo, preset)
    if zoo.facts["goals"] != nil { expect(values["sampler"]?["hindsight"]?["goals"], "goals") }
  }

  private func checkSchedule(_ values: JSONValue, _ facts: JSONValue) {
    let falls = facts["rateAtTheEnd"] == .number(0)
    #expect((values["learningRateSchedule"]?["linear"]?["final"] == .number(0)) == falls)
    #expect((values["learningRateSchedule"]?["constant"] != nil) == !falls)
    if let first = facts["criticLearningRate"]?.asNumber, let middle = facts["rateAtTheMiddle"]?.asNumber {
      #expect(abs(middle - (falls ? first / 2 : first)) < 1e-12)
    }
  }

  private func checkExploration(_ values: JSONValue, _ zoo: ZooCase, _ preset: Preset) {
    if let temperature = zoo.facts["temperature"]?.asNumber {
      let learns = zoo.facts["learnsTemperature"] == .bool(true)
      let found = learns ? values["temperature"]?["learned"]?["initial"] : values["temperature"]?["fixed"]?["value"]
      #expect(abs((found?.asNumber ?? .nan) - temperature) < 1e-6)
      // −A of the pendulum, or what was said
      let entropy = values["targetEntropy"]?.asNumber ?? -1
      #expect(!learns || zoo.facts["targetEntropy"]?.asNumber == entropy)
    }
    if let noise = zoo.facts["noise"]?.asNumber {
      let isCorrelated = zoo.facts["stiffness"]?.asNumber != nil
      let found = values["explorationNoise"]?[isCorrelated ? "ornsteinUhlenbeck" : "gaussian"]
      #expect(abs((found?["standardDeviation"]?.asNumber ?? .nan) - noise) < 1e-6)
      if isCorrelated {
        #expect(abs((found?["stiffness"]?.asNumber ?? .nan) - (zoo.facts["stiffness"]?.asNumber ?? 0)) < 1e-6)
        #expect(abs((found?["timestep"]?.asNumber ?? .nan) - (zoo.facts["timestep"]?.asNumber ?? 0)) < 1e-6)
      }
    }
    guard let schedule = zoo.facts["exploration"] else { return }
    let (first, last) = (values["initialEpsilon"]?.asNumber ?? 0, values["finalEpsilon"]?.asNumber ?? 0)
    let (steps, random) = (values["epsilonSteps"]?.asNumber ?? 0, values["randomSteps"]?.asNumber ?? 0)
    let total = preset.steps?.value.asNumber ?? 1_000_000
    for point in schedule.elements {
      guard let share = point.elements[0].asNumber, let epsilon = point.elements[1].asNumber, share * total >= random
      else { continue }
      let progress = steps == 0 ? 1 : min(1, (share * total - random) / steps)
      #expect(abs(first + (last - first) * progress - epsilon) < 1e-5, "at \(share)")
    }
  }

  @Test func `steps and environments are those of the entry`() throws {
    let preset = try preset("sac", "sac-Lander-v3")
    #expect(preset.steps?.value == .number(500_000) && preset.laneCount?.value == .number(4))
    #expect(try self.preset("sac", "sac-Plain-v1").steps == nil)
  }

  @Test func `what has no counterpart is named, never passed over`() throws {
    let preset = try preset("sac", "strange-v0")
    #expect(
      preset.leftOut.sorted() == [
        "colour=blue", "env_wrapper=[{\"rl_zoo.wrappers.HistoryWrapper\":{\"horizon\":2}}]", "frame_stack=4",
        "gradient_steps=64", "policy_kwargs.activation_fn=nn.GELU", "policy_kwargs.log_std_init=-2",
        "policy_kwargs.n_critics=3", "policy_kwargs.optimizer_kwargs.weight_decay=0.1", "train_freq=[1,\"episode\"]",
        "use_sde=true",
      ])
    #expect(try self.preset("sac", "sac-Plain-v1").leftOut.isEmpty)
    #expect(
      try self.preset("sac", "sac-Car-v0").leftOut == ["policy_kwargs.log_std_init=-3.67", "use_sde=true"])
  }

  @Test func `an environment has its entry, another version's, or the default, and an entry can be named`() throws {
    #expect(try preset("td3", "gym:td3-Noise-v4").name.hasSuffix("#td3-Noise-v4"))
    #expect(try preset("td3", "td3-Noise-v5").name.hasSuffix("#td3-Noise-v4"))
    #expect(try preset("td3", "Hopper-v5").name.hasSuffix("#default"))
    #expect(try preset("td3", "Hopper-v5", entry: "td3-Plain-v1").name.hasSuffix("#td3-Plain-v1"))
    let error = try #require(throws: PresetError.self) { try preset("td3", "Hopper-v5", entry: "td3-Plain-v2") }
    #expect(error.description.hasSuffix("did you mean td3-Plain-v1?"))
  }

  @Test(arguments: [
    ("gamma: high", "gamma cannot be high"), ("learning_rate: fast", "learning_rate cannot be fast"),
    ("ent_coef: auto_x", "ent_coef cannot be auto_x"), ("policy_kwargs: 'dict('", "policy_kwargs cannot be dict("),
    ("n_timesteps: 0.5", "n_timesteps cannot be 0.5"), ("policy: CnnPolicy", "multilayer perceptrons only"),
    ("noise_type: pink", "noise_type cannot be pink"), ("gamma: 7", "discount cannot be 7"),
  ])
  func `a value that cannot be used is told with its key`(line: String, says: String) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("zoo-\(UUID().uuidString).yml")
    defer { try? FileManager.default.removeItem(at: url) }
    try "x-v0:\n  \(line)\n".write(to: url, atomically: true, encoding: .utf8)
    let entry = try AlgorithmRegistry.entry("td3")
    let algorithm = line.hasPrefix("ent_coef") ? try AlgorithmRegistry.entry("sac") : entry
    let error = try #require(throws: PresetError.self) {
      let preset = try ZooFile(url.path).preset(
        for: algorithm, environment: "x-v0", steps: nil, suggestedSteps: 1000)
      _ = try ResolvedSettings(of: algorithm, for: nil, preset: preset, settings: [])
    }
    #expect(error.description.contains(says) && !error.description.contains("\n"), "\(error)")
  }

  @Test func `an algorithm that the zoo does not have is refused`() throws {
    let error = try #require(throws: PresetError.self) { try preset("sac-discrete", "sac-Plain-v1") }
    #expect(error.description.contains("sac-discrete cannot use a file of RL Baselines3 Zoo: only ddpg"))
  }
}
