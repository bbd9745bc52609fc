// Examples.swift — what the algorithms' tests share: batches, states as bits, and actions.

import Algorithms
import Formats
import Kernels
import Networks
import Platform
import Replay
import Testing

/// `count` numbers in [−1, 1), the same for the same seed.
func numbers(_ count: Int, seed: UInt64) -> [Float] {
  var stream = RandomStream(seed: seed, purpose: "test")
  return (0..<count).map { _ in 2 * stream.uniform() - 1 }
}

/// A batch of made-up transitions; every fifth ended. With `choices` its actions are indices (B × 1).
func exampleBatch(
  _ count: Int, observationSize: Int = 5, actionSize: Int = 2, choices: Int? = nil, seed: UInt64 = 1
) -> Batch {
  let actionSize = choices == nil ? actionSize : 1
  let batch = Batch(count: count, observationSize: observationSize, actionSize: actionSize)
  let (s, a) = (observationSize, actionSize)
  let (x, y) = (numbers(count * s, seed: seed), numbers(count * s, seed: seed + 100))
  let (actions, rewards) = (numbers(count * a, seed: seed + 200), numbers(count, seed: seed + 300))
  for row in 0..<count {
    batch.observations.setRow(row, to: x.span.extracting(row * s..<(row + 1) * s))
    batch.nextObservations.setRow(row, to: y.span.extracting(row * s..<(row + 1) * s))
    batch.actions.setRow(row, to: actions.span.extracting(row * a..<(row + 1) * a))
    if let choices { batch.actions[row, 0] = ((actions[row] + 1) / 2 * Float(choices)).rounded(.down) }
    batch.rewards[row] = rewards[row]
    batch.terminated[row] = row % 5 == 4 ? 1 : 0
  }
  batch.setDiscounts(0.99)
  return batch
}

extension Algorithm {
  /// The action for an observation, by itself.
  func action(_ observation: [Float], size: Int, explore: Bool) -> [Float] {
    var action = [Float](repeating: 0, count: size)
    var span = action.mutableSpan
    act(observation.span, explore: explore, into: &span)
    return action
  }

  func tensor(_ name: String) throws -> [Float] {
    try #require(parameters.first { $0.name == name }, "no \(name)").values
  }

  /// Makes the tensors whose names begin so all zero but for the given ones.
  func setTensors(_ prefix: String, _ values: [String: [Float]]) throws {
    let tensors = parameters.map { tensor in
      guard tensor.name.hasPrefix(prefix) else { return tensor }
      let zeros = [Float](repeating: 0, count: tensor.values.count)
      return Tensor(name: tensor.name, shape: tensor.shape, values: values[tensor.name] ?? zeros)
    }
    try loadParameters { name in
      try #require(tensors.first { $0.name == name }, "no \(name)")
    }
  }

  /// The tensors whose names begin so, as bits.
  func bits(_ prefix: String) -> [[UInt32]] {
    parameters.filter { $0.name.hasPrefix(prefix) }.map { $0.values.map(\.bitPattern) }
  }
}

extension AlgorithmState {
  /// Everything as bits: equal where NaN equals NaN, and zero is not minus zero.
  var bits: [String: [UInt64]] {
    var result: [String: [UInt64]] = [:]
    for tensor in tensors { result["tensor " + tensor.name] = tensor.values.map { UInt64($0.bitPattern) } }
    for (name, value) in numbers { result["number " + name] = [value.bitPattern] }
    for (name, value) in counts { result["count " + name] = [value] }
    return result
  }
}

// MARK: what must be true of every algorithm

/// A learned temperature is one number: none must not become α = 1, nor the first of several be taken.
func expectOneTemperature<A: Algorithm>(_: A.Type) throws {
  let algorithm = A(
    configuration: try A.Configuration().setting(["batchSize=4", "hiddenSizes=4"]), observationSize: 3, actionSize: 2,
    seed: 1, workers: WorkerPool(count: 1))
  for values in [[], [0.5, 0.25]] as [[Float]] {
    let error = #expect(throws: TensorMismatch.self) {
      try algorithm.loadParameters { name in
        let tensor = try #require(algorithm.parameters.first { $0.name == name })
        return name == "log_temperature" ? Tensor(name: name, shape: [values.count], values: values) : tensor
      }
    }
    #expect(error?.description == "log_temperature has \(values.count) values, it needs 1")
  }
}

/// The names of what differs between two states; empty where they are the same bits.
func differences(_ first: AlgorithmState, _ second: AlgorithmState) -> [String] {
  let (first, second) = (first.bits, second.bits)
  return Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }.sorted()
}

/// Small networks and batches of 70 rows, so that workers share them unevenly.
private func make<A: Algorithm>(
  _ type: A.Type, _ settings: [String] = [], workers: Int = 1, seed: UInt64 = 3
) throws -> A {
  let configuration = try A.Configuration().setting(["batchSize=70", "hiddenSizes=20,33"] + settings)
  return A(
    configuration: configuration, observationSize: 5, actionSize: 2, seed: seed, workers: WorkerPool(count: workers))
}

/// A batch with the actions of an algorithm made for two of them.
private func example<A: Algorithm>(_ type: A.Type, _ count: Int, seed: UInt64 = 1) -> Batch {
  exampleBatch(count, choices: A.actions == .discrete ? 2 : nil, seed: seed)
}

/// An algorithm restored from a state goes on with the same bits as the one that the state is of.
func expectResumable<A: Algorithm>(_ type: A.Type, _ settings: [String] = []) throws {
  let original = try make(A.self, settings)
  original.beginEpisode(lane: 0)
  for seed in 1...5 as ClosedRange<UInt64> {
    _ = original.action(numbers(5, seed: seed), size: A.actions.width(actionSize: 2), explore: true)
    _ = try original.update(example(A.self, 70, seed: seed))
  }
  let restored = try make(A.self, settings)
  try restored.restore(original.state)
  #expect(differences(restored.state, original.state) == [])
  for seed in 6...12 as ClosedRange<UInt64> {
    let observation = numbers(5, seed: seed)
    #expect(
      original.action(observation, size: A.actions.width(actionSize: 2), explore: true)
        == restored.action(observation, size: A.actions.width(actionSize: 2), explore: true))
    _ = try original.update(example(A.self, 70, seed: seed))
    _ = try restored.update(example(A.self, 70, seed: seed))
    #expect(differences(restored.state, original.state) == [], "update \(seed)")
  }
  // the comparison can fail
  _ = try original.update(example(A.self, 70))
  #expect(differences(restored.state, original.state) != [])
}

/// A state that lacks anything is refused by the name of what is missing.
func expectIncompleteStatesRefused<A: Algorithm>(_ type: A.Type) throws {
  let algorithm = try make(A.self)
  let state = algorithm.state
  for tensor in state.tensors {
    var lacking = state
    lacking.tensors.removeAll { $0.name == tensor.name }
    let error = #expect(throws: MissingState.self) { try algorithm.restore(lacking) }
    #expect(error?.name == tensor.name)
  }
  for name in state.counts.keys {
    var lacking = state
    lacking.counts[name] = nil
    let error = #expect(throws: MissingState.self) { try algorithm.restore(lacking) }
    #expect(error?.name == name)
  }
  for name in state.numbers.keys {
    var lacking = state
    lacking.numbers[name] = nil
    let error = #expect(throws: MissingState.self) { try algorithm.restore(lacking) }
    #expect(error?.name == name)
  }
}

/// Any number of workers takes updates to the same bits.
func expectSameBitsWithAnyWorkers<A: Algorithm>(_ type: A.Type, _ settings: [String] = []) throws {
  func state(_ workers: Int) throws -> AlgorithmState {
    let algorithm = try make(A.self, settings, workers: workers)
    for seed in 1...6 as ClosedRange<UInt64> { _ = try algorithm.update(example(A.self, 70, seed: seed)) }
    return algorithm.state
  }
  let one = try state(1)
  for workers in 2...4 { #expect(differences(try state(workers), one) == [], "\(workers) workers") }
}

/// The best guess is tanh of the policy's mean, the same each time, and consumes nothing.
func expectBestGuessIsPure<A: Algorithm>(_ type: A.Type, mean: String) throws {
  let algorithm = try make(A.self)
  try algorithm.setTensors("policy", [mean: [0.5, -1.25]])
  let before = algorithm.state
  for seed in 1...3 as ClosedRange<UInt64> {
    let action = algorithm.action(numbers(5, seed: seed), size: 2, explore: false)
    #expect(abs(action[0] - 0.462_117_16) < 1e-6 && abs(action[1] + 0.848_283_64) < 1e-6)
  }
  #expect(differences(algorithm.state, before) == [])
  _ = algorithm.action(numbers(5, seed: 1), size: 2, explore: true)
  #expect(differences(algorithm.state, before).contains("count acting_stream"))
}

/// After each update, θ̄ is exactly θ̄ + τ (θ − θ̄) where the targets move, and as it was elsewhere.
func expectPolyakTargets<A: Algorithm>(
  _ type: A.Type, _ settings: [String] = [], rate: Float, targets: [String: String], movesAt: (Int) -> Bool
) throws {
  let algorithm = try make(A.self, ["targetTracking.soft.rate=\(rate)"] + settings)
  for (target, online) in targets { #expect(algorithm.bits(target) == algorithm.bits(online), "at the start") }
  for n in 1...6 {
    var before: [String: [Float]] = [:]
    for tensor in algorithm.parameters { before[tensor.name] = tensor.values }
    _ = try algorithm.update(example(A.self, 70, seed: UInt64(n)))
    for (target, online) in targets {
      for tensor in algorithm.parameters where tensor.name.hasPrefix(target) {
        let followed = try algorithm.tensor(online + tensor.name.dropFirst(target.count))
        let old = try #require(before[tensor.name])
        let expected = zip(old, followed).map { movesAt(n) ? $0.addingProduct(rate, $1 - $0) : $0 }
        #expect(tensor.values == expected, "\(tensor.name) after update \(n)")
      }
    }
  }
}

/// Hard targets are exact copies at every n-th update and still in between.
func expectHardTargets<A: Algorithm>(
  _ type: A.Type, _ settings: [String] = [], targets: [String: String]
) throws {
  let algorithm = try make(A.self, ["targetTracking.hard.every=3"] + settings)
  for n in 1...7 {
    let before = targets.keys.map { ($0, algorithm.bits($0)) }
    _ = try algorithm.update(example(A.self, 70, seed: UInt64(n)))
    for (target, bits) in before {
      #expect((algorithm.bits(target) == algorithm.bits(targets[target]!)) == (n % 3 == 0), "\(target), update \(n)")
      #expect((algorithm.bits(target) == bits) == (n % 3 != 0), "\(target), update \(n)")
    }
  }
}

/// A reward that is not finite stops training with an error that names the update.
func expectDivergenceReported<A: Algorithm>(_ type: A.Type) throws {
  for reward in [Float.nan, .infinity, -.infinity] {
    let algorithm = try make(A.self)
    _ = try algorithm.update(example(A.self, 70))
    let batch = example(A.self, 70)
    batch.rewards[69] = reward
    let error = #expect(throws: DivergedUpdate.self) { _ = try algorithm.update(batch) }
    #expect(error?.update == 2 && error?.what == "critic loss")
    #expect(error?.description.hasPrefix("update 2: the critic loss is ") == true)
  }
}

/// With targets that stay, one batch is learned by heart.
func expectOverfit<A: Algorithm>(_ type: A.Type, _ settings: [String] = []) throws {
  let algorithm = try make(
    A.self, ["batchSize=32", "hiddenSizes=64,64", "discount=0", "criticLearningRate=0.003"] + settings)
  let batch = example(A.self, 32)
  batch.setDiscounts(0)
  let first = try algorithm.update(batch).criticLoss
  var last = first
  for _ in 0..<600 { last = try algorithm.update(batch).criticLoss }
  #expect(first > 0.1 && last < 1e-3 * first, "from \(first) to \(last)")
}
