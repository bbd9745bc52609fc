// FiniteState.swift — looks at every number of a state before it is saved.

import Algorithms
import Networks

extension TrainerState {
  /// What is not finite in it, if anything: "NAME[i] is nan".
  var firstNonFinite: String? {
    for tensor in algorithm.tensors {
      // a temperature that is fixed at 0 has the logarithm −∞
      if tensor.name == "log_temperature" && tensor.values.allSatisfy({ $0 == -.infinity }) { continue }
      if let place = tensor.firstNonFinite { return place }
    }
    // the logarithm again
    for (name, value) in algorithm.numbers.sorted(by: { $0.key < $1.key }) where !value.isFinite && value != -.infinity
    {
      return "\(name) is \(value)"
    }
    for (name, values) in normalization.sorted(by: { $0.key < $1.key }) {
      if let place = Self.firstNonFinite(values, name) { return place }
    }
    for (name, value) in sampler.numbers.sorted(by: { $0.key < $1.key }) where !value.isFinite {
      return "sampler.\(name) is \(value)"
    }
    for (name, values) in sampler.arrays.sorted(by: { $0.key < $1.key }) {
      if let place = Self.firstNonFinite(values, "sampler.\(name)") { return place }
    }
    return firstNonFiniteOfLanes ?? firstNonFiniteOfRecords
  }

  private var firstNonFiniteOfLanes: String? {
    for (n, lane) in lanes.enumerated() {
      let name = lanes.count == 1 ? "observation" : "observation of environment \(n)"
      let tensor = Tensor(name: name, shape: [lane.observation.count], values: lane.observation)
      if let place = tensor.firstNonFinite { return place }
      if !lane.episodeReturn.isFinite { return "return of the episode in environment \(n) is \(lane.episodeReturn)" }
    }
    for (n, environment) in environments.enumerated() {
      if let i = environment?.values.firstIndex(where: { !$0.isFinite }) {
        return "value \(i) of the state of environment \(n) is \(environment?.values[i] ?? .nan)"
      }
    }
    return nil
  }

  /// What was measured. NaN where there is no such number, −∞ for the best return of no evaluation.
  private var firstNonFiniteOfRecords: String? {
    if bestReturn.isNaN || bestReturn == .infinity { return "best_return is \(bestReturn)" }
    if metrics.temperature.isInfinite { return "metrics.temperature is \(metrics.temperature)" }
    if !health.largestReward.isFinite { return "health.largest_reward is \(health.largestReward)" }
    if let n = health.predicted.firstIndex(where: \.isInfinite) {
      return "lane.predicted_value[\(n)] is \(health.predicted[n])"
    }
    let columns = [
      ("metrics.sums", metrics.sums), ("metrics.counts", metrics.counts), ("health.predictions", health.predictions),
      ("health.outcomes", health.outcomes), ("lane.outcome", health.outcome), ("lane.discount_power", health.weight),
    ]
    return columns.lazy.compactMap { Self.firstNonFinite($0.1, $0.0) }.first
  }

  private static func firstNonFinite(_ values: [Double], _ name: String) -> String? {
    values.firstIndex { !$0.isFinite }.map { "\(name)[\($0)] is \(values[$0])" }
  }
}
