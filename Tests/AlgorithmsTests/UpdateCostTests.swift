import Algorithms
import Kernels
import Platform
import Testing

@Suite struct UpdateCostTests {
  /// The formula of version 0.1.0, which knew all algorithms by name: one size for all networks.
  static func reference(
    _ algorithm: String, batch: Int, observations: Int, actions: Int, hidden: [Int], policyDelay: Int,
    doubleQ: Bool = false, criticCount: Double? = nil, samples: Double? = nil
  ) -> Double {
    let b = 2.0 * Double(batch)
    let sizes = hidden.map(Double.init)
    let inner = zip(sizes, sizes.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    let (s, a, first, last) = (Double(observations), Double(actions), sizes[0], sizes[sizes.count - 1])
    if algorithm == "dqn" || algorithm == "sac-discrete" {
      let (forward, all) = (b * (s * first + inner + a * last), b * (inner + a * last))
      let step = forward + b * (s * first + inner + last) + b * (inner + last)
      return algorithm == "dqn" ? (doubleQ ? 2 : 1) * forward + step : 3 * forward + 2 * step + 4 * forward + all
    }
    let heads = algorithm == "sac" || algorithm == "fqe" ? 2 * a : a
    let critic = b * ((s + a) * first + inner + last)
    let policy = b * (s * first + inner + heads * last)
    let criticInputs = b * (inner + last)
    let policyInputs = b * (inner + heads * last)
    let toActions = b * a * first
    let critics = criticCount ?? (algorithm == "ddpg" ? 1.0 : 2.0)
    let target = policy + critics * critic
    let criticStep = critics * (2 * critic + criticInputs)
    if algorithm == "fqe" { return target + criticStep }
    let through = algorithm == "sac" ? 2.0 : 1.0
    let throughCritics = samples.map { $0 * through * critic } ?? through * (critic + criticInputs + toActions)
    let policyStep = 2 * policy + policyInputs + throughCritics
    return target + criticStep + policyStep / Double(algorithm.hasPrefix("td3") ? policyDelay : 1)
  }

  static func operations(
    _ algorithm: String, _ settings: [String] = [], batch: Int, observations: Int, actions: Int, hidden: [Int]
  ) throws -> Double {
    let sizes = hidden.map(String.init).joined(separator: ",")
    return try AlgorithmRegistry.entry(algorithm).defaults.setting(
      ["batchSize=\(batch)", "hiddenSizes=\(sizes)"] + settings
    )
    .cost(observationSize: observations, actionSize: actions).operations
  }

  @Test(
    arguments: [
      ("ddpg", []), ("td3", []), ("td3", ["policyDelay=3"]), ("td3", ["policyDelay=1"]), ("td3-bc", ["policyDelay=7"]),
      ("sac", []), ("sac", ["policyGradient.scoreFunction.samples=6"]), ("dqn", ["doubleQ=true"]),
      ("dqn", ["doubleQ=false"]), ("sac-discrete", []), ("fqe", []), ("fqe", ["critics=5"]),
    ] as [(String, [String])],
    [[256, 256], [64, 64], [40], [300, 200, 100]])
  func `operations are those that version 0.1.0 counted, to the last digit`(
    algorithm: (name: String, settings: [String]), hidden: [Int]
  ) throws {
    let values = Dictionary(
      uniqueKeysWithValues: algorithm.settings.map { setting in
        let parts = setting.split(separator: "=").map(String.init)
        return (parts[0], parts[1])
      })
    for (s, a, rows) in [(17, 6, 256), (3, 1, 100), (348, 17, 37)] {
      let expected = Self.reference(
        algorithm.name, batch: rows, observations: s, actions: a, hidden: hidden,
        policyDelay: values["policyDelay"].flatMap { Int($0) } ?? 2, doubleQ: values["doubleQ"] == "true",
        criticCount: algorithm.name == "fqe" ? values["critics"].flatMap { Double($0) } ?? 4 : nil,
        samples: values["policyGradient.scoreFunction.samples"].flatMap { Double($0) })
      let counted = try Self.operations(
        algorithm.name, algorithm.settings, batch: rows, observations: s, actions: a, hidden: hidden)
      #expect(counted == expected, "S \(s), A \(a), B \(rows)")
    }
  }

  // MFLOP per update at batch 256 and 256, 256 units, counted by hand from the products that each update cannot do without
  @Test(arguments: [
    ("sac", 11, 3, 561), ("td3", 11, 3, 403), ("ddpg", 11, 3, 350), ("sac", 17, 6, 577), ("td3", 17, 6, 414),
    ("ddpg", 17, 6, 359), ("sac", 105, 8, 709), ("td3", 105, 8, 514), ("ddpg", 105, 8, 442), ("sac", 348, 17, 1080),
    ("td3", 348, 17, 796), ("ddpg", 348, 17, 676),
  ])
  func `an update needs at least the counted operations`(algorithm: String, s: Int, a: Int, expected: Double) throws {
    let flops = try Self.operations(algorithm, batch: 256, observations: s, actions: a, hidden: [256, 256])
    #expect(abs(flops / 1e6 - expected) <= 0.6)
  }

  @Test func `the pendulum's small networks too`() throws {
    for (algorithm, expected) in [("sac", 13.9), ("td3", 10.0), ("ddpg", 8.7)] {
      let flops = try Self.operations(algorithm, batch: 100, observations: 3, actions: 1, hidden: [64, 64])
      #expect(abs(flops / 1e6 - expected) <= 0.06)
    }
  }

  // forward F = 2 B (S H + H² + A H) = 35.1; back through one action 2 B (S H + 2 H² + 2 H) = 68.4, through all 69.7:
  // DQN 2 F + 68.4, double one F more; discrete SAC 3 F, 2 (F + 68.4), 3 F + 69.7
  @Test(
    arguments: [("dqn", ["doubleQ=false"], 138.7), ("dqn", ["doubleQ=true"], 173.8), ("sac-discrete", [], 487.5)]
      as [(String, [String], Double)]
  )
  func `an update of discrete actions needs at least the counted operations`(
    algorithm: String, settings: [String], expected: Double
  ) throws {
    let flops = try Self.operations(algorithm, settings, batch: 256, observations: 8, actions: 4, hidden: [256, 256])
    #expect(abs(flops / 1e6 - expected) <= 0.6)
  }

  @Test func `TD3's policy step is shared by the updates of its delay`() throws {
    func flops(_ delay: Int) throws -> Double {
      try Self.operations(
        "td3", ["policyDelay=\(delay)"], batch: 256, observations: 17, actions: 6, hidden: [256, 256])
    }
    let step = try flops(1) - flops(2)
    #expect(try step > 0 && abs(flops(1) - flops(4) - 1.5 * step) < 1)
    let cost = try AlgorithmRegistry.entry("td3").defaults.setting(["policyDelay=4"])
    #expect(cost.cost(observationSize: 17, actionSize: 6).period == 4)
  }

  // one layer of 10 units, 3 inputs, 2 outputs, 7 rows: 50 weights, 70 values of units
  @Test func `memory counts five numbers a learned weight, and one that follows`() {
    let network = NetworkSize(inputs: 3, hidden: [10], outputs: 2)
    let cost = UpdateCost(operations: 0, learned: [network, network], following: [network], numbers: 11)
    #expect(cost.bytes(batchSize: 7) == 4 * (2 * (5 * 50 + 2 * 70) + 50 + 70 + 11) + 6 * 7 * 10)
  }

  @Test func `passes of a network cost two operations for each weight and row`() {
    let network = NetworkSize(inputs: 3, hidden: [10, 20], outputs: 2)
    #expect(network.forward(rows: 7) == 2 * 7 * (30 + 200 + 40))
    #expect(network.backward(rows: 7) == 2 * 7 * (200 + 40))
    #expect(network.backwardToInputs(2, rows: 7) == 2 * 7 * 20)
    #expect(network.with(outputs: 1).forward(rows: 7) == 2 * 7 * (30 + 200 + 20))
  }

  @Test func `networks that no machine can hold are refused with their layers and a way out`() throws {
    let huge = try AlgorithmRegistry.entry("sac").defaults.setting([
      "batchSize=65536", "hiddenSizes=\([String](repeating: "16384", count: 400).joined(separator: ","))",
    ])
    let error = #expect(throws: InsufficientMemory.self) { try huge.checkMemory(observationSize: 3, actionSize: 1) }
    #expect(error?.description.contains("networks with hidden layers of 16384, 16384") == true)
    #expect(error?.description.hasSuffix("fewer units in hiddenSizes") == true)
  }
}
