// SB3Model.swift — a run as a model file of Stable-Baselines3: SAC, TD3, DDPG or DQN, with critics, targets and optimisers.
//
// A zip: `data`, JSON with the arguments of the constructor and the spaces; `policy.pth`, the weights; a .pth for each optimiser;
// `pytorch_variables.pth`, the temperature. Guides/Export.md has the format.

import Algorithms
import Formats
import Networks
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A run's learner, ready to be written as Stable-Baselines3 writes its own.
public struct SB3Model {
  /// The version whose files these are like.
  static let version = "2.9.2"
  static let algorithms = ["sac", "td3", "ddpg", "dqn"]

  let algorithm: String
  let configuration: JSONValue
  /// Steps of the run, and its seed.
  let run: RunConfiguration
  let state: TrainerState
  let observations: SB3Space
  let actions: SB3Space
  /// All weights, in PyTorch's order.
  let names: [SB3Name]
  private let tensors: [String: Tensor]
  /// The optimisers begin anew: their moments are of other weights.
  private let hasMoments: Bool

  /// - Parameters:
  ///   - run: its newest checkpoint has critics, targets and optimisers.
  ///   - best: a policy to take in place of the checkpoint's. The other networks stay, and the optimisers begin anew.
  ///   - observations: the bounds and type of observations; nil: unbounded, float32.
  /// - Throws: `ExportError` for what Stable-Baselines3 has no place for.
  public init(_ run: RunDirectory, best: Policy? = nil, observations: SB3Space? = nil) throws {
    guard let state = try run.checkpoint()?.state else {
      throw ExportError("\(oneLine(run.path)) has no checkpoint yet: train on, then export")
    }
    let policy = try best ?? PolicyFile.load(run.policyPath)
    try self.init(
      run.description.run, state, policy, isOwn: best == nil, observations: observations)
  }

  init(
    _ run: RunConfiguration, _ state: TrainerState, _ policy: Policy, isOwn: Bool, observations: SB3Space?
  ) throws {
    let algorithm = run.algorithm
    self.algorithm = algorithm
    guard Self.algorithms.contains(algorithm) else {
      throw ExportError(
        "Stable-Baselines3 has no \(oneLine(algorithm)): \(Self.algorithms.joined(separator: ", ")) can be exported")
    }
    let description = policy.description
    guard description.normalization == nil else {
      throw ExportError(
        "the policy normalises its observations, which Stable-Baselines3 keeps outside of its models: choose another format"
      )
    }
    configuration = run.configuration
    (self.run, self.state, hasMoments) = (run, state, isOwn)
    self.observations = observations ?? .unbounded(count: description.observationSize)
    if let choices = description.choices {
      actions = .discrete(choices)
    } else {
      actions = .box(low: description.actionLow, high: description.actionHigh)
    }

    var tensors: [String: Tensor] = [:]
    for tensor in state.algorithm.tensors { tensors[tensor.name] = tensor }
    if !isOwn {
      for tensor in policy.tensors {
        // DQN's policy is its critic
        let name = algorithm == "dqn" ? "critic.0" + tensor.name.dropFirst("policy".count) : tensor.name
        guard tensors[name]?.shape == tensor.shape else {
          throw ExportError("the best policy has \(name) of another shape than the run's last one")
        }
        tensors[name] = tensor
      }
    }
    var names: [SB3Name] = []
    for (name, tensor) in tensors where SB3Name.networks.contains(String(name.prefix(while: { $0 != "." }))) {
      guard let mapped = SB3Name(name, algorithm: algorithm) else {
        throw ExportError("the networks have \(name), which those of Stable-Baselines3 have not")
      }
      guard tensor.values.allSatisfy({ $0.isFinite }) else {
        throw ExportError("\(name) holds a value that is not finite")
      }
      names.append(mapped)
    }
    (self.names, self.tensors) = (names.sorted(), tensors)
    try checkBlocks()
  }

  /// One activation for all networks, and nothing else between the layers.
  private func checkBlocks() throws {
    let activations = ["policyActivation", "criticActivation"].compactMap { configuration[$0] }
    if let first = activations.first, let other = activations.last, first != other {
      throw ExportError("policy and critics have different activations; those of Stable-Baselines3 have one")
    }
    if let normalization = configuration["criticNormalization"], normalization != .object(["none": .object([:])]) {
      throw ExportError("the critics' hidden layers are normalised; those of Stable-Baselines3 are not")
    }
  }

  /// A tensor's values and shape by its name here.
  func tensor(_ name: String) -> Tensor? { tensors[name] }

  func names(_ network: String) -> [SB3Name] { names.filter { $0.network == network } }

  /// Units of each hidden layer of the policy or of the critics.
  func hiddenSizes(_ network: String) -> [Int] {
    let sizes = names(network).filter { $0.member == 0 && $0.rest.hasPrefix("layer.") && $0.rest.hasSuffix("weight") }
      .compactMap { tensors[$0.own]?.shape.first }
    // the last layer gives the action or the value; SAC's policy has heads for that
    return tensors["\(network).mean.weight"] == nil ? sizes.dropLast() : sizes
  }

  // MARK: the file

  /// The zip's bytes.
  ///
  /// - Parameter path: what messages call it.
  func encoded(path: String) throws -> [UInt8] {
    var members: [(name: String, data: Data)] = [("data", Data(SB3Arguments(self).json.text(pretty: true).utf8))]
    func add(_ name: String, _ make: (inout TorchFile) -> PickleValue) throws {
      var file = TorchFile()
      let value = make(&file)
      members.append((name, try file.encoded(value, path: path)))
    }
    try add("pytorch_variables.pth") { temperature(into: &$0) }
    try add("policy.pth") { file in
      var weights: [(PickleValue, PickleValue)] = []
      for name in names {
        guard let tensor = tensors[name.own] else { continue }
        weights.append((.text(name.theirs), file.tensor(tensor.values, shape: tensor.shape)))
      }
      return .dictionary(weights)
    }
    if algorithm == "dqn" {
      try add("policy.optimizer.pth") { adam(of: "critic", rate: "criticLearningRate", into: &$0) }
    } else {
      try add("actor.optimizer.pth") { adam(of: "policy", rate: "policyLearningRate", into: &$0) }
      try add("critic.optimizer.pth") { adam(of: "critic", rate: "criticLearningRate", into: &$0) }
    }
    if algorithm == "sac", configuration["temperature"]?["fixed"] == nil {
      try add("ent_coef_optimizer.pth") { temperatureAdam(into: &$0) }
    }
    members.append(("_stable_baselines3_version", Data(Self.version.utf8)))
    return Array(try ZIPArchive.encode(members, path: path))
  }

  private var logTemperature: Float {
    state.algorithm.numbers["log_temperature"].map { Float($0) } ?? tensors["log_temperature"]?.values.first ?? 0
  }

  private func temperature(into file: inout TorchFile) -> PickleValue {
    guard algorithm == "sac" else { return .dictionary([]) }
    if configuration["temperature"]?["fixed"] != nil {
      return .dictionary([(.text("ent_coef_tensor"), file.tensor([Float(exp(Double(logTemperature)))], shape: []))])
    }
    return .dictionary([(.text("log_ent_coef"), file.tensor([logTemperature], shape: [1]))])
  }

  /// The state of a PyTorch optimiser: moments by the parameter's place, then its settings.
  private func adam(of network: String, rate: String, into file: inout TorchFile) -> PickleValue {
    let names = names(network)
    let steps = hasMoments ? state.algorithm.counts["\(network)_optimizer.steps"] ?? 0 : 0
    var slots: [(PickleValue, PickleValue)] = []
    for (index, name) in names.enumerated() where steps > 0 {
      let (first, second) = (
        tensors["\(network)_optimizer.\(name.member).first.\(name.rest)"],
        tensors["\(network)_optimizer.\(name.member).second.\(name.rest)"]
      )
      guard let first, let second else { continue }
      slots.append((.whole(index), slot(steps, first, second, into: &file)))
    }
    return optimizer(slots, count: names.count, rate: configuration[rate]?.double ?? 3e-4)
  }

  private func temperatureAdam(into file: inout TorchFile) -> PickleValue {
    let numbers = state.algorithm.numbers
    var slots: [(PickleValue, PickleValue)] = []
    if hasMoments, let steps = state.algorithm.counts["temperature_optimizer.steps"], steps > 0,
      let first = numbers["temperature_optimizer.first"], let second = numbers["temperature_optimizer.second"]
    {
      func moment(_ value: Double) -> Tensor { Tensor(name: "", shape: [1], values: [Float(value)]) }
      slots.append((.whole(0), slot(steps, moment(first), moment(second), into: &file)))
    }
    return optimizer(slots, count: 1, rate: configuration["temperatureLearningRate"]?.double ?? 3e-4)
  }

  private func slot(_ steps: UInt64, _ first: Tensor, _ second: Tensor, into file: inout TorchFile) -> PickleValue {
    .dictionary([
      (.text("step"), file.tensor([Float(steps)], shape: [])),
      (.text("exp_avg"), file.tensor(first.values, shape: first.shape)),
      (.text("exp_avg_sq"), file.tensor(second.values, shape: second.shape)),
    ])
  }

  private func optimizer(_ slots: [(PickleValue, PickleValue)], count: Int, rate: Double) -> PickleValue {
    let betas = [configuration["adamBeta1"]?.double ?? 0.9, configuration["adamBeta2"]?.double ?? 0.999]
    let group: [(PickleValue, PickleValue)] = [
      (.text("lr"), .number(rate)), (.text("betas"), .tuple(betas.map { .number($0) })),
      (.text("eps"), .number(configuration["adamEpsilon"]?.double ?? 1e-8)), (.text("weight_decay"), .whole(0)),
      (.text("amsgrad"), .bool(false)), (.text("maximize"), .bool(false)), (.text("foreach"), .none),
      (.text("capturable"), .bool(false)), (.text("differentiable"), .bool(false)), (.text("fused"), .none),
      (.text("decoupled_weight_decay"), .bool(false)), (.text("params"), .list((0..<count).map { .whole($0) })),
    ]
    return .dictionary([
      (.text("state"), .dictionary(slots)), (.text("param_groups"), .list([.dictionary(group)])),
    ])
  }
}

extension JSONValue {
  /// A number; nil where the value is none.
  var double: Double? { if case .number(let value) = self { value } else { nil } }
  var whole: Int? { double.flatMap { Int(exactly: $0) } }
}
