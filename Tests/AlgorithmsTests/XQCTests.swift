import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct XQCTests {
  private static let small = ["policyHiddenSizes=null", "atoms=21"]

  private func make(_ settings: [String] = [], workers: Int = 1, seed: UInt64 = 3) throws -> XQC {
    XQC(
      configuration: try XQC.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + Self.small + settings),
      observationSize: 5, actionSize: 2, seed: seed, workers: WorkerPool(count: workers))
  }

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(XQC.self, Self.small)
    try expectResumable(XQC.self, Self.small + ["policyDelay=1", "targetTracking.hard.every=3", "atoms=5"])
    try expectResumable(XQC.self, Self.small + ["learningRateSchedule.linear.updates=9", "temperature.fixed.value=0"])
  }

  @Test func `a temperature that is not one number is refused`() throws { try expectOneTemperature(XQC.self) }

  @Test func `any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(XQC.self, Self.small)
    try expectSameBitsWithAnyWorkers(XQC.self, Self.small + ["policyDelay=1", "atoms=2"])
    try expectSameBitsWithAnyWorkers(XQC.self, ["maximumGradientNorm=0.1", "hiddenSizes=20,33,17"])
  }

  @Test func `without exploration it acts by tanh of the mean and consumes no randomness`() throws {
    try expectBestGuessIsPure(XQC.self, mean: "policy.mean.bias")
  }

  /// Every tensor of the targets, which have no running statistics, and what it follows.
  private static let targets: [String: String] = {
    var targets: [String: String] = [:]
    for j in 0..<2 {
      targets["target_critic.\(j).layer"] = "critic.\(j).layer"
      // of four hidden layers at most
      for k in 0..<3 {
        for part in ["weight", "bias"] {
          targets["target_critic.\(j).batch_norm.\(k).\(part)"] = "critic.\(j).batch_norm.\(k).\(part)"
        }
      }
    }
    return targets
  }()

  @Test func `targets lag by Polyak's recursion, exactly, without being brought to length 1`() throws {
    try expectPolyakTargets(XQC.self, rate: 0.02, targets: Self.targets) { _ in true }
  }

  @Test func `hard targets are copied at every n-th update and stay in between`() throws {
    // the first shift is no parameter that moves
    try expectHardTargets(XQC.self, targets: Self.targets.filter { !$0.key.hasSuffix("batch_norm.0.bias") })
  }

  @Test func `one batch is learned by heart, but for the noise of its statistics`() throws {
    let xqc = try make(["batchSize=32", "hiddenSizes=64,64", "discount=0", "criticLearningRate=0.003"])
    let batch = exampleBatch(32)
    batch.setDiscounts(0)
    let first = try xqc.update(batch)
    var last = first
    for _ in 0..<600 { last = try xqc.update(batch) }
    // what is left is the entropy of rewards between two values, of 21 values from −5 to 5 the logarithm of 2 at most
    #expect(
      first.criticLoss > 2.5 * 2 && last.criticLoss < 2 * log(2), "from \(first.criticLoss) to \(last.criticLoss)")
  }

  // MARK: the distribution

  @Test func `the target is moved, cut off at its bounds, and ends where the task did`() throws {
    let xqc = try make([
      "batchSize=2", "discount=0.9", "temperature.fixed.value=0.5", "atoms=3", "minimumValue=-1", "maximumValue=3",
    ])
    // policy and critics are constants: probabilities of −1, 1 and 3
    try xqc.setTensors("policy", ["policy.mean.bias": [0.3, -0.2], "policy.log_std.bias": [-0.5, 0.1]])
    func logits(_ p: [Double]) -> [Float] { p.map { Float(log($0)) } }
    // means 1.2 and 0.8: the second is the smaller
    let (larger, smaller) = ([0.2, 0.5, 0.3], [0.3, 0.5, 0.2])
    try xqc.setTensors(
      "target_critic",
      ["target_critic.0.layer.2.bias": logits(larger), "target_critic.1.layer.2.bias": logits(smaller)])
    try xqc.setTensors("critic", [:])
    let batch = exampleBatch(2)
    (batch.rewards[0], batch.rewards[1]) = (0.25, -1.5)
    (batch.terminated[0], batch.terminated[1]) = (0, 1)
    batch.setDiscounts(0.9)
    let noise = UpdateNoise(batchSize: 2, actionSize: 2)
    noise.next.set([0.7, -1.1, 0.2, 0.4])
    var logProbability = 0.0
    for (mean, deviation, e) in [(0.3, -0.5, 0.7), (-0.2, 0.1, -1.1)] {
      let u = mean + exp(deviation) * e
      logProbability += -0.5 * e * e - deviation - 0.5 * log(2 * Double.pi) - log(1 - tanh(u) * tanh(u))
    }
    var means = [0.0, -1]
    for (p, z) in zip(smaller, [-1.0, 1, 3]) {
      means[0] += p * min(max(0.25 + 0.9 * (z - 0.5 * logProbability), -1), 3)
    }
    let metrics = try xqc.update(batch, noise: noise)
    #expect(abs(metrics.targetMean - (means[0] + means[1]) / 2) < 1e-5)
    // a uniform p: whatever the target is, its cross-entropy is log 3, of each critic; two of three values are at the bounds
    #expect(abs(metrics.criticLoss - 2 * log(3)) < 1e-5)
    #expect(abs(metrics.further[2] - 2.0 / 3) < 1e-6)
    #expect(XQC.metrics.further.map(\.name)[2] == "saturated_bins")
  }

  @Test func `its value is the smaller of the critics' means, and a look tells what is at the bounds`() throws {
    let xqc = try make(["atoms=3", "minimumValue=-1", "maximumValue=3"])
    try xqc.setTensors(
      "critic",
      [
        "critic.0.layer.2.bias": [0.2, 0.5, 0.3].map { Float(log($0)) },
        "critic.1.layer.2.bias": [0.3, 0.6, 0.1].map { Float(log($0)) },
      ])
    let (observation, action): ([Float], [Float]) = ([1, 2, 3, 4, 5], [0.5, -0.5])
    #expect(abs(xqc.value(observation.span, action.span) - 0.6) < 1e-6)
    let assessment = xqc.assess(exampleBatch(40))
    #expect(abs(assessment.largestValue - 1.2) < 1e-6 && abs(assessment.saturatedBins - 0.45) < 1e-6)
    #expect(assessment.statisticsLag.isNaN)
  }

  @Test func `a return must have values`() throws {
    for setting in [["minimumValue=5"], ["maximumValue=-5"], ["minimumValue=1", "maximumValue=1"]] {
      let error = #expect(throws: ConfigurationError.self) { try XQC.Configuration().setting(setting) }
      #expect(error?.description.contains("a return may have no value") == true)
    }
    for setting in [["minimumValue=-3e38", "maximumValue=3e38"], ["minimumValue=0", "maximumValue=1e-37"]] {
      let error = #expect(throws: ConfigurationError.self) { try XQC.Configuration().setting(setting) }
      #expect(error?.description.contains("atoms cannot divide") == true)
    }
    // the order in which both are set is no matter
    #expect(try XQC.Configuration().setting(["minimumValue=7", "maximumValue=9"]).minimumValue == 7)
  }

  // MARK: steps

  @Test func `every weight has length 1 after each update, and hidden layers have no bias`() throws {
    let xqc = try make(["policyDelay=2"])
    for n in 1...4 {
      _ = try xqc.update(exampleBatch(40, seed: UInt64(n)))
      for tensor in xqc.parameters where tensor.shape.count == 2 && !tensor.name.hasPrefix("target") {
        for row in 0..<tensor.shape[0] {
          let weights = tensor.values[row * tensor.shape[1]..<(row + 1) * tensor.shape[1]]
          let length = weights.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
          #expect(abs(length - 1) < 1e-6, "\(tensor.name), row \(row) after update \(n)")
        }
      }
    }
    let biases = xqc.parameters.map(\.name).filter { $0.contains("layer") && $0.hasSuffix("bias") }
    #expect(
      Set(biases) == Set(["critic.0", "critic.1", "target_critic.0", "target_critic.1"].map { $0 + ".layer.2.bias" }))
  }

  @Test func `policy and temperature step at every d-th update, the policy's statistics at each`() throws {
    let xqc = try make()
    for n in 1...9 {
      let before = Dictionary(uniqueKeysWithValues: xqc.parameters.map { ($0.name, $0) })
      let metrics = try xqc.update(exampleBatch(40, seed: UInt64(n)))
      let isStep = n % 3 == 0
      for tensor in xqc.parameters where tensor.name.hasPrefix("policy") || tensor.name == "log_temperature" {
        let moves =
          tensor.name.contains("running") || tensor.name.hasSuffix("batches")
          || isStep && tensor.name != "policy.batch_norm.0.bias"
        #expect((before[tensor.name] != tensor) == moves, "\(tensor.name) at update \(n)")
      }
      #expect(metrics.policyLoss.isNaN != isStep && metrics.entropy.isNaN != isStep)
      #expect(metrics.further[0] > 0 && metrics.further[1] > 0)
      #expect(try xqc.tensor("policy.batch_norm.batches") == [Float(n)])
      #expect(try xqc.tensor("critic.0.batch_norm.batches") == [Float(n)])
    }
  }

  @Test func `all rates fall linearly to a tenth over the run's updates`() throws {
    let configuration = XQC.Configuration().lasting(updates: 10)
    #expect(configuration.learningRateSchedule == .linear(final: 0.1, updates: 10))
    // log α steps by its rate as long as its gradient keeps its sign: the policy's entropy is far above this target
    let settings = ["policyDelay=1", "targetEntropy=-1000", "learningRateSchedule.linear.updates=10"]
    let xqc = try make(settings + ["temperatureLearningRate=0.01", "learningRateSchedule.linear.final=0.1"])
    var steps: [Double] = []
    for n in 1...14 {
      let before = Double(try xqc.tensor("log_temperature")[0])
      _ = try xqc.update(exampleBatch(40, seed: UInt64(n)))
      steps.append(abs(Double(try xqc.tensor("log_temperature")[0]) - before))
    }
    for (n, step) in steps.enumerated() {
      #expect(abs(step - 0.01 * (1 - 0.9 * min(1, Double(n) / 10))) < 1e-4, "step \(n + 1): \(step)")
    }
  }

  // counted by hand from the products that an update cannot do without, in MFLOP
  @Test(arguments: [(256, 2303.6341), (512, 7818.3574)])
  func `an update needs at least the counted operations`(units: Int, expected: Double) throws {
    let sizes = [String](repeating: "\(units)", count: 4).joined(separator: ",")
    let configuration = try XQC.Configuration().setting(["hiddenSizes=\(sizes)"])
    let cost = XQC.cost(configuration, observationSize: 17, actionSize: 6)
    #expect(abs(cost.operations / 1e6 - expected) < 1e-3 && cost.period == 3)
    #expect(cost.learned.count == 3 && cost.following.count == 2)
  }
}
