// Support.swift — how the tests make trainers, read their networks, and keep folders.

import Foundation
import OffPolicy

let algorithmNames = ["ddpg", "td3", "sac"]

/// A trainer with small networks on a task that the test made.
func makeTrainer(
  _ algorithm: String, steps: Int, seed: UInt64 = 1, threads: Int = 1, evaluateEvery: Int = 0,
  evaluationEpisodes: Int = 3, set settings: [String] = [], environment: @escaping () throws -> any Environment
) throws -> Trainer {
  let small = ["hiddenSizes=16,16", "batchSize=16", "randomSteps=50"]
  let run = RunConfiguration(
    algorithm: algorithm, environment: "Probe-v0",
    configuration: try AlgorithmRegistry.entry(algorithm).defaults.setting(small + settings).values, steps: steps,
    seed: seed, threads: threads,
    evaluateEvery: evaluateEvery, evaluationEpisodes: evaluationEpisodes,
    checkpointEvery: 0)
  return try Trainer(run, workers: WorkerPool(count: threads), makeEnvironment: environment)
}

/// The pendulum within its time limit.
func pendulum() throws -> any Environment { try EnvironmentRegistry.builtIn.make("Pendulum-v1") }

/// A multilayer perceptron as plain as it can be written, in double precision: the slow twin of the program's.
struct PlainNetwork {
  private let layers: [(weight: Tensor, bias: Tensor)]

  /// The layers `prefix.layer.0`, `prefix.layer.1`, … and then, for SAC's policy, `prefix.mean`.
  init(_ prefix: String, from tensors: [Tensor]) {
    let find = Dictionary(
      uniqueKeysWithValues: tensors.map { ($0.name, Tensor(name: $0.name, shape: $0.shape, values: $0.values)) })
    var layers: [(weight: Tensor, bias: Tensor)] = []
    while let weight = find["\(prefix).layer.\(layers.count).weight"],
      let bias = find["\(prefix).layer.\(layers.count).bias"]
    {
      layers.append((weight, bias))
    }
    if let weight = find["\(prefix).mean.weight"], let bias = find["\(prefix).mean.bias"] {
      layers.append((weight, bias))
    }
    self.layers = layers
  }

  func callAsFunction(_ input: [Double]) -> [Double] {
    var values = input
    for (index, layer) in layers.enumerated() {
      let (rows, columns) = (layer.weight.shape[0], layer.weight.shape[1])
      precondition(values.count == columns, "\(values.count) values for \(columns) inputs")
      values = (0..<rows).map { row in
        (0..<columns).reduce(Double(layer.bias.values[row])) {
          $0 + Double(layer.weight.values[row * columns + $1]) * values[$1]
        }
      }
      if index + 1 < layers.count { values = values.map { max(0, $0) } }
    }
    return values
  }
}

extension Trainer {
  /// Q_j(s, a) of the learned critics, actions in [−1, 1].
  func actionValues(_ observation: [Double], _ action: [Double]) -> [Double] {
    let tensors = algorithm.parameters
    let count = tensors.contains { $0.name.hasPrefix("critic.1.") } ? 2 : 1
    return (0..<count).map { PlainNetwork("critic.\($0)", from: tensors)(observation + action)[0] }
  }

  /// What the policy does without exploration, in [−1, 1].
  func bestAction(_ observation: [Double]) -> [Double] {
    let input = observation.map { Float($0) }
    var action = [Float](repeating: 0, count: scaling.count)
    var span = action.mutableSpan
    algorithm.act(input.span, explore: false, into: &span)
    return action.map(Double.init)
  }
}

/// A folder that is removed with the test.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("offpolicy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}

extension SafeTensors {
  /// The same file with some tensors left out or replaced, and other metadata.
  func changed(
    without missing: Set<String> = [], floats: [String: (shape: [Int], values: [Float])] = [:],
    doubles: [String: (shape: [Int], values: [Double])] = [:], metadata changes: [String: String?] = [:]
  ) throws -> SafeTensors {
    var copy = SafeTensors()
    copy.metadata = metadata
    for (key, value) in changes { copy.metadata[key] = value }
    for name in names where !missing.contains(name) && floats[name] == nil && doubles[name] == nil {
      let shape = try shape(name)
      switch try elementType(name) {
      case .float32: copy.add(name, floats: try self.floats(name), shape: shape)
      case .float64: copy.add(name, doubles: try self.doubles(name), shape: shape)
      case .uint64: copy.add(name, uint64s: try integers64(name), shape: shape)
      default: copy.add(name, bytes: try bytes(name), shape: shape)
      }
    }
    for (name, tensor) in doubles { copy.add(name, doubles: tensor.values, shape: tensor.shape) }
    for (name, tensor) in floats { copy.add(name, floats: tensor.values, shape: tensor.shape) }
    return copy
  }
}

/// What `run.json` would say.
func describe(_ run: RunConfiguration) -> RunDescription {
  RunDescription(
    run: run, versions: RunDescription.Versions(program: "0", swift: "0", mujoco: nil, processor: "test"))
}

extension SafeTensors {
  /// The same with the hash that a checkpoint of these tensors has.
  func sealed() -> SafeTensors {
    var file = self
    file.metadata["digest"] = digest
    return file
  }
}
