import Algorithms
import Kernels
import Networks
import Platform
import Replay
import Testing

private struct TestError: Error { let missing: String }

/// What every registered algorithm must keep. A new one is tested here by its line in the registry.
@Suite struct AlgorithmContractTests {
  static let names = AlgorithmRegistry.standard.entries.map(\.name)

  /// S, and A values or choices.
  static let (observationSize, actionSize) = (5, 3)
  /// Rows that two workers and three share unevenly.
  static let rows = 70

  static func configuration(_ name: String, _ settings: [String] = []) throws -> AnyConfiguration {
    try AlgorithmRegistry.entry(name).defaults.setting(["batchSize=\(rows)", "hiddenSizes=20,33"] + settings)
  }

  func make(_ name: String, _ settings: [String] = [], seed: UInt64 = 3, workers: Int = 1) throws -> any Algorithm {
    try Self.configuration(name, settings).makeAlgorithm(
      observationSize: Self.observationSize, actionSize: Self.actionSize, seed: seed,
      workers: WorkerPool(count: workers))
  }

  func batch(_ name: String, seed: UInt64) throws -> Batch {
    let isDiscrete = try AlgorithmRegistry.entry(name).actions == .discrete
    return exampleBatch(
      Self.rows, observationSize: Self.observationSize, actionSize: Self.actionSize,
      choices: isDiscrete ? Self.actionSize : nil, seed: seed)
  }

  func act(_ algorithm: any Algorithm, seed: UInt64, explore: Bool) -> [Float] {
    algorithm.action(
      numbers(Self.observationSize, seed: seed), size: type(of: algorithm).actions.width(actionSize: Self.actionSize),
      explore: explore)
  }

  // MARK: numbers

  @Test(arguments: names)
  func `two hundred updates leave every number finite, and the metrics that were declared`(name: String) throws {
    let algorithm = try make(name)
    let entry = try AlgorithmRegistry.entry(name)
    let cost = try Self.configuration(name).cost(observationSize: Self.observationSize, actionSize: Self.actionSize)
    var told: Set<String> = []
    for n in 1...200 as ClosedRange<UInt64> {
      let metrics = try algorithm.update(batch(name, seed: n % 8))
      let values = [
        metrics.criticLoss, metrics.policyLoss, metrics.targetMean, metrics.temperature, metrics.entropy,
      ]
      for (metric, value) in zip(Metric.common, values) where !value.isNaN { told.insert(metric.name) }
      for (i, metric) in entry.metrics.further.enumerated() where !metrics.further[i].isNaN { told.insert(metric.name) }
      // what only some updates have comes once in the declared period
      #expect(values[1].isNaN || Int(n) % cost.period == 0, "policy loss at update \(n)")
      for i in entry.metrics.further.count..<UpdateMetrics.furtherLimit { #expect(metrics.further[i].isNaN) }
    }
    #expect(told == Set(entry.metrics.map(\.name)))
    for tensor in algorithm.state.tensors { #expect(tensor.values.allSatisfy { $0.isFinite }, "\(tensor.name)") }
    #expect(algorithm.state.numbers.values.allSatisfy { $0.isFinite })
  }

  @Test(arguments: names, [Float.nan, .infinity, -.infinity])
  func `a reward that is not finite stops the update, which says its number`(name: String, reward: Float) throws {
    let algorithm = try make(name)
    _ = try algorithm.update(batch(name, seed: 1))
    let bad = try batch(name, seed: 2)
    bad.rewards[Self.rows - 1] = reward
    let error = #expect(throws: DivergedUpdate.self) { _ = try algorithm.update(bad) }
    #expect(error?.update == 2 && error?.what == "critic loss")
    #expect(error?.description.hasPrefix("update 2: the critic loss is ") == true)
  }

  @Test(arguments: names)
  func `an action is within its bounds, and the best guess is the same each time`(name: String) throws {
    let algorithm = try make(name)
    algorithm.beginEpisode(lane: 0)
    for seed in 1...40 as ClosedRange<UInt64> {
      let (best, explored) = (act(algorithm, seed: seed, explore: false), act(algorithm, seed: seed, explore: true))
      for value in best + explored {
        if type(of: algorithm).actions == .discrete {
          #expect((0..<Float(Self.actionSize)).contains(value) && value == value.rounded())
        } else {
          #expect((-1...1).contains(value))
        }
      }
      #expect(act(algorithm, seed: seed, explore: false) == best)
    }
  }

  // MARK: the same bits

  @Test(arguments: names)
  func `the same seed gives the same learner, and another seed another`(name: String) throws {
    func learned(_ seed: UInt64) throws -> AlgorithmState {
      let algorithm = try make(name, seed: seed)
      algorithm.beginEpisode(lane: 0)
      for n in 1...4 as ClosedRange<UInt64> {
        _ = act(algorithm, seed: n, explore: true)
        _ = try algorithm.update(batch(name, seed: n))
      }
      return algorithm.state
    }
    #expect(differences(try learned(1), try learned(1)) == [])
    #expect(differences(try learned(1), try learned(2)).contains { $0.hasPrefix("tensor critic") })
  }

  @Test(arguments: names, ["20,33", "130,140"])
  func `any number of threads has the same bits`(name: String, sizes: String) throws {
    func state(_ workers: Int) throws -> AlgorithmState {
      let algorithm = try make(name, ["hiddenSizes=\(sizes)"], workers: workers)
      for n in 1...6 as ClosedRange<UInt64> { _ = try algorithm.update(batch(name, seed: n)) }
      return algorithm.state
    }
    let one = try state(1)
    for workers in 2...4 { #expect(differences(try state(workers), one) == [], "\(workers) workers") }
  }

  @Test(arguments: names)
  func `restored from its state it goes on with the same bits`(name: String) throws {
    let original = try make(name)
    original.beginEpisode(lane: 0)
    for n in 1...5 as ClosedRange<UInt64> {
      _ = act(original, seed: n, explore: true)
      _ = try original.update(batch(name, seed: n))
    }
    // of the same seed, as a run is: the streams' keys are the seed's, and the state has their positions
    let restored = try make(name)
    try restored.restore(original.state)
    #expect(differences(restored.state, original.state) == [])
    for n in 6...10 as ClosedRange<UInt64> {
      #expect(act(original, seed: n, explore: true) == act(restored, seed: n, explore: true))
      _ = try original.update(batch(name, seed: n))
      _ = try restored.update(batch(name, seed: n))
    }
    #expect(differences(restored.state, original.state) == [])
    // the comparison can fail
    _ = try original.update(batch(name, seed: 1))
    #expect(differences(restored.state, original.state) != [])
  }

  @Test(arguments: names)
  func `a state that lacks anything is refused by its name`(name: String) throws {
    let algorithm = try make(name)
    let state = algorithm.state
    for tensor in state.tensors {
      var lacking = state
      lacking.tensors.removeAll { $0.name == tensor.name }
      let error = #expect(throws: MissingState.self, "\(tensor.name)") { try algorithm.restore(lacking) }
      #expect(error?.name == tensor.name)
    }
    for count in state.counts.keys {
      var lacking = state
      lacking.counts[count] = nil
      let error = #expect(throws: MissingState.self, "\(count)") { try algorithm.restore(lacking) }
      #expect(error?.name == count)
    }
    for number in state.numbers.keys {
      var lacking = state
      lacking.numbers[number] = nil
      let error = #expect(throws: MissingState.self, "\(number)") { try algorithm.restore(lacking) }
      #expect(error?.name == number)
    }
  }

  @Test(arguments: names)
  func `looking at it and acting change nothing that is learned`(name: String) throws {
    let (watched, alone) = (try make(name), try make(name))
    for n in 1...4 as ClosedRange<UInt64> {
      _ = act(watched, seed: n, explore: false)
      _ = watched.assess(try batch(name, seed: n + 20))
      let action = [Float](repeating: 0, count: Self.actionSize)
      _ = watched.value(numbers(Self.observationSize, seed: n).span, action.span)
      _ = (watched.state, watched.policyTensors)
      _ = try watched.update(batch(name, seed: n))
      _ = try alone.update(batch(name, seed: n))
    }
    #expect(differences(watched.state, alone.state) == [])
    // a draw moves counts, of its stream and of a schedule of exploration, and nothing else
    _ = act(watched, seed: 1, explore: true)
    #expect(differences(watched.state, alone.state).allSatisfy { $0.hasPrefix("count ") })
  }

  // MARK: what it declares

  @Test(arguments: names)
  func `an update with fresh noise is one with the declared numbers of its stream`(name: String) throws {
    let (fresh, given) = (try make(name), try make(name))
    let draws = try Self.configuration(name).draws(actionSize: Self.actionSize)
    let noise = UpdateNoise(draws)
    var stream = RandomStream(seed: 3, purpose: "update noise")
    for n in 1...4 as ClosedRange<UInt64> {
      if !draws.next.isEmpty { stream.fillNormal(noise.next) }
      if !draws.current.isEmpty { stream.fillNormal(noise.current) }
      if !draws.members.isEmpty { stream.fillNormal(noise.members) }
      _ = try fresh.update(batch(name, seed: n))
      _ = try given.update(batch(name, seed: n), noise: noise)
    }
    #expect(fresh.bits("") == given.bits(""))
  }

  @Test(arguments: names)
  func `its policy's tensors are those of the declared kind and sizes`(name: String) throws {
    let configuration = try Self.configuration(name)
    let tensors = try make(name).policyTensors.filter { $0.name.hasPrefix("policy.") }
    let sizes = configuration.policy.hiddenSizes
    let heads: [String] =
      switch configuration.policy.kind {
      case .squashedGaussian: ["mean", "log_std"]
      case .deterministic, .choosing: ["layer.\(sizes.count)"]
      }
    var expected: [String: [Int]] = [:]
    for (k, size) in sizes.enumerated() {
      expected["policy.layer.\(k).weight"] = [size, k == 0 ? Self.observationSize : sizes[k - 1]]
      expected["policy.layer.\(k).bias"] = [size]
    }
    for head in heads {
      expected["policy.\(head).weight"] = [Self.actionSize, sizes[sizes.count - 1]]
      expected["policy.\(head).bias"] = [Self.actionSize]
    }
    #expect(Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) }) == expected)
    #expect((configuration.policy.kind == .choosing) == (configuration.actions == .discrete))
  }

  @Test(arguments: names)
  func `discrete choices can be counted in one of its tensors`(name: String) throws {
    let configuration = try Self.configuration(name)
    #expect((configuration.choicesTensor != nil) == (configuration.actions == .discrete))
    guard let counted = configuration.choicesTensor else { return }
    #expect(try make(name).tensor(counted).count == Self.actionSize)
  }

  @Test(arguments: names)
  func
    `the declared networks have as many weights as its tensors, where policy and critics have sizes of their own too`(
      name: String
    ) throws
  {
    let has = try AlgorithmRegistry.entry(name).hyperparameters.map(\.name)
    let own = ["policyHiddenSizes=9,8", "criticHiddenSizes=11"].filter { setting in
      has.contains { setting.hasPrefix($0 + "=") }
    }
    for settings in [[], own] {
      let configuration = try Self.configuration(name, settings)
      let cost = configuration.cost(observationSize: Self.observationSize, actionSize: Self.actionSize)
      let weights = try make(name, settings).parameters.filter { $0.shape.count == 2 }
        .reduce(0) { $0 + $1.shape.reduce(1, *) }
      let declared = (cost.learned + cost.following).reduce(0) { sum, network in
        let layers = zip([network.inputs] + network.hidden, network.hidden + [network.outputs])
        return sum + layers.reduce(0) { $0 + $1.0 * $1.1 }
      }
      #expect(declared == weights, "\(settings)")
      #expect(cost.operations > 0 && cost.period > 0)
      let first = try make(name, settings).policyTensors.first { $0.name == "policy.layer.0.bias" }
      #expect(first?.shape == [configuration.policy.hiddenSizes[0]])
    }
  }

  @Test(arguments: names)
  func `its parameters have names of their own and can be loaded back`(name: String) throws {
    let (first, second) = (try make(name), try make(name, seed: 9))
    let tensors = Dictionary(grouping: first.parameters, by: \.name)
    #expect(tensors.values.allSatisfy { $0.count == 1 })
    // fitted Q evaluation asks for tensors that there need not be
    try second.loadParameters { name in
      guard let tensor = tensors[name]?.first else { throw TestError(missing: name) }
      return tensor
    }
    #expect(first.bits("") == second.bits(""))
  }

  @Test(arguments: names)
  func `metrics have a name, a formula and a unit where there is one, hyperparameters a range and a source`(
    name: String
  )
    throws
  {
    let entry = try AlgorithmRegistry.entry(name)
    #expect(entry.metrics.first?.name == "critic_loss" && entry.metrics.allSatisfy { !$0.formula.isEmpty })
    for parameter in entry.hyperparameters { #expect(!parameter.rangeText.isEmpty && !parameter.source.isEmpty) }
    #expect((entry.defaults.collection != nil) == (entry.source == .task))
    #expect(!entry.hyperparameters.contains { $0.name == "randomSteps" } || entry.source == .task)
  }
}
