import Algorithms
import Formats
import Kernels
import Networks
import Platform
import Testing

extension AnyConfiguration {
  /// Units in each hidden layer of the policy, and of each critic, as the algorithm declares them.
  fileprivate var policyHiddenSizes: [Int] { policy.hiddenSizes }
  fileprivate var criticHiddenSizes: [Int] { cost(observationSize: 3, actionSize: 2).learned.last?.hidden ?? [] }
}

@Suite struct OptimizerConfigurationTests {
  /// Everything about optimisers at once, in the middle of a schedule, with gradients above their bound.
  private static let all = [
    "huberThreshold=0.3", "learningRateSchedule.linear.updates=9", "maximumGradientNorm=0.05", "adamBeta1=0.8",
    "adamBeta2=0.99", "adamEpsilon=1e-4",
  ]
  private static let sizes = ["policyHiddenSizes=40", "criticHiddenSizes=17,9,20"]
  private static let names = AlgorithmRegistry.all.map(\.name)
  private static let actorCritics = ["ddpg", "td3", "sac", "tqc", "redq", "sac-discrete", "td3-bc"]
  private static let activations = ["policyActivation=tanh", "criticActivation=silu"]

  /// Those that learn distributions: quantiles by Huber's loss with a threshold of its own, or probabilities by cross-entropy.
  private static let distributional = ["tqc", "xqc"]

  /// All of them that the algorithm has. Losses of distributions have smaller gradients.
  private static func all(of name: String) -> [String] {
    guard distributional.contains(name) else { return all }
    return all.filter { !$0.hasPrefix("huberThreshold") && !$0.hasPrefix("maximumGradientNorm") } + [
      "maximumGradientNorm=1e-4"
    ]
  }

  // MARK: settings

  @Test(arguments: names)
  func `every learner takes the settings of its optimisers`(name: String) throws {
    let configuration = try AlgorithmRegistry.entry(name).defaults.setting(Self.all(of: name))
    #expect(configuration.values["learningRateSchedule"]?["linear"]?["updates"] == .number(9))
    #expect(configuration.values["learningRateSchedule"]?["linear"]?["final"] == .number(name == "xqc" ? 0.1 : 0))
    #expect(configuration.values["maximumGradientNorm"] != .null && configuration.values["huberThreshold"] != .null)
    #expect((configuration.values["huberThreshold"] == nil) == Self.distributional.contains(name))
    #expect(configuration.values["adamEpsilon"] == .number(1e-4))
    #expect(try AlgorithmRegistry.entry(name).configuration(configuration.values).values == configuration.values)
  }

  @Test func `a schedule can be said by its name, in part, or as a whole`() throws {
    func schedule(_ text: String) throws -> LearningRateSchedule {
      try SAC.Configuration().setting([text]).learningRateSchedule
    }
    #expect(try schedule("learningRateSchedule=linear") == .linear(final: 0, updates: nil))
    #expect(try schedule("learningRateSchedule.linear.final=0.1") == .linear(final: 0.1, updates: nil))
    #expect(try schedule("learningRateSchedule.cosine.updates=500") == .cosine(final: 0, updates: 500))
    #expect(
      try schedule(#"learningRateSchedule={"cosine":{"final":0.5,"updates":7}}"#) == .cosine(final: 0.5, updates: 7))
    #expect(try schedule("learningRateSchedule=constant") == .constant)
    for wrong in [
      "learningRateSchedule=exponential", "learningRateSchedule.linear.final=2",
      "learningRateSchedule.linear.updates=0",
      "learningRateSchedule.constant.final=1", "maximumGradientNorm=0", "maximumGradientNorm=-1", "adamBeta1=1",
      "adamBeta2=-0.1", "adamEpsilon=0", "huberThreshold=0", "policyHiddenSizes=0", "policyHiddenSizes=64,null",
      "criticHiddenSizes=",
    ] {
      let error = #expect(throws: ConfigurationError.self, "\(wrong)") { try SAC.Configuration().setting([wrong]) }
      #expect(error?.description.contains("it must be ") == true, "\(wrong)")
    }
  }

  @Test(arguments: actorCritics)
  func `sizes of one kind of network replace those of all, and null brings them back`(name: String) throws {
    let defaults = try AlgorithmRegistry.entry(name).defaults.setting(["hiddenSizes=12,13"])
    #expect(sizes(defaults) == [[12, 13]])
    let own = try defaults.setting(Self.sizes)
    #expect(own.policy.hiddenSizes == [40] && sizes(own) == [[40], [17, 9, 20]])
    #expect(try sizes(own.setting(["policyHiddenSizes=null"])) == [[12, 13], [17, 9, 20]])
    #expect(try sizes(own.setting(["criticHiddenSizes=null"])) == [[40], [12, 13]])

    let algorithm = own.makeAlgorithm(observationSize: 5, actionSize: 2, seed: 1, workers: WorkerPool(count: 1))
    for tensor in algorithm.parameters where tensor.name.hasSuffix(".layer.0.bias") {
      #expect(tensor.shape == (tensor.name.contains("policy") ? [40] : [17]), "\(tensor.name)")
    }
    let count = { (prefix: String) in algorithm.parameters.count { $0.name.hasPrefix(prefix) } }
    #expect(count("critic.0.") == 8 && count("policy.") == (["sac", "tqc", "redq"].contains(name) ? 6 : 4))
  }

  /// The hidden sizes of all learned networks.
  private func sizes(_ configuration: AnyConfiguration) -> Set<[Int]> {
    Set(configuration.cost(observationSize: 5, actionSize: 2).learned.map(\.hidden))
  }

  @Test func `where one network is all there is, its sizes are those of the policy and of the critics`() throws {
    for name in ["dqn", "fqe", "fqe-discrete"] {
      let configuration = try AlgorithmRegistry.entry(name).defaults.setting(["hiddenSizes=7,8"])
      #expect(sizes(configuration) == [[7, 8]])
      #expect(throws: ConfigurationError.self) { try configuration.setting(["policyHiddenSizes=3"]) }
    }
  }

  @Test func `networks of both sizes must fit into memory`() throws {
    let small = try AlgorithmRegistry.entry("sac").defaults.setting(["policyHiddenSizes=8"])
    try small.checkMemory(observationSize: 3, actionSize: 1)
    let huge = [String](repeating: "16384", count: 400).joined(separator: ",")
    for key in ["policyHiddenSizes", "criticHiddenSizes"] {
      #expect(throws: (any Error).self) {
        try small.setting(["\(key)=\(huge)"]).checkMemory(observationSize: 3, actionSize: 1)
      }
    }
  }

  @Test(arguments: names)
  func `a schedule without a number lasts as long as the run`(name: String) throws {
    let defaults = try AlgorithmRegistry.entry(name).defaults
    let lasting = defaults.lasting(updates: 70).values
    if let linear = defaults.values["learningRateSchedule"]?["linear"] {
      #expect(lasting["learningRateSchedule"]?["linear"]?["updates"] == .number(70))
      #expect(lasting["learningRateSchedule"]?["linear"]?["final"] == linear["final"])
    } else {
      #expect(lasting == defaults.values)
    }
    let cosine = try defaults.setting(["learningRateSchedule.cosine.final=0.5"]).lasting(updates: 70)
    #expect(cosine.values["learningRateSchedule"]?["cosine"]?["updates"] == .number(70))
    let own = try defaults.setting(["learningRateSchedule.cosine.updates=7"]).lasting(updates: 70)
    #expect(own.values["learningRateSchedule"]?["cosine"]?["updates"] == .number(7))
  }

  @Test(arguments: actorCritics)
  func `policy and critics have activations of their own, by name or as a case`(name: String) throws {
    let defaults = try AlgorithmRegistry.entry(name).defaults
    #expect(defaults.policy.activation == .relu)
    for text in ["tanh", #"{"tanh":{}}"#, #""tanh""#] {
      let tanh = try defaults.setting(["policyActivation=\(text)"])
      #expect(tanh.policy.activation == .tanh && tanh.values["criticActivation"]?["relu"] != nil)
      #expect(try AlgorithmRegistry.entry(name).configuration(tanh.values).policy.activation == .tanh)
    }
    for wrong in ["policyActivation=gelu", "criticActivation=1", "policyActivation=null", "criticActivation=ReLU"] {
      let error = #expect(throws: ConfigurationError.self, "\(wrong)") { try defaults.setting([wrong]) }
      #expect(error?.description.contains("it must be elu, relu, silu, tanh") == true, "\(wrong)")
    }
    func learned(_ settings: [String]) throws -> (policy: [[UInt32]], critics: [[UInt32]]) {
      let algorithm = try defaults.setting(["hiddenSizes=9", "batchSize=8"] + settings).makeAlgorithm(
        observationSize: 5, actionSize: 2, seed: 4, workers: WorkerPool(count: 1))
      let isDiscrete = type(of: algorithm).actions == .discrete
      // Adam's first step has the size of its rate, whatever the gradient is
      for seed in 1...3 { _ = try algorithm.update(exampleBatch(8, choices: isDiscrete ? 2 : nil, seed: UInt64(seed))) }
      return (algorithm.bits("policy"), algorithm.bits("critic"))
    }
    let plain = try learned([])
    #expect(try learned(["criticActivation=elu"]).critics != plain.critics)
    #expect(try learned(["policyActivation=silu"]).critics != plain.critics)
    // the default, said
    #expect(try learned(["policyActivation=relu", "criticActivation=relu"]).critics == plain.critics)
  }

  @Test func `networks of blocks that keep more than ReLU's numbers count them`() throws {
    func bytes(_ settings: [String]) throws -> Int {
      let configuration = try AlgorithmRegistry.entry("redq").defaults.setting(
        ["hiddenSizes=10", "batchSize=7"] + settings)
      return configuration.cost(observationSize: 3, actionSize: 2).bytes(batchSize: 7)
    }
    let plain = try bytes([])
    // 20 critics: f′ of each unit and row, n and its gradient, what was dropped
    #expect(try bytes(["criticActivation=tanh"]) - plain == 4 * 20 * 7 * 10)
    #expect(try bytes(["criticNormalization=layer"]) - plain == 4 * 20 * 7 * 10 * 3)
    #expect(try bytes(["criticDropout=0.5"]) - plain == 4 * 20 * 7 * 10 * 2)
  }

  // MARK: updates

  @Test func `with everything set, any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(SAC.self, Self.all + Self.sizes)
    try expectSameBitsWithAnyWorkers(TD3.self, Self.all + Self.sizes)
    try expectSameBitsWithAnyWorkers(DDPG.self, Self.all + Self.sizes)
    try expectSameBitsWithAnyWorkers(TD3BC.self, Self.all + Self.sizes)
    try expectSameBitsWithAnyWorkers(DiscreteSAC.self, Self.all + Self.sizes)
    try expectSameBitsWithAnyWorkers(DQN.self, Self.all)
    try expectSameBitsWithAnyWorkers(FittedQEvaluation.self, Self.all + Self.activations)
    try expectSameBitsWithAnyWorkers(SAC.self, Self.activations + ["criticNormalization=layer"])
    try expectSameBitsWithAnyWorkers(TD3.self, Self.activations + ["criticNormalization=layer"])
    try expectSameBitsWithAnyWorkers(DiscreteSAC.self, Self.activations)
  }

  @Test func `restored in the middle of a schedule, it goes on with the same bits`() throws {
    try expectResumable(SAC.self, Self.all + Self.sizes)
    try expectResumable(TD3.self, Self.all + Self.sizes)
    try expectResumable(DDPG.self, Self.all + Self.sizes)
    try expectResumable(TD3BC.self, Self.all + Self.sizes)
    try expectResumable(DiscreteSAC.self, Self.all + Self.sizes)
    try expectResumable(DQN.self, Self.all)
    try expectResumable(FittedQEvaluation.self, Self.all + Self.activations)
    try expectResumable(SAC.self, Self.activations + ["criticNormalization=layer"])
    try expectResumable(TD3BC.self, Self.activations + ["criticNormalization=layer"])
    try expectResumable(DQN.self, ["criticActivation=elu"])
  }

  @Test(arguments: names)
  func `each setting changes what is learned, at the first update or when the schedule has moved`(name: String) throws {
    func learned(_ settings: [String], updates: Int) throws -> [[UInt32]] {
      let entry = try AlgorithmRegistry.entry(name)
      let algorithm = try entry.defaults.setting(["batchSize=8", "hiddenSizes=9"] + settings).makeAlgorithm(
        observationSize: 5, actionSize: 2, seed: 4, workers: WorkerPool(count: 1))
      for seed in 1...updates {
        _ = try algorithm.update(exampleBatch(8, choices: entry.actions == .discrete ? 2 : nil, seed: UInt64(seed)))
      }
      return algorithm.bits("critic")
    }
    for setting in Self.all(of: name) {
      let isSlow = setting.hasPrefix("learningRateSchedule") || setting.hasPrefix("adamBeta")
      #expect(try learned([setting], updates: isSlow ? 3 : 1) != learned([], updates: isSlow ? 3 : 1), "\(setting)")
    }
    #expect(
      try learned(["learningRateSchedule.linear.updates=9"], updates: 1) == learned([], updates: 1),
      "the first update has the whole rate")
  }

  @Test(arguments: ["ddpg", "td3", "sac", "td3-bc"], [1, 2])
  func `gradients whose norm is not finite stop training instead of becoming zero`(name: String, threads: Int) throws {
    let algorithm = try AlgorithmRegistry.entry(name).defaults.setting(
      ["batchSize=8", "hiddenSizes=64", "maximumGradientNorm=1"]
    ).makeAlgorithm(observationSize: 3, actionSize: 2, seed: 5, workers: WorkerPool(count: threads))
    let batch = exampleBatch(8, observationSize: 3, actionSize: 2)
    batch.rewards[3] = 3e38
    let error = #expect(throws: DivergedUpdate.self) { _ = try algorithm.update(batch) }
    #expect(error?.what == "next parameter of the \(name == "ddpg" ? "critic" : "critics")")
  }

  /// The delayed policy's rate is that of the update, not of its own steps.
  @Test func `at the end of a schedule the policy stands still, whatever its delay`() throws {
    for (name, settings) in [("td3", ["policyDelay=3"]), ("td3-bc", ["policyDelay=3"]), ("ddpg", []), ("sac", [])] {
      let algorithm = try AlgorithmRegistry.entry(name).defaults.setting(
        ["batchSize=8", "hiddenSizes=9", "learningRateSchedule.linear.updates=6"] + settings
      ).makeAlgorithm(observationSize: 5, actionSize: 2, seed: 4, workers: WorkerPool(count: 1))
      for seed in 1...6 as ClosedRange<UInt64> { _ = try algorithm.update(exampleBatch(8, seed: seed)) }
      let (policy, critics) = (algorithm.bits("policy"), algorithm.bits("critic"))
      for seed in 7...12 as ClosedRange<UInt64> { _ = try algorithm.update(exampleBatch(8, seed: seed)) }
      #expect(algorithm.bits("policy") == policy && algorithm.bits("critic") == critics, "\(name)")
    }
  }
}
