// Support.swift — policies with numbers that can be worked out by hand, folders, and how other languages are run.

import Foundation
import OffPolicy

@testable import Training

/// A policy of 3 observations and hidden layers of 5 and 4 units: element k of the t-th tensor is ((7 k + 3 t) mod 11 − 5) / 8.
///
/// Scripts/fixtures/onnx_model.py makes the same ones.
func makePolicy(
  _ kind: PolicyForm.Kind, algorithm: String? = nil, normalization: ObservationNormalization? = nil,
  hiddenSizes: [Int] = [5, 4], activation: Activation = .relu, environment: String = "Probe-v0",
  options: EnvironmentOptions = EnvironmentOptions()
) throws -> Policy {
  try PolicyFile.policy(
    policyFile(
      kind, algorithm: algorithm, normalization: normalization, hiddenSizes: hiddenSizes, activation: activation,
      environment: environment, options: options), path: "policy.safetensors")
}

func policyFile(
  _ kind: PolicyForm.Kind, algorithm: String? = nil, normalization: ObservationNormalization? = nil,
  hiddenSizes: [Int] = [5, 4], activation: Activation = .relu, environment: String = "Probe-v0",
  options: EnvironmentOptions = EnvironmentOptions()
) -> SafeTensors {
  let choices = kind == .choosing ? 3 : nil
  var tensors: [Tensor] = []
  func add(_ name: String, _ shape: [Int]) {
    let count = shape.reduce(1, *)
    let values = (0..<count).map { Float((7 * $0 + 3 * tensors.count) % 11 - 5) / 8 }
    tensors.append(Tensor(name: "policy.\(name)", shape: shape, values: values))
  }
  func layer(_ name: String, _ outputs: Int, _ inputs: Int) {
    add("\(name).weight", [outputs, inputs])
    add("\(name).bias", [outputs])
  }
  var inputs = 3
  for (k, size) in hiddenSizes.enumerated() {
    layer("layer.\(k)", size, inputs)
    inputs = size
  }
  layer(kind == .squashedGaussian ? "mean" : "layer.\(hiddenSizes.count)", choices ?? 2, inputs)
  if kind == .squashedGaussian { layer("log_std", 2, inputs) }
  return PolicyFile.encode(
    tensors,
    PolicyDescription(
      algorithm: algorithm ?? [.squashedGaussian: "sac", .deterministic: "td3", .choosing: "dqn"][kind]!,
      environment: environment, observationSize: 3, hiddenSizes: hiddenSizes,
      activation: activation, actionLow: choices == nil ? [-2, -1] : [0], actionHigh: choices == nil ? [2, 2] : [2],
      step: 60,
      choices: choices, normalization: normalization, environmentOptions: options, kind: kind))
}

let clipped = ObservationNormalization(mean: [0.5, -0.25, 1], scale: [0.75, 0.125, 4], clip: 2)
let unclipped = ObservationNormalization(mean: [0.5, -0.25, 1], scale: [0.75, 0.125, 4])

/// Policies of every kind, with a normaliser and without, one hidden layer and more.
func allPolicies() throws -> [(name: String, policy: Policy)] {
  var policies: [(String, Policy)] = []
  for kind in [PolicyForm.Kind.squashedGaussian, .deterministic, .choosing] {
    policies.append(("\(kind)", try makePolicy(kind)))
    policies.append(("\(kind), clipped", try makePolicy(kind, normalization: clipped)))
    policies.append(("\(kind), unclipped", try makePolicy(kind, normalization: unclipped, hiddenSizes: [3])))
    policies.append(("\(kind), deep", try makePolicy(kind, hiddenSizes: [4, 6, 2])))
    for activation in Activation.allCases where activation != .relu {
      policies.append(("\(kind), \(activation)", try makePolicy(kind, activation: activation)))
    }
  }
  return policies
}

/// Ordinary, constant and extreme ones.
let observations: [[Float]] = [
  [0, 0, 0], [1, -0.5, 3], [-1, 0.25, -8], [0.3, 0.1, 2], [0.5, -0.25, 1], [7, 7, 7], [1e6, 1e6, 1e6],
  [-1e6, 1e6, -1e6], [0, 0, 1e6], [1e-30, -1e-30, 0], [12, -3, 0.5],
]

/// Noise for each observation: normal or uniform, as the policy draws.
func makeNoise(_ policy: ExportedPolicyKind) -> [[Float]] {
  var stream = RandomStream(seed: 1, purpose: "noise")
  return observations.map { _ in
    (0..<policy.noiseSize).map { _ in policy.isChoosing ? 0.01 + 0.98 * stream.uniform() : 4 * stream.uniform() - 2 }
  }
}

/// How much noise a policy takes.
struct ExportedPolicyKind {
  let noiseSize: Int
  let isChoosing: Bool

  init(_ policy: Policy) {
    isChoosing = policy.description.choices != nil
    noiseSize = policy.description.choices ?? policy.description.actionLow.count
  }
}

extension Policy {
  /// The program's own action.
  func action(_ observation: [Float]) -> [Float] {
    var action = [Float](repeating: 0, count: description.actionLow.count)
    var span = action.mutableSpan
    act(observation.span, into: &span)
    return action
  }

  private func activated(_ x: Double) -> Double {
    switch description.activation {
    case .relu: max(0, x)
    case .tanh: tanh(x)
    case .elu: x > 0 ? x : exp(x) - 1
    case .silu: x / (1 + exp(-x))
    }
  }

  /// The equations in double precision, with noise or without.
  func expected(_ observation: [Float], noise: [Float]? = nil) -> [Double] {
    let find = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    func layer(_ name: String, _ x: [Double]) -> [Double] {
      let (weight, bias) = (find["policy.\(name).weight"]!, find["policy.\(name).bias"]!)
      return bias.values.enumerated().map { j, bias in
        x.indices.reduce(Double(bias)) { $0 + Double(weight.values[j * x.count + $1]) * x[$1] }
      }
    }
    var x = observation.map(Double.init)
    if let normalization = description.normalization {
      let clip = Double(normalization.clip ?? .infinity)
      for i in x.indices {
        x[i] = min(clip, max(-clip, (x[i] - Double(normalization.mean[i])) / Double(normalization.scale[i])))
      }
    }
    for k in description.hiddenSizes.indices { x = layer("layer.\(k)", x).map(activated) }
    var z = layer(isStochastic ? "mean" : "layer.\(description.hiddenSizes.count)", x)
    if let noise, description.choices != nil {
      for i in z.indices { z[i] -= log(-log(Double(noise[i]))) }
    } else if let noise {
      let deviations = layer("log_std", x).map { exp(min(2, max(-20, $0))) }
      for i in z.indices { z[i] += deviations[i] * Double(noise[i]) }
    }
    if description.choices != nil { return [Double(z.firstIndex(of: z.max()!)!)] }
    return z.indices.map { i in
      let (low, high) = (Double(description.actionLow[i]), Double(description.actionHigh[i]))
      return low + (tanh(z[i]) + 1) / 2 * (high - low)
    }
  }
}

let exportOptions = ExportOptions(version: "test")

var drawing: ExportOptions {
  var options = exportOptions
  options.isStochastic = true
  return options
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

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: url.appendingPathComponent(name))
  }

  /// Everything in it, by path.
  var contents: [String] { (FileManager.default.subpaths(atPath: url.path) ?? []).sorted() }
}

/// A program of the machine, found by its name.
enum Tool {
  /// What it prints, to either stream, and its status.
  static func run(_ arguments: [String], in folder: TemporaryFolder) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  static func has(_ arguments: String...) -> Bool {
    guard let folder = try? TemporaryFolder() else { return false }
    return (try? run(arguments, in: folder))?.status == 0
  }
}

/// The numbers of each line.
func numbers(_ text: String) -> [[Float]] {
  text.split(separator: "\n").map { $0.split(separator: " ").compactMap { Float($0) } }
}
