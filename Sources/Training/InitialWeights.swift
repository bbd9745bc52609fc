// InitialWeights.swift — a new run that begins with the networks of another: parameters and targets, nothing else.

import Algorithms
import Formats
import Kernels
import Networks
import Replay

/// The networks of a run, or of a policy file, for a new run to begin with.
public struct InitialWeights: Sendable {
  /// Where they come from, as `run.json` keeps it.
  public let origin: RunConfiguration.Origin
  private let tensors: [String: Tensor]
  /// What the policy's observations are normalised by; nil: nothing.
  private let normalization: ObservationNormalization?
  /// The activation of the policy's hidden layers.
  private let activation: Activation
  /// Settings of a run that its critics' tensors do not show, by name; none from a file.
  private let critics: [String: JSONValue]
  /// A run's running statistics by name; none from a file.
  private let statistics: [String: [Double]]

  /// The networks of a run's newest whole checkpoint.
  public init(_ directory: RunDirectory) throws {
    guard let (state, _) = try directory.checkpoint() else {
      throw RunDirectoryError("\(directory.path) has no checkpoint yet: there is nothing to begin with")
    }
    let learned = state.algorithm.tensors.filter { !$0.name.contains("optimizer") }
    origin = RunConfiguration.Origin(
      path: directory.path, algorithm: directory.description.run.algorithm, step: state.step,
      digest: RunInspection.digest(learned))
    tensors = Dictionary(learned.map { ($0.name, $0) }) { first, _ in first }
    let policy = try PolicyFile.load(directory.policyPath).description
    (normalization, activation) = (policy.normalization, policy.activation)
    var critics: [String: JSONValue] = [:]
    for name in RunConfiguration.criticMeaning { critics[name] = directory.description.run.configuration[name] }
    self.critics = critics
    statistics = state.normalization
  }

  /// The policy of a file; critics are not in it.
  public init(_ policy: Policy, path: String) {
    let tensors = policy.tensors
    origin = RunConfiguration.Origin(
      path: path, algorithm: policy.description.algorithm, step: policy.description.step,
      digest: RunInspection.digest(tensors))
    self.tensors = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    (normalization, activation) = (policy.description.normalization, policy.description.activation)
    (statistics, critics) = ([:], [:])
  }

  /// Puts the networks into a new algorithm; moments and random streams begin anew.
  ///
  /// - Returns: the networks that stay as they were initialised, such as `critic`.
  func load(into algorithm: any Algorithm, _ configuration: AnyConfiguration) throws -> [String] {
    try checkActivations(configuration)
    let own = Dictionary(algorithm.parameters.map { ($0.name, $0) }) { first, _ in first }
    // without what the file normalises by, its weights would be another policy's
    let statistics = "policy.batch_norm.batches"
    guard tensors[statistics] == nil || own[statistics] != nil else {
      throw MismatchedRun(
        "the policy of \(origin.path) normalises batches, this run's does not: give a run of \(origin.algorithm), or begin with the "
          + "run's policy file, which has that in its weights")
    }
    // a temperature that was set is what was asked for
    let isFixed = configuration.values["temperature"]?["fixed"] != nil
    var left: Set<String> = []
    var taken = 0
    try algorithm.loadParameters { name in
      // a target that the file does not have begins as what it tracks
      let tracked = name.hasPrefix("target_") ? String(name.dropFirst("target_".count)) : name
      guard let present = own[name] else {
        throw MismatchedRun("the algorithm asks for \(name), which is none of its parameters")
      }
      guard let given = tensors[name] ?? tensors[tracked], !(isFixed && name == "log_temperature") else {
        if name != "log_temperature" { left.insert(String(name.prefix { $0 != "." })) }
        return present
      }
      guard given.shape == present.shape else {
        throw MismatchedRun(
          "\(origin.path) has \(given.name) of shape \(given.shape), this run needs \(present.shape): give the run the same "
            + "hiddenSizes and an environment of the same sizes")
      }
      taken += 1
      return Tensor(name: name, shape: given.shape, values: given.values)
    }
    let needed = own.keys.contains { $0.hasPrefix("policy.") } ? "policy" : "critic"
    guard taken > 0, !left.contains(needed) else {
      throw MismatchedRun(
        "\(origin.path) holds the networks of \(origin.algorithm), which are of another kind: give a run of the same algorithm"
      )
    }
    return left.sorted()
  }

  /// Throws where the same weights would make other functions.
  private func checkActivations(_ configuration: AnyConfiguration) throws {
    guard activation == configuration.policy.activation else {
      throw MismatchedRun(
        "the policy of \(origin.path) has \(activation.title) in its hidden layers, this run's has "
          + "\(configuration.policy.activation.title): give both the same policyActivation")
    }
    for name in RunConfiguration.criticMeaning {
      guard let given = critics[name], let own = configuration.values[name], given != own else { continue }
      throw MismatchedRun(
        "\(origin.path) has \(name) \(given.text()), this run \(own.text()): give both the same")
    }
  }

  /// Takes a run's running statistics over, where both normalise observations.
  func load(into normalization: RunNormalization) throws {
    guard let observations = normalization.observations else {
      guard self.normalization == nil else {
        throw MismatchedRun(
          "the policy of \(origin.path) takes normalised observations: set normalizeObservations=true, or give one that "
            + "takes them as they are")
      }
      return
    }
    guard self.normalization != nil, !statistics.isEmpty else {
      throw MismatchedRun(
        "normalizeObservations is true, and \(origin.path) has no running statistics of observations: give a run that has, or "
          + "leave the setting out")
    }
    try observations.restore { name in
      guard let values = statistics[name] else {
        throw MismatchedRun("\(origin.path) has no \(name): its observations are normalised by its data")
      }
      return values
    }
  }

  /// Throws where a policy was learned on data that were normalised otherwise.
  func check(_ own: ObservationNormalization?) throws {
    guard own == normalization else {
      throw MismatchedRun(
        "the policy of \(origin.path) sees observations normalised otherwise than these data are: set normalization=null in "
          + "both runs, or take the same data")
    }
  }
}
