import OffPolicy
import Testing

@Suite struct ConformanceTests {
  /// A case of N updates on B rows with an algorithm's own initial weights.
  static func makeCase(_ algorithm: String, updates n: Int = 3, rows b: Int = 5) throws -> SafeTensors {
    let configuration = try AlgorithmRegistry.entry(algorithm).defaults.setting(["hiddenSizes=7,6", "batchSize=\(b)"])
    let made = configuration.makeAlgorithm(observationSize: 3, actionSize: 2, seed: 9, workers: WorkerPool(count: 1))
    var file = SafeTensors()
    file.metadata = ["algorithm": algorithm, "configuration": #"{"hiddenSizes":[7,6]}"#]
    for tensor in made.parameters { file.add(tensor.name, floats: tensor.values, shape: tensor.shape) }
    var stream = RandomStream(seed: 1, purpose: "test")
    func add(_ name: String, _ shape: [Int], _ value: (Float) -> Float) {
      let values = (0..<shape.reduce(1, *)).map { _ in value(2 * stream.uniform() - 1) }
      file.add(name, floats: values, shape: shape)
    }
    add("batch.observations", [n, b, 3]) { $0 }
    add("batch.actions", [n, b, 2]) { $0 }
    add("batch.rewards", [n, b]) { $0 }
    add("batch.next_observations", [n, b, 3]) { $0 }
    add("batch.terminated", [n, b]) { $0 < 0 ? 1 : 0 }
    add("noise.next", [n, b, 2]) { 2 * $0 }
    add("noise.current", [n, b, 2]) { 2 * $0 }
    return file
  }

  func refusal(_ file: SafeTensors) -> String {
    let error = #expect(throws: (any Error).self) { try Conformance.run(file, threads: 1) }
    return error.map { "\($0)" } ?? ""
  }

  @Test(arguments: algorithmNames)
  func `a case's result has every parameter and one loss per update`(algorithm: String) throws {
    let file = try Self.makeCase(algorithm)
    let result = try Conformance.run(file, threads: 1)
    let weights = file.names.filter { !$0.hasPrefix("batch.") && !$0.hasPrefix("noise.") }
    for name in weights { #expect(try result.shape(name) == file.shape(name)) }
    #expect(try result.shape("critic_loss") == [3] && result.shape("policy_loss") == [3])
    let losses = try result.floats("policy_loss")
    // TD3 takes a policy step at every second update
    #expect(losses.map(\.isNaN) == (algorithm == "td3" ? [true, false, true] : [false, false, false]))
    #expect(result.contains("temperature") == (algorithm == "sac"))
    #expect(result.names.count == weights.count + (algorithm == "sac" ? 4 : 3))
  }

  @Test(arguments: algorithmNames)
  func `a case is as many updates of the algorithm itself`(algorithm: String) throws {
    let file = try Self.makeCase(algorithm)
    let configuration = try AlgorithmRegistry.entry(algorithm).defaults.setting(["hiddenSizes=7,6", "batchSize=5"])
    let made = configuration.makeAlgorithm(observationSize: 3, actionSize: 2, seed: 0, workers: WorkerPool(count: 1))
    try made.loadParameters { Tensor(name: $0, shape: try file.shape($0), values: try file.floats($0)) }
    let batch = Batch(count: 5, observationSize: 3, actionSize: 2)
    let noise = UpdateNoise(batchSize: 5, actionSize: 2)
    for n in 0..<3 {
      func slice(_ name: String, _ width: Int) throws -> [Float] {
        Array(try file.floats(name)[(n * 5 * width)..<((n + 1) * 5 * width)])
      }
      let (s, a, next) = (
        try slice("batch.observations", 3), try slice("batch.actions", 2), try slice("batch.next_observations", 3)
      )
      for row in 0..<5 {
        for i in 0..<3 {
          batch.observations[row, i] = s[row * 3 + i]
          batch.nextObservations[row, i] = next[row * 3 + i]
        }
        for i in 0..<2 { batch.actions[row, i] = a[row * 2 + i] }
      }
      batch.rewards.set(try slice("batch.rewards", 1))
      batch.terminated.set(try slice("batch.terminated", 1))
      batch.setDiscounts(0.99)
      noise.next.set(try slice("noise.next", 2))
      noise.current.set(try slice("noise.current", 2))
      _ = try made.update(batch, noise: noise)
    }
    let result = try Conformance.run(file, threads: 2)
    for tensor in made.parameters { #expect(try result.floats(tensor.name) == tensor.values, "\(tensor.name)") }
  }

  @Test func `a case without an algorithm, or with a wrong configuration, is refused`() throws {
    let file = try Self.makeCase("sac")
    #expect(refusal(try file.changed(metadata: ["algorithm": nil])).contains("names no algorithm"))
    #expect(refusal(try file.changed(metadata: ["algorithm": "ppo"])).contains("no algorithm is called \"ppo\""))
    #expect(refusal(try file.changed(metadata: ["configuration": "{"])).contains("is not JSON"))
    #expect(refusal(try file.changed(metadata: ["configuration": "[]"])).contains("JSON object"))
    #expect(refusal(try file.changed(metadata: ["configuration": #"{"tau":1}"#])).contains("\"tau\""))
    #expect(refusal(try file.changed(metadata: ["configuration": #"{"discount":7}"#])).contains("discount"))
  }

  @Test(arguments: [
    "batch.observations", "batch.actions", "batch.rewards", "batch.next_observations", "batch.terminated", "noise.next",
    "noise.current",
  ])
  func `a tensor of another shape, or missing, is refused with its name`(name: String) throws {
    let file = try Self.makeCase("td3")
    let values = try file.floats(name)
    let flat = try file.changed(floats: [name: ([values.count], values)])
    #expect(refusal(flat).contains(name))
    if !name.hasPrefix("noise") { #expect(refusal(try file.changed(without: [name])).contains(name)) }
  }

  @Test func `the score function's K draws need as many ε`() throws {
    let file = try Self.makeCase("sac")
    let changed = { (draws: Int) in
      try file.changed(
        floats: ["noise.current": ([3, draws, 5, 2], [Float](repeating: 0.5, count: 3 * draws * 10))],
        metadata: ["configuration": #"{"hiddenSizes":[7,6],"policyGradient":{"scoreFunction":{"samples":4}}}"#])
    }
    #expect(try Conformance.run(changed(4), threads: 1).floats("policy_loss").allSatisfy(\.isFinite))
    #expect(refusal(try changed(3)).contains("noise.current"))
    #expect(refusal(try changed(4).changed(metadata: ["configuration": #"{"hiddenSizes":[7,6]}"#])).contains("noise"))
  }

  @Test func `weights of another shape, or missing, are refused with their name`() throws {
    let file = try Self.makeCase("ddpg")
    let name = "target_critic.0.layer.1.weight"
    let (shape, values) = (try file.shape(name), try file.floats(name))
    #expect(refusal(try file.changed(floats: [name: (shape.reversed(), values)])).contains(name))
    #expect(refusal(try file.changed(without: [name])).contains(name))
    #expect(refusal(try file.changed(metadata: ["configuration": #"{"hiddenSizes":[7]}"#])).contains("layer"))
  }

  @Test func `a batch without rows is refused`() throws {
    let file = try Self.makeCase("ddpg")
    let empty = try file.changed(floats: ["batch.observations": ([3, 0, 3], []), "batch.actions": ([3, 0, 2], [])])
    #expect(refusal(empty).contains("batch.observations [3, 0, 3]"))
  }
}
