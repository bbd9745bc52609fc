import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct REDQTests {
  private static let targets = ["target_critic": "critic"]
  private static let droq = ["critics=2", "criticDropout=0.1", "criticNormalization=layer", "policyDelay=2"]

  private func make(_ settings: [String] = [], workers: Int = 1, seed: UInt64 = 3) throws -> REDQ {
    REDQ(
      configuration: try REDQ.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + settings),
      observationSize: 5, actionSize: 2, seed: seed, workers: WorkerPool(count: workers))
  }

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(REDQ.self, ["policyDelay=3"])
    try expectResumable(REDQ.self, Self.droq)
    try expectResumable(REDQ.self, ["critics=1", "criticsInTarget=1", "policyDelay=1"])
  }

  @Test func `a temperature that is not one number is refused`() throws { try expectOneTemperature(REDQ.self) }

  @Test func `any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(REDQ.self, ["policyDelay=2"])
    try expectSameBitsWithAnyWorkers(REDQ.self, Self.droq)
    try expectSameBitsWithAnyWorkers(REDQ.self, Self.droq + ["criticDropout=0.5", "criticNormalization=none"])
  }

  @Test func `targets lag by Polyak's recursion, exactly`() throws {
    try expectPolyakTargets(REDQ.self, rate: 0.02, targets: Self.targets) { _ in true }
    try expectPolyakTargets(REDQ.self, Self.droq, rate: 0.02, targets: Self.targets) { _ in true }
  }

  @Test func `hard targets are copied at every n-th update and stay in between`() throws {
    try expectHardTargets(REDQ.self, targets: Self.targets)
  }

  @Test func `one batch is learned by heart`() throws { try expectOverfit(REDQ.self, ["critics=2"]) }

  @Test func `a target cannot have more critics than there are`() throws {
    let error = #expect(throws: ConfigurationError.self) { try REDQ.Configuration().setting(["critics=1"]) }
    #expect(error?.description.contains("criticsInTarget is 2 of 1 critics") == true)
    #expect(try REDQ.Configuration().setting(["critics=1", "criticsInTarget=1"]).critics == 1)
  }

  // MARK: target

  @Test func `a target is the smallest of the critics with the smallest numbers, and the policy sees the mean`() throws
  {
    // constants: Q̄ of critic j is 10 − j, and Q too
    let redq = try make([
      "batchSize=2", "discount=0.5", "temperature.fixed.value=0", "critics=4", "policyDelay=1", "targetTracking=0.5",
    ])
    try redq.setTensors(
      "target_critic",
      Dictionary(uniqueKeysWithValues: (0..<4).map { ("target_critic.\($0).layer.2.bias", [Float(10 - $0)]) }))
    let batch = exampleBatch(2)
    for row in 0..<2 { (batch.rewards[row], batch.terminated[row]) = (1, 0) }
    batch.setDiscounts(0.5)
    for (numbers, smallest) in [([0.1, 0.2, 0.9, 0.8], 9.0), ([0.9, 0.3, -1, 0.4], 8), ([2, 1, 1.5, -3], 7)] {
      let noise = UpdateNoise(batchSize: 2, actionSize: 2, members: 4)
      noise.members.set(numbers.map { Float($0) })
      // the targets move after each update: a new learner for each
      let other = try make([
        "batchSize=2", "discount=0.5", "temperature.fixed.value=0", "critics=4", "policyDelay=1", "targetTracking=0.5",
      ])
      let tensors = Dictionary(uniqueKeysWithValues: redq.parameters.map { ($0.name, $0) })
      try other.loadParameters { try #require(tensors[$0]) }
      #expect(abs(try other.update(batch, noise: noise).targetMean - (1 + 0.5 * smallest)) < 1e-5, "\(numbers)")
    }
  }

  @Test func `every critic is chosen as often as every other`() throws {
    let redq = try make(["batchSize=1", "discount=1", "temperature.fixed.value=0", "critics=5", "criticsInTarget=1"])
    let batch = exampleBatch(1)
    (batch.rewards[0], batch.terminated[0]) = (0, 0)
    batch.setDiscounts(1)
    var counts = [Int](repeating: 0, count: 5)
    for _ in 0..<500 {
      // what the targets are is set anew, so that they stay
      try redq.setTensors(
        "target_critic",
        Dictionary(uniqueKeysWithValues: (0..<5).map { ("target_critic.\($0).layer.2.bias", [Float($0)]) }))
      counts[Int(try redq.update(batch).targetMean.rounded())] += 1
    }
    // 500 draws of a fifth: 100, with a standard deviation of 9
    for count in counts { #expect(abs(count - 100) < 45, "\(counts)") }
  }

  @Test func `policy and temperature step at every d-th update, and the spread is told at each`() throws {
    let redq = try make(["policyDelay=3", "critics=4"])
    for n in 1...9 {
      let (policy, temperature) = (redq.bits("policy"), redq.bits("log_temperature"))
      let metrics = try redq.update(exampleBatch(40, seed: UInt64(n)))
      let isStep = n % 3 == 0
      #expect((redq.bits("policy") != policy) == isStep && (redq.bits("log_temperature") != temperature) == isStep)
      #expect(metrics.policyLoss.isNaN != isStep && metrics.entropy.isNaN != isStep)
      #expect(metrics.further[0] > 0)
    }
  }

  @Test func `critics with the same weights are told to have collapsed, and others not`() throws {
    let redq = try make(["critics=3"])
    #expect(redq.assess(exampleBatch(40)).criticDisagreement > 0.01)
    var same: [String: [Float]] = [:]
    for tensor in redq.parameters where tensor.name.hasPrefix("critic.0.") {
      for j in 0..<3 { same["critic.\(j)." + tensor.name.dropFirst("critic.0.".count)] = tensor.values }
    }
    try redq.setTensors("critic", same)
    #expect(redq.assess(exampleBatch(40)).criticDisagreement == 0)
    #expect(try redq.update(exampleBatch(40)).further[1] == 0)
  }

  // MARK: dropout

  @Test func `dropout changes what is learned, from the first update and with each seed, and no action`() throws {
    func learned(_ settings: [String], seed: UInt64 = 3) throws -> ([[UInt32]], [Float]) {
      let redq = try make(["critics=2"] + settings, seed: seed)
      _ = try redq.update(exampleBatch(40))
      return (redq.bits("critic"), redq.action([1, 2, 3, 4, 5], size: 2, explore: false))
    }
    let plain = try learned([])
    let dropped = try learned(["criticDropout=0.1"])
    #expect(dropped.0 != plain.0 && dropped.1 == plain.1)
    #expect(try learned(["criticDropout=0.1"]).0 == dropped.0)
    #expect(try learned(["criticDropout=0.2"]).0 != dropped.0)
    // a value that somebody asks for drops nothing
    let redq = try make(["critics=2", "criticDropout=0.5"])
    let (observation, action): ([Float], [Float]) = ([1, 2, 3, 4, 5], [0.1, 0.2])
    #expect(redq.value(observation.span, action.span) == redq.value(observation.span, action.span))
  }
}
