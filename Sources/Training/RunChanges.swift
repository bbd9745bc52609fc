// RunChanges.swift — what of a run may be changed after it has begun: how long it goes on, hyperparameters, where its data are.

import Algorithms
import Formats
import Replay

/// A change of a run, as `run.json` keeps it.
public struct RunChange: Codable, Sendable, Equatable {
  /// The step from which on it holds.
  public var step: Int
  /// The run's steps since then; nil where they stayed.
  public var steps: Int?
  /// Hyperparameters since then, by name; nil where they stayed.
  public var configuration: [String: JSONValue]?
  /// Where the data are since then; nil where they stayed.
  public var dataset: String?
}

extension RunDescription {
  /// Hyperparameters that were changed since the run began.
  var changedNames: Set<String> { Set((changes ?? []).flatMap { $0.configuration.map { Array($0.keys) } ?? [] }) }
}

extension RunConfiguration {
  /// Hyperparameters that decide which values the same weights of critics stand for.
  static let criticMeaning = [
    "criticActivation", "criticNormalization", "batchEpsilon", "minimumValue", "maximumValue",
  ]

  /// Hyperparameters that decide the sizes of what is kept, or how what was kept is to be read.
  private static let kept = Set(
    criticMeaning + [
      "hiddenSizes", "policyHiddenSizes", "criticHiddenSizes", "policyActivation", "critics", "quantiles", "atoms",
      "bufferCapacity", "sampler", "normalizeObservations", "scaleRewards", "returnBound", "normalization",
    ])

  /// The run with other steps, settings or data.
  ///
  /// - Parameters:
  ///   - settings: `key=value`, as for a new run.
  ///   - dataset: where the data are now; they must be the same.
  /// - Throws: `ConfigurationError` for a hyperparameter that must stay, and for a schedule that ends with the run when only
  ///   `steps` change: it would have been another from the first update on.
  public func changed(
    steps: Int? = nil, settings: [String] = [], dataset: String? = nil, in registry: AlgorithmRegistry = .standard
  ) throws -> RunConfiguration {
    var run = self
    let before = try registry.entry(algorithm).configuration(configuration)
    let after = try before.setting(settings)
    for (name, _) in Self.differences(before.values, after.values) where Self.kept.contains(name) {
      throw ConfigurationError.malformed(
        "\(name) cannot be changed in mid-run, because what was kept so far depends on it: begin a new run")
    }
    run.configuration = after.values
    if let steps {
      run.steps = steps
      let updates = (updates(after), run.updates(after))
      if after.lasting(updates: updates.0).values != after.lasting(updates: updates.1).values {
        throw ConfigurationError.malformed(
          "learningRateSchedule ends with the run's \(self.steps) steps, and a run of \(steps) would have had other rates from "
            + "its first update on: say over how many updates it goes, such as learningRateSchedule.linear.updates=\(updates.0)"
        )
      }
    }
    if let dataset {
      guard run.dataset != nil else {
        throw MismatchedRun("the run learns from its environment: it has no data that could have moved")
      }
      run.dataset?.path = dataset
    }
    try run.check()
    return run
  }

  /// What another configuration of this run has otherwise, to be kept with the step; nil where all is the same.
  public func change(to other: RunConfiguration, at step: Int) -> RunChange? {
    let settings = Dictionary(
      Self.differences(configuration, other.configuration), uniquingKeysWith: { $1 })
    let change = RunChange(
      step: step, steps: other.steps == steps ? nil : other.steps, configuration: settings.isEmpty ? nil : settings,
      dataset: other.dataset?.path == dataset?.path ? nil : other.dataset?.path)
    return change == RunChange(step: step) ? nil : change
  }

  /// Members of the second that the first has not, or has otherwise.
  private static func differences(_ first: JSONValue, _ second: JSONValue) -> [(String, JSONValue)] {
    guard case .object(let members) = second else { return [] }
    return members.filter { (first[$0.key] ?? .null) != $0.value }.sorted { $0.key < $1.key }
  }

  /// Why a run that was restored and has more steps now need not give the bits of one that always had them; empty where it
  /// does give them.
  ///
  /// A buffer has room for the run's steps, so a shorter run may have dropped what a longer one would have kept.
  public func losses(
    extending run: RunConfiguration, _ trainer: any TrainingRun, in registry: AlgorithmRegistry = .standard
  ) throws -> [String] {
    let configuration = try algorithmConfiguration(in: registry)
    guard steps > run.steps, let collection = configuration.collection, run.steps < collection.bufferCapacity else {
      return []
    }
    var losses: [String] = []
    trainer.withBuffer {
      var dropped: UInt64 = 0
      for lane in 0..<$0.laneCount { dropped += $0.frameRange(lane: lane).lowerBound }
      if dropped > 0 { losses.append("the buffer of \(run.steps) steps has dropped \(dropped) old frames") }
    }
    if case .prioritised = configuration.sampler, laneCount > 1 {
      losses.append("priorities of several environments are added up in another order")
    }
    if configuration.batchSize > run.steps {
      losses.append("the first update did not wait for a whole batch")
    }
    return losses
  }
}
