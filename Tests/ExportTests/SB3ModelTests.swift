// SB3ModelTests.swift — model files of made-up networks against those of the Python package, which Stable-Baselines3 has opened.

import Foundation
import OffPolicy
import Testing

@testable import Export
@testable import Formats
@testable import Training

@Suite struct SB3ModelTests {
  static let low: [Float] = [-2, -1]
  static let high: [Float] = [2, 2]

  /// A learner's tensors: element k of the t-th one, by name, is ((7 k + 3 t) mod 11 − 5) / 8. Scripts/fixtures/sb3_models.py
  /// makes the same ones.
  static func tensors(_ algorithm: String) -> [Tensor] {
    var shapes: [String: [Int]] = [:]
    func network(_ name: String, _ inputs: Int, _ heads: [(String, Int)]) {
      var inputs = inputs
      func add(_ layer: String, _ size: Int) {
        (shapes["\(name).\(layer).weight"], shapes["\(name).\(layer).bias"]) = ([size, inputs], [size])
      }
      for (layer, size) in [5, 4].enumerated() {
        add("layer.\(layer)", size)
        inputs = size
      }
      for (head, size) in heads { add(head, size) }
    }
    let isChoosing = algorithm == "dqn"
    for k in 0..<(["sac", "td3"].contains(algorithm) ? 2 : 1) {
      network("critic.\(k)", isChoosing ? 3 : 5, [("layer.2", isChoosing ? 3 : 1)])
    }
    if !isChoosing { network("policy", 3, algorithm == "sac" ? [("mean", 2), ("log_std", 2)] : [("layer.2", 2)]) }
    for (name, shape) in shapes {
      let parts = name.split(separator: ".").map(String.init)
      let isCritic = parts[0] == "critic"
      let rest = parts.dropFirst(isCritic ? 2 : 1).joined(separator: ".")
      for moment in ["first", "second"] {
        shapes["\(parts[0])_optimizer.\(isCritic ? parts[1] : "0").\(moment).\(rest)"] = shape
      }
      if isCritic || algorithm != "sac" { shapes["target_\(name)"] = shape }
    }
    return shapes.sorted { $0.key < $1.key }.enumerated().map { t, entry in
      let count = entry.value.reduce(1, *)
      let values = (0..<count).map { Float((7 * $0 + 3 * t) % 11 - 5) / 8 }
      return Tensor(
        name: entry.key, shape: entry.value, values: entry.key.contains(".second.") ? values.map(abs) : values)
    }
  }

  static func state(_ algorithm: String) -> TrainerState {
    var state = TrainerState(algorithm: AlgorithmState())
    (state.step, state.episodes, state.updates) = (1000, 12, 50)
    state.algorithm.tensors = tensors(algorithm)
    state.algorithm.numbers = [
      "log_temperature": -0.75, "temperature_optimizer.first": 0.125, "temperature_optimizer.second": 0.25,
    ]
    state.algorithm.counts = [
      "critic_optimizer.steps": 50, "policy_optimizer.steps": 25, "temperature_optimizer.steps": 50, "updates": 50,
    ]
    return state
  }

  /// The settings of each fixture, in this program's words.
  static let settings: [String: String] = [
    "sac":
      #"{"policyLearningRate": 0.00025, "criticLearningRate": 0.00025, "temperatureLearningRate": 0.00025, "temperature": {"learned": {"initial": 0.5}}, "targetEntropy": null}"#,
    "sac-fixed":
      #"{"policyLearningRate": 0.00025, "criticLearningRate": 0.00025, "temperature": {"fixed": {"value": 0.2}}, "policyActivation": {"silu": {}}, "criticActivation": {"silu": {}}, "criticNormalization": {"none": {}}}"#,
    "td3":
      #"{"policyLearningRate": 0.00025, "criticLearningRate": 0.00025, "explorationNoise": {"ornsteinUhlenbeck": {"standardDeviation": 0.3, "stiffness": 0.15, "timestep": 0.01}}}"#,
    "ddpg":
      #"{"policyLearningRate": 0.00025, "criticLearningRate": 0.00025, "explorationNoise": {"gaussian": {"standardDeviation": 0.1}}}"#,
    "dqn":
      #"{"criticLearningRate": 0.00025, "targetTracking": {"hard": {"every": 50}}, "initialEpsilon": 1, "finalEpsilon": 0.1, "epsilonSteps": 1000, "maximumGradientNorm": 5, "updateEvery": 4, "updatesPerStep": 0.25}"#,
  ]

  static func run(_ name: String, more: [String: JSONValue] = [:]) throws -> RunConfiguration {
    guard case .object(var settings) = try JSONValue(text: Self.settings[name] ?? "{}") else { return try run("sac") }
    settings.merge([
      "discount": .number(0.98), "batchSize": .number(32), "bufferCapacity": .number(5000), "randomSteps": .number(200),
    ]) { $1 }
    settings.merge(more) { $1 }
    return RunConfiguration(
      algorithm: name.split(separator: "-").first.map(String.init) ?? name, environment: "Drift-v0",
      configuration: .object(settings), steps: 2000, seed: 3, threads: 1, evaluateEvery: 0, evaluationEpisodes: 1,
      checkpointEvery: nil)
  }

  static func policy(
    _ algorithm: String, shift: Float = 0, normalization: ObservationNormalization? = nil
  ) throws -> Policy {
    let isChoosing = algorithm == "dqn"
    let own = tensors(algorithm).compactMap { tensor -> Tensor? in
      let prefix = isChoosing ? "critic.0." : "policy."
      guard tensor.name.hasPrefix(prefix) else { return nil }
      return Tensor(
        name: "policy." + tensor.name.dropFirst(prefix.count), shape: tensor.shape,
        values: tensor.values.map { $0 + shift })
    }
    return try PolicyFile.policy(
      PolicyFile.encode(
        own,
        PolicyDescription(
          algorithm: algorithm, environment: "Drift-v0", observationSize: 3, hiddenSizes: [5, 4],
          actionLow: isChoosing ? [0] : low, actionHigh: isChoosing ? [2] : high, step: 1000,
          choices: isChoosing ? 3 : nil, normalization: normalization,
          kind: isChoosing ? .choosing : algorithm == "sac" ? .squashedGaussian : .deterministic)),
      path: "policy.safetensors")
  }

  static let box = SB3Space.box(low: [-8.5, -8.5, -8.5], high: [8.5, 8.5, 8.5])

  static func model(_ name: String, more: [String: JSONValue] = [:]) throws -> SB3Model {
    let run = try run(name, more: more)
    return try SB3Model(run, state(run.algorithm), policy(run.algorithm), isOwn: true, observations: box)
  }

  static func fixture(_ name: String) throws -> ZIPArchive {
    let url = try #require(
      Bundle.module.url(forResource: name, withExtension: "zip", subdirectory: "Fixtures/sb3-models"))
    return try ZIPArchive(contentsOf: url.path)
  }

  static func members(_ path: String, _ archive: ZIPArchive) throws -> [String: Data] {
    let bytes = try #require(try archive.contents(path))
    let inner = try ZIPArchive(bytes, path: path)
    return try Dictionary(uniqueKeysWithValues: inner.names.map { ($0, try inner.contents($0) ?? Data()) })
  }

  @Test(arguments: settings.keys.sorted())
  func `weights and optimisers are those of the file that Stable-Baselines3 has opened, to the byte`(name: String)
    throws
  {
    let (own, fixture) = (
      try ZIPArchive(Data(Self.model(name).encoded(path: "model.zip")), path: "model.zip"), try Self.fixture(name)
    )
    #expect(own.names == fixture.names)
    for member in own.names where member.hasSuffix(".pth") {
      let (ours, theirs) = (try Self.members(member, own), try Self.members(member, fixture))
      #expect(ours.keys.sorted() == theirs.keys.sorted(), "\(member)")
      for (entry, bytes) in ours { #expect(bytes == theirs[entry], "\(member) \(entry)") }
    }
    #expect(
      try own.contents("_stable_baselines3_version") == fixture.contents("_stable_baselines3_version"))
  }

  @Test(arguments: settings.keys.sorted())
  func `arguments are those of the same file, but for spelling`(name: String) throws {
    func data(_ archive: ZIPArchive) throws -> [String: JSONValue] {
      let text = String(decoding: try #require(try archive.contents("data")), as: UTF8.self)
      guard case .object(let members) = try JSONValue(text: text) else { return [:] }
      return members
    }
    let own = try data(ZIPArchive(Data(Self.model(name).encoded(path: "model.zip")), path: "model.zip"))
    let theirs = try data(Self.fixture(name))
    #expect(Set(own.keys) == Set(theirs.keys))
    for (key, value) in theirs {
      // the same bounds, printed by NumPy, and the same pickle
      if ["observation_space", "action_space", "action_noise"].contains(key) {
        #expect(own[key]?[":serialized:"] == value[":serialized:"] && own[key]?[":type:"] == value[":type:"], "\(key)")
      } else {
        #expect(own[key] == value, "\(key)")
      }
    }
  }

  @Test func `the best policy takes the place of the last, and optimisers begin anew`() throws {
    for algorithm in ["sac", "dqn"] {
      let last = try Self.model(algorithm)
      let best = try SB3Model(
        Self.run(algorithm), Self.state(algorithm), Self.policy(algorithm, shift: 0.5), isOwn: false,
        observations: Self.box)
      let (of, other) = algorithm == "sac" ? ("policy", "critic") : ("critic", "target_critic")
      for name in best.names(of) where name.member == 0 {
        #expect(best.tensor(name.own)?.values == last.tensor(name.own)?.values.map { $0 + 0.5 })
      }
      for name in best.names(other) { #expect(best.tensor(name.own) == last.tensor(name.own)) }
      let archive = try ZIPArchive(Data(best.encoded(path: "model.zip")), path: "model.zip")
      let optimizer = algorithm == "sac" ? "actor.optimizer.pth" : "policy.optimizer.pth"
      #expect(try Self.members(optimizer, archive)["archive/data/0"] == nil)
    }
  }

  @Test func `what Stable-Baselines3 has no place for is refused by name`() throws {
    func refusal(_ make: () throws -> SB3Model) -> String {
      (#expect(throws: ExportError.self) { try make() })?.description ?? ""
    }
    var tqc = try Self.run("sac")
    tqc.algorithm = "tqc"
    #expect(
      refusal { try SB3Model(tqc, Self.state("sac"), Self.policy("sac"), isOwn: true, observations: nil) }
        == "Stable-Baselines3 has no tqc: sac, td3, ddpg, dqn can be exported")
    let normalization = ObservationNormalization(mean: [0, 0, 0], scale: [1, 1, 1])
    #expect(
      refusal {
        try SB3Model(
          Self.run("sac"), Self.state("sac"), Self.policy("sac", normalization: normalization), isOwn: true,
          observations: nil)
      }.contains("normalises its observations"))
    #expect(
      refusal {
        try Self.model(
          "sac",
          more: [
            "criticActivation": .object(["elu": .object([:])]), "policyActivation": .object(["relu": .object([:])]),
          ])
      }.contains("different activations"))
    #expect(
      refusal { try Self.model("sac", more: ["criticNormalization": .object(["layer": .object([:])])]) }.contains(
        "are normalised"))
    var state = Self.state("td3")
    state.algorithm.tensors.append(Tensor(name: "critic.0.scale.0.weight", shape: [1], values: [1]))
    #expect(
      refusal { try SB3Model(Self.run("td3"), state, Self.policy("td3"), isOwn: true, observations: nil) }
        == "the networks have critic.0.scale.0.weight, which those of Stable-Baselines3 have not")
    state.algorithm.tensors.removeLast()
    state.algorithm.tensors.append(Tensor(name: "critic.0.layer.0.bias", shape: [1], values: [.nan]))
    #expect(
      refusal { try SB3Model(Self.run("td3"), state, Self.policy("td3"), isOwn: true, observations: nil) }
        == "critic.0.layer.0.bias holds a value that is not finite")
  }
}
