// Linear.swift — the linear-quadratic task of the probes for values and comparisons: policies u = −k x, closed forms.

import Foundation
import OffPolicy

@testable import Training

/// A point that drifts, forces in [−10, 10] so that tanh is as good as straight, starts in [−1, 1].
struct LinearTask {
  static let discount = 0.9
  let task = LinearQuadratic(discount: LinearTask.discount)
  static let bound = 10.0

  /// Without a clock; or cut off after some steps, for data.
  func environment(limit: Int? = nil) -> any Environment {
    let task = task
    let probe = Probe(
      observations: 1, actions: Box(low: -10, high: 10, count: 1), values: [0],
      begin: { $0.values = [$0.generator.uniform(-1, 1)] }, observe: { [Float($0.values[0])] }
    ) { probe, action in
      let (x, u) = (probe.values[0], Double(action[0]))
      probe.values[0] = task.next(x, u)
      return StepOutcome(reward: -task.cost(x, u))
    }
    return limit.map { TimeLimit(probe, maximumEpisodeSteps: $0) } ?? probe
  }

  /// The policy u = −k x as a network: tanh(−k x / 10), x as two rectified halves.
  ///
  /// - Parameter normalization: what the network is told x by; its first weight undoes a scale.
  func policy(gain: Double, normalization: ObservationNormalization? = nil) throws -> Policy {
    let scale = normalization?.scale[0] ?? 1
    let slope = Float(gain / Self.bound)
    let tensors = [
      Tensor(name: "policy.layer.0.weight", shape: [2, 1], values: [scale, -scale]),
      Tensor(name: "policy.layer.0.bias", shape: [2], values: [0, 0]),
      Tensor(name: "policy.layer.1.weight", shape: [1, 2], values: [-slope, slope]),
      Tensor(name: "policy.layer.1.bias", shape: [1], values: [0]),
    ]
    let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    return try Policy(
      PolicyDescription(
        algorithm: "td3", environment: "Linear-v0", observationSize: 1, hiddenSizes: [2], actionLow: [-10],
        actionHigh: [10], step: 0, normalization: normalization)
    ) { name in
      guard let tensor = byName[name] else { throw MissingTensor() }
      return tensor
    }
  }

  private struct MissingTensor: Error {}

  /// p of V(x) = −p x²:  p = (1 + r k²) / (1 − γ (a − b k)²)
  func valueFactor(gain k: Double) -> Double {
    let closed = task.drift - task.push * k
    return (1 + task.effort * k * k) / (1 - Self.discount * closed * closed)
  }

  /// A(x, u) of u = −k x, from Q(x, u) = −(x² + r u²) − γ p (a x + b u)².
  func advantage(gain k: Double, _ x: Double, _ u: Double) -> Double {
    let p = valueFactor(gain: k)
    let next = task.next(x, u)
    return -task.cost(x, u) - Self.discount * p * next * next + p * x * x
  }

  /// Steps of the given policies with much noise, cut off now and then.
  func data(_ policies: [Policy], steps: Int = 20_000, noise: Double = 0.07) throws -> Dataset {
    try Collector.collect(
      policies.map { .policy($0, drawsActions: false, noise: noise) }, in: environment(limit: 10), of: "Linear-v0",
      steps: steps, seed: 5, source: "noise")
  }

  /// Settings that learn a value of this task well in a few seconds.
  func settings(updates: Int) throws -> PolicyValueSettings {
    let configuration = try FittedQEvaluation.Configuration().setting([
      "discount=0.9", "hiddenSizes=32,32", "batchSize=128", "criticLearningRate=0.001", "targetTracking.soft.rate=0.01",
    ])
    var settings = PolicyValueSettings(configuration: configuration)
    (settings.updates, settings.episodes, settings.drawsActions) = (updates, 200, false)
    return settings
  }
}
