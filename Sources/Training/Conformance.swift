// Conformance.swift — given updates from given weights, so that anybody can hold an algorithm against another program.

import Algorithms
import Formats
import Networks
import Platform
import Replay

/// A conformance case that cannot be run.
public struct ConformanceError: Error, CustomStringConvertible {
  /// What is wrong with the case, in one line.
  public let description: String
}

/// Runs given updates from given weights, to be compared with another program.
public enum Conformance {
  /// Runs a case's N updates and returns all parameters, losses and temperatures under the same names.
  ///
  /// Beside them `td_errors` [N, B], |Q − y| as the mean over the critics.
  ///
  /// Names and shapes: `batch.…` [N, B, …], `noise.next` and `noise.current` [N, B, A], weights [out, in]; with the score
  /// function's K draws `noise.current` is [N, K, B, A]. Where an algorithm chooses among J critics, `noise.members` is [N, J].
  ///
  /// - Parameter algorithms: where the case's algorithm is looked for.
  public static func run(
    _ file: SafeTensors, threads: Int, algorithms: AlgorithmRegistry = .standard
  ) throws -> SafeTensors {
    guard let name = file.metadata["algorithm"] else {
      throw ConformanceError(description: "the case's metadata names no algorithm: add \"algorithm\", such as \"sac\"")
    }
    let text = file.metadata["configuration"] ?? "{}"
    guard let values = try? JSONValue(text: text) else {
      throw ConformanceError(description: "the case's configuration is not JSON: \(text)")
    }
    let shape = try file.shape("batch.observations")
    let actionShape = try file.shape("batch.actions")
    guard shape.count == 3, actionShape.count == 3, Array(actionShape.prefix(2)) == Array(shape.prefix(2)),
      shape.allSatisfy({ $0 > 0 }), actionShape[2] > 0
    else {
      throw ConformanceError(
        description: "batch.observations \(shape) and batch.actions \(actionShape) must be [N, B, S] and [N, B, A]")
    }
    let (count, rows, observationSize, actionWidth) = (shape[0], shape[1], shape[2], actionShape[2])
    let configuration = try algorithms.entry(name).configuration(values).setting(["batchSize=\(rows)"])
      .lasting(updates: count)
    let actionSize = try actionSize(of: file, configuration, width: actionWidth)
    try configuration.checkMemory(observationSize: observationSize, actionSize: actionSize)
    let algorithm = configuration.makeAlgorithm(
      observationSize: observationSize, actionSize: actionSize, seed: 0, workers: WorkerPool(count: threads))
    try algorithm.loadParameters { name in
      Tensor(name: name, shape: try file.shape(name), values: try file.floats(name))
    }

    func floats(_ name: String, _ expected: [Int]) throws -> [Float] {
      let shape = try file.shape(name)
      guard shape == expected else {
        throw ConformanceError(description: "\(name) has shape \(shape), expected \(expected)")
      }
      return try file.floats(name)
    }
    let observations = try floats("batch.observations", [count, rows, observationSize])
    let actions = try floats("batch.actions", [count, rows, actionWidth])
    if configuration.actions == .discrete,
      let wrong = actions.first(where: { $0.rounded() != $0 || !(0..<Float(actionSize)).contains($0) })
    {
      throw ConformanceError(
        description: "batch.actions holds \(wrong): a discrete action is a whole number from 0 to \(actionSize - 1)")
    }
    let rewards = try floats("batch.rewards", [count, rows])
    let nextObservations = try floats("batch.next_observations", [count, rows, observationSize])
    // γⁿ (1 − d) where the case gives it, else γ (1 − d)
    let discounts = try file.contains("batch.discounts") ? floats("batch.discounts", [count, rows]) : nil
    let terminated =
      try discounts == nil || file.contains("batch.terminated")
      ? floats("batch.terminated", [count, rows]) : nil
    let weights = try file.contains("batch.weights") ? floats("batch.weights", [count, rows]) : nil
    let draws = configuration.draws(actionSize: actionSize)
    func noiseValues(_ name: String, _ shape: [Int]) throws -> [Float]? {
      guard file.contains(name) else { return nil }
      // what the algorithm does not draw is looked at all the same
      let values = try floats(name, [count] + (shape.isEmpty ? [rows, actionWidth] : shape))
      return shape.isEmpty ? nil : values
    }
    let nextNoise = try noiseValues("noise.next", draws.next)
    let currentNoise = try noiseValues("noise.current", draws.current)
    let memberNoise = draws.members.isEmpty ? nil : try floats("noise.members", [count] + draws.members)

    let batch = Batch(count: rows, observationSize: observationSize, actionSize: actionWidth)
    let noise = UpdateNoise(draws)
    var criticLosses: [Float] = []
    var policyLosses: [Float] = []
    var temperatures: [Float] = []
    var errors: [Float] = []
    let further = configuration.metrics.further
    var furtherValues = [[Float]](repeating: [], count: further.count)
    for n in 0..<count {
      for row in 0..<rows {
        let at = n * rows + row
        batch.observations.setRow(
          row, to: observations.span.extracting((at * observationSize)..<((at + 1) * observationSize)))
        batch.actions.setRow(row, to: actions.span.extracting((at * actionWidth)..<((at + 1) * actionWidth)))
        batch.nextObservations.setRow(
          row, to: nextObservations.span.extracting((at * observationSize)..<((at + 1) * observationSize)))
        batch.rewards[row] = rewards[at]
        if let terminated { batch.terminated[row] = terminated[at] }
        if let weights { batch.weights[row] = weights[at] }
      }
      batch.setDiscounts(configuration.returns.discount)
      if let discounts { batch.discounts.set(Array(discounts[(n * rows)..<((n + 1) * rows)])) }
      func noises(_ size: Int) -> Range<Int> { (n * size)..<((n + 1) * size) }
      if let nextNoise { noise.next.set(Array(nextNoise[noises(noise.next.count)])) }
      if let currentNoise { noise.current.set(Array(currentNoise[noises(noise.current.count)])) }
      if let memberNoise { noise.members.set(Array(memberNoise[noises(noise.members.count)])) }
      let metrics = try algorithm.update(batch, noise: noise)
      criticLosses.append(Float(metrics.criticLoss))
      policyLosses.append(Float(metrics.policyLoss))
      temperatures.append(Float(metrics.temperature))
      errors += batch.errors.values(0..<rows)
      for i in further.indices { furtherValues[i].append(Float(metrics.further[i])) }
    }

    var result = SafeTensors()
    result.metadata = ["algorithm": name, "configuration": configuration.values.text()]
    for tensor in algorithm.parameters { result.add(tensor.name, floats: tensor.values, shape: tensor.shape) }
    result.add("critic_loss", floats: criticLosses, shape: [count])
    result.add("policy_loss", floats: policyLosses, shape: [count])
    result.add("td_errors", floats: errors, shape: [count, rows])
    if !temperatures.allSatisfy(\.isNaN) { result.add("temperature", floats: temperatures, shape: [count]) }
    for (metric, values) in zip(further, furtherValues) { result.add(metric.name, floats: values, shape: [count]) }
    return result
  }

  /// A: the width of a continuous action, or for discrete ones what the tensor says that the algorithm names.
  private static func actionSize(of file: SafeTensors, _ configuration: AnyConfiguration, width: Int) throws -> Int {
    guard configuration.actions == .discrete else { return width }
    guard width == 1 else {
      throw ConformanceError(description: "batch.actions has \(width) columns: a discrete action is one, its index")
    }
    guard let last = configuration.choicesTensor else {
      throw ConformanceError(description: "the algorithm names no tensor with as many values as there are choices")
    }
    let shape = try file.shape(last)
    guard shape.count == 1, shape[0] > 0 else {
      throw ConformanceError(description: "\(last) has shape \(shape), expected [A], the number of choices")
    }
    return shape[0]
  }
}
