// CollectionSettings.swift — how an algorithm collects transitions in its environment, and how often it updates.

import Platform

/// The settings of the training loop for an algorithm that acts in its environment.
public struct CollectionSettings: Sendable, Equatable {
  /// Transitions kept for replay.
  public var bufferCapacity: Int
  /// First steps with actions drawn uniformly, before any update.
  public var randomSteps: Int
  /// Environment steps between rounds of updates.
  public var updateEvery: Int
  /// Updates to one environment step; 0.25 is one update to four steps.
  public var updatesPerStep: Double

  /// The number of updates that are due from step `first` to step `last`. It depends on counts alone, so over any number of
  /// steps there are as many as `updatesPerStep` says.
  package func updatesOwed(from first: Int, to last: Int) -> Int { updates(after: last) - updates(after: first) }

  private func updates(after steps: Int) -> Int {
    let exact = Double(steps) * updatesPerStep
    // a ratio such as 3/11 is rounded: after 11 steps it makes 3 updates, not 2.999…
    return Int(clampingWhole: exact * (1 + 0x1p-50))
  }
}

/// The configuration of an algorithm that learns in an environment. Algorithms that learn from fixed data do not conform.
public protocol CollectingConfiguration: AlgorithmConfiguration {
  /// Transitions kept for replay.
  var bufferCapacity: Int { get }
  /// First steps with actions drawn uniformly, before any update.
  var randomSteps: Int { get }
  /// Environment steps between rounds of updates.
  var updateEvery: Int { get }
  /// Updates to one environment step.
  var updatesPerStep: Double { get }
}

extension CollectingConfiguration {
  public var collection: CollectionSettings? {
    CollectionSettings(
      bufferCapacity: bufferCapacity, randomSteps: randomSteps, updateEvery: updateEvery, updatesPerStep: updatesPerStep
    )
  }
}

extension [Hyperparameter] {
  /// How much an algorithm learns from what it collects, from which steps, and how those are normalised.
  public static var collecting: [Hyperparameter] { collecting(updatesPerStep: "one update per step: all papers") }

  /// The same, where updates to a step have a source of their own.
  public static func collecting(updatesPerStep source: String) -> [Hyperparameter] {
    [
      .updateEvery, .updatesPerStep(source), .nSteps, .sampler, .normalizeObservations, .scaleRewards, .returnBound,
    ]
  }
}
