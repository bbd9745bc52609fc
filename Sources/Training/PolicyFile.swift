// PolicyFile.swift — a policy to take away: weights, sizes and action bounds in one safetensors file.

import Algorithms
import Environments
import Formats
import Kernels
import Networks
import Replay

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is not a policy that this program can run.
public struct PolicyFileError: Error, CustomStringConvertible {
  /// The file, what is wrong, and what to do, in one line.
  public let description: String

  init(_ path: String, _ reason: String) {
    description = "\(path) \(reason); a policy is a file such as a run's policy.safetensors"
  }
}

/// What a policy file says besides the weights.
public struct PolicyDescription: Sendable, Equatable {
  /// The algorithm's name.
  public var algorithm: String
  /// The environment's id.
  public var environment: String
  /// S
  public var observationSize: Int
  /// Units in each hidden layer.
  public var hiddenSizes: [Int]
  /// Of each hidden layer.
  public var activation = Activation.relu
  /// The lower bounds of actions; for choices the first index.
  public var actionLow: [Float]
  /// The upper bounds of actions; for choices the last index.
  public var actionHigh: [Float]
  /// Environment steps that the policy was trained for.
  public var step: Int
  /// SAC's α after that step; nil for policies without one.
  public var temperature: Double? = nil
  /// The number of choices of a discrete action; nil where actions are real-valued.
  public var choices: Int? = nil
  /// What observations are normalised by before the network sees them; nil: it takes them as they are.
  public var normalization: ObservationNormalization? = nil
  /// What rewards were divided by at the end; nil: nothing. α is then that of the divided ones.
  public var rewardDivisor: Double? = nil
  /// What was set of the environment's options when the policy was trained.
  public var environmentOptions = EnvironmentOptions()
  /// What the outputs mean; nil in files of 0.1.0, whose tensors show it.
  public var kind: PolicyForm.Kind? = nil

  /// α against the environment's own rewards: what a soft value of theirs has.
  public var unscaledTemperature: Double? { temperature.map { $0 * (rewardDivisor ?? 1) } }
}

/// Reads and writes policies as safetensors files.
public enum PolicyFile {
  static let format = "swift-offpolicy policy"
  static let version = 1
  /// That of a file with a normaliser: a program that does not know it must not act without it.
  static let normalizedVersion = 2
  /// That of a file whose hidden layers have another activation than ReLU.
  static let activationVersion = 3

  /// The file's content: the tensors named `policy.…`, `action.low` and `action.high`, and the normaliser where there is one.
  public static func encode(_ tensors: [Tensor], _ description: PolicyDescription) -> SafeTensors {
    var file = SafeTensors()
    for tensor in tensors where tensor.name.hasPrefix("policy.") {
      file.add(tensor.name, floats: tensor.values, shape: tensor.shape)
    }
    file.add("action.low", floats: description.actionLow, shape: [description.actionLow.count])
    file.add("action.high", floats: description.actionHigh, shape: [description.actionHigh.count])
    file.metadata = [
      "format": format,
      "version": "\(version)",
      "algorithm": description.algorithm,
      "environment": description.environment,
      "observationSize": "\(description.observationSize)",
      "hiddenSizes": description.hiddenSizes.map(String.init).joined(separator: ","),
      "step": "\(description.step)",
    ]
    if let logTemperature = tensors.first(where: { $0.name == "log_temperature" })?.values.first {
      file.metadata["temperature"] = "\(exp(Double(logTemperature)))"
    }
    if let kind = description.kind { file.metadata["policy"] = kind.rawValue }
    if let choices = description.choices { file.metadata["choices"] = "\(choices)" }
    if !description.environmentOptions.isEmpty {
      file.metadata["environmentOptions"] = (try? JSONValue(encoding: description.environmentOptions))?.text()
    }
    if let normalization = description.normalization {
      file.add("normalizer.mean", floats: normalization.mean, shape: [normalization.mean.count])
      file.add("normalizer.scale", floats: normalization.scale, shape: [normalization.scale.count])
      file.metadata["version"] = "\(normalizedVersion)"
      if let clip = normalization.clip { file.metadata["normalizerClip"] = "\(clip)" }
    }
    if description.activation != .relu {
      file.metadata["activation"] = description.activation.name
      file.metadata["version"] = "\(activationVersion)"
    }
    if let divisor = description.rewardDivisor { file.metadata["rewardDivisor"] = "\(divisor)" }
    file.metadata["digest"] = digest(of: file)
    return file
  }

  /// A hash of everything that the file holds and says, so that a damaged one is noticed.
  static func digest(of file: SafeTensors) -> String {
    var text = file.metadata
    text["digest"] = nil
    let said = text.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
    let tensors = file.names.map { Tensor(name: $0, shape: [], values: (try? file.floats($0)) ?? []) }
    return RunInspection.digest(tensors + [Tensor(name: said, shape: [], values: [])])
  }

  /// Reads a policy that can act.
  public static func load(_ path: String) throws -> Policy {
    try policy(SafeTensors(contentsOf: path), path: path)
  }

  package static func policy(_ file: SafeTensors, path: String) throws -> Policy {
    guard file.metadata["format"] == format else { throw PolicyFileError(path, "is not a policy of this program") }
    guard ["\(version)", "\(normalizedVersion)", "\(activationVersion)"].contains(file.metadata["version"]) else {
      throw PolicyFileError(
        path,
        "has policy format \(file.metadata["version"] ?? "unknown"), this program reads \(version) to \(activationVersion)"
      )
    }
    let (observationSize, hidden) = try sizes(file, path: path)
    let (low, high) = (try file.floats("action.low"), try file.floats("action.high"))
    guard low.count == high.count, !low.isEmpty, zip(low, high).allSatisfy({ $0.isFinite && $1.isFinite && $0 <= $1 })
    else { throw PolicyFileError(path, "gives impossible action bounds") }
    // the shapes before any memory is taken for them
    for (index, size) in hidden.enumerated() {
      let (name, expected) = ("policy.layer.\(index).weight", [size, index == 0 ? observationSize : hidden[index - 1]])
      let shape = try file.shape(name)
      guard shape == expected else {
        throw PolicyFileError(path, "has \(name) of shape \(shape), where its sizes say \(expected)")
      }
    }
    var choices: Int?
    if let text = file.metadata["choices"] {
      let bias = "policy.layer.\(hidden.count).bias"
      choices = Int(text)
      guard let choices, choices > 0, (low, high) == ([0], [Float(choices - 1)]), try file.shape(bias) == [choices]
      else { throw PolicyFileError(path, "says \(text) choices, which its action bounds or \(bias) are not for") }
    }
    let kind = try file.metadata["policy"].map { text in
      guard let kind = PolicyForm.Kind(rawValue: text), (kind == .choosing) == (choices != nil) else {
        throw PolicyFileError(
          path, "holds a policy of the kind \(text.debugDescription), which this program cannot run")
      }
      return kind
    }
    let activation = try activation(file, path: path)
    var options = EnvironmentOptions()
    if let text = file.metadata["environmentOptions"] {
      do { options = try JSONValue(text: text).decode(EnvironmentOptions.self) } catch {
        throw PolicyFileError(path, "has environmentOptions that are no options: \(text.debugDescription)")
      }
    }
    var description = PolicyDescription(
      algorithm: file.metadata["algorithm"] ?? "unknown", environment: file.metadata["environment"] ?? "",
      observationSize: observationSize, hiddenSizes: hidden, actionLow: low, actionHigh: high,
      step: file.metadata["step"].flatMap { Int($0) } ?? 0,
      temperature: file.metadata["temperature"].flatMap(Double.init), choices: choices,
      environmentOptions: options, kind: kind)
    description.activation = activation
    description.normalization = try normalization(file, path: path, observationSize: observationSize)
    description.rewardDivisor = file.metadata["rewardDivisor"].flatMap(Double.init)
    let policy = try Policy(description) { name in
      let tensor = Tensor(name: name, shape: try file.shape(name), values: try file.floats(name))
      guard tensor.values.allSatisfy(\.isFinite) else {
        throw PolicyFileError(path, "holds a weight that is not finite")
      }
      return tensor
    }
    // a file that somebody else wrote need not have one; one of this program whose key is damaged does
    let isDamaged = file.metadata.keys.contains { $0 != "digest" && editDistance($0, "digest") == 1 }
    if isDamaged || file.metadata["digest"].map({ $0 != digest(of: file) }) ?? false {
      throw PolicyFileError(
        path,
        "does not match its digest: it is damaged, so copy it again, or was edited, so remove digest from its metadata")
    }
    return policy
  }

  /// S and the hidden sizes, as the metadata say or else as the tensors' shapes do.
  private static func sizes(_ file: SafeTensors, path: String) throws -> (observations: Int, hidden: [Int]) {
    func shape(_ layer: Int) throws -> [Int]? {
      let name = "policy.layer.\(layer).weight"
      return file.contains(name) ? try file.shape(name) : nil
    }
    var rows: [Int] = []
    while rows.count < 66, let shape = try shape(rows.count), let size = shape.first { rows.append(size) }
    // the last layer is the policy's output, but for a Gaussian's, which has two heads
    let inShapes = file.contains("policy.mean.weight") ? rows : rows.dropLast()
    let hidden = file.metadata["hiddenSizes"]?.split(separator: ",").map { Int($0) ?? 0 } ?? inShapes
    let observations = try file.metadata["observationSize"].map { Int($0) ?? 0 } ?? shape(0)?.last ?? 0
    guard 1...1 << 20 ~= observations, 1...64 ~= hidden.count, hidden.allSatisfy({ 1...16_384 ~= $0 }) else {
      throw PolicyFileError(
        path,
        "gives impossible sizes: \(observations) observations and hidden layers of \(hidden.map(String.init).joined(separator: ", "))"
      )
    }
    return (observations, hidden)
  }

  /// The activation of the hidden layers: ReLU where the file does not say, as no file before format 3 does.
  private static func activation(_ file: SafeTensors, path: String) throws -> Activation {
    guard let text = file.metadata["activation"] else {
      guard file.metadata["version"] != "\(activationVersion)" else {
        throw PolicyFileError(path, "has policy format \(activationVersion), but does not say its activation")
      }
      return .relu
    }
    guard let activation = Activation(name: text) else {
      throw PolicyFileError(
        path,
        "has hidden layers with the activation \(text.debugDescription), this program knows "
          + Activation.allCases.map(\.name).joined(separator: ", "))
    }
    return activation
  }

  /// What the file's policy normalises observations by, if it does.
  private static func normalization(
    _ file: SafeTensors, path: String, observationSize: Int
  ) throws -> ObservationNormalization? {
    let names = ["normalizer.mean", "normalizer.scale"]
    guard file.metadata["version"] == "\(normalizedVersion)" || names.contains(where: file.contains) else { return nil }
    for name in names {
      let shape = try file.shape(name)
      guard shape == [observationSize] else {
        throw PolicyFileError(
          path, "has \(name) of shape \(shape), where its observations have \(observationSize) values")
      }
    }
    let (mean, scale) = (try file.floats(names[0]), try file.floats(names[1]))
    let clip = file.metadata["normalizerClip"].map { Float($0) ?? .nan }
    guard mean.allSatisfy(\.isFinite), scale.allSatisfy({ $0.isFinite && $0 > 0 }), clip.map({ $0 > 0 }) ?? true else {
      throw PolicyFileError(path, "gives an impossible mean, scale or clip of observations")
    }
    return ObservationNormalization(mean: mean, scale: scale, clip: clip)
  }
}
