import Algorithms
import Kernels
import Networks
import Platform
import Replay
import Testing

/// No number that is not finite stays unseen: each learned parameter, target and moment in turn is made one, and the next
/// update says so, or the next action is none.
@Suite struct NonFiniteTests {
  static let names = ["ddpg", "td3", "sac", "tqc", "td3-bc", "redq"]
  /// Settings beside the defaults: small networks, and a policy that steps at every update.
  static let settings = [
    "redq": ["critics=3", "policyDelay=1"], "crossq": ["policyHiddenSizes=null", "policyDelay=1"],
    "xqc": ["policyHiddenSizes=null", "policyDelay=1", "atoms=3"],
  ]

  func make(_ name: String, hidden: String = "4,3", workers: Int = 1) throws -> any Algorithm {
    try AlgorithmRegistry.entry(name).defaults.setting(
      ["batchSize=8", "hiddenSizes=\(hidden)"] + (Self.settings[name] ?? [])
    ).makeAlgorithm(observationSize: 3, actionSize: 2, seed: 5, workers: WorkerPool(count: workers))
  }

  /// Puts a value into a tensor of an algorithm's state.
  func poison(_ algorithm: any Algorithm, _ name: String, _ index: Int, _ value: Float) throws {
    var state = algorithm.state
    state.tensors = state.tensors.map { tensor in
      guard tensor.name == name else { return tensor }
      var values = tensor.values
      values[index] = value
      return Tensor(name: name, shape: tensor.shape, values: values)
    }
    try algorithm.restore(state)
  }

  /// Updates and acts until one of both shows it; the number of updates that took.
  func updatesUntilSeen(_ algorithm: any Algorithm, most: Int) -> Int? {
    for n in 1...most {
      do { _ = try algorithm.update(exampleBatch(8, observationSize: 3, actionSize: 2, seed: UInt64(n))) } catch {
        return n
      }
      if algorithm.action([0.1, 0.2, 0.3], size: 2, explore: false).contains(where: { !$0.isFinite }) { return n }
    }
    return nil
  }

  @Test(arguments: names + ["crossq", "xqc"])
  func `NaN in any parameter, statistic, target or moment is seen by the next update or action`(name: String) throws {
    var places = 0
    for tensor in try make(name).state.tensors
    where !["exploration_noise", "log_temperature"].contains(tensor.name) && !tensor.name.hasSuffix(".batches") {
      for index in tensor.values.indices {
        let algorithm = try make(name)
        _ = try algorithm.update(exampleBatch(8, observationSize: 3, actionSize: 2, seed: 9))
        try poison(algorithm, tensor.name, index, .nan)
        // TD3's policy steps at every second update; its moments are used then, and one update was made before
        #expect(updatesUntilSeen(algorithm, most: 1) == 1, "\(tensor.name)[\(index)]")
        places += 1
      }
    }
    #expect(places > 200)
  }

  @Test(arguments: names, [Float.infinity, -.infinity])
  func `infinity in any learned parameter or moment is seen by the update that steps it`(name: String, value: Float)
    throws
  {
    for tensor in try make(name).state.tensors
    where !["exploration_noise", "log_temperature"].contains(tensor.name) && !tensor.name.hasPrefix("target") {
      for index in tensor.values.indices {
        let algorithm = try make(name)
        _ = try algorithm.update(exampleBatch(8, observationSize: 3, actionSize: 2, seed: 9))
        try poison(algorithm, tensor.name, index, value)
        #expect(updatesUntilSeen(algorithm, most: 1) == 1, "\(tensor.name)[\(index)]")
      }
    }
  }

  @Test(arguments: names, [Float.infinity, -.infinity])
  func `infinity in a target that follows softly is seen by the update after the one that moves it`(
    name: String, value: Float
  ) throws {
    for tensor in try make(name).state.tensors where tensor.name.hasPrefix("target") {
      for index in tensor.values.indices {
        let algorithm = try make(name)
        _ = try algorithm.update(exampleBatch(8, observationSize: 3, actionSize: 2, seed: 9))
        try poison(algorithm, tensor.name, index, value)
        #expect(updatesUntilSeen(algorithm, most: 2) != nil, "\(tensor.name)[\(index)]")
      }
    }
  }

  // the quantile loss of TQC clips every error, so that its gradient is finite where its loss is
  @Test(arguments: names.filter { $0 != "tqc" }, [1, 2])
  func `a loss that is finite with a gradient that is not is seen, whichever thread has it`(name: String, threads: Int)
    throws
  {
    let algorithm = try make(name, hidden: "64", workers: threads)
    let batch = exampleBatch(8, observationSize: 3, actionSize: 2)
    // (Q − y)² is 9e76 in double precision; 2 (Q − y) / B is finite, its products with the weights are too, their squares
    // in Adam are not
    batch.rewards[3] = 3e38
    let error = #expect(throws: DivergedUpdate.self) { _ = try algorithm.update(batch) }
    #expect(error?.what == "next parameter of the \(name == "ddpg" ? "critic" : "critics")")
  }

  // the products of larger layers skip what is zero for the whole batch, so that NaN in its weights reaches no value
  @Test(arguments: names)
  func `NaN in the weights of a dead unit is seen by the next update`(name: String) throws {
    let bias = ".layer.0.bias"
    let networks = try make(name, hidden: "64,128").parameters.map(\.name).filter { $0.hasSuffix(bias) }
      .map { String($0.dropLast(bias.count)) }
    // policy, critics and targets
    #expect(networks.count >= 4)
    for network in networks {
      let algorithm = try make(name, hidden: "64,128", workers: 2)
      try poison(algorithm, network + bias, 5, -1e4)
      _ = try algorithm.update(exampleBatch(8, observationSize: 3, actionSize: 2))
      try poison(algorithm, network + ".layer.1.weight", 7 * 64 + 5, .nan)
      // TD3's policy steps, and its targets follow, at every second update
      #expect(throws: DivergedUpdate.self, "\(network)") {
        _ = try algorithm.update(exampleBatch(8, observationSize: 3, actionSize: 2))
      }
    }
  }

  @Test(arguments: ["td3", "sac", "td3-bc"])
  func `the minimum of two critics does not hide one that is not a number`(name: String) throws {
    for critic in 0...1 {
      let algorithm = try make(name)
      try poison(algorithm, "target_critic.\(critic).layer.2.bias", 0, .nan)
      #expect(throws: DivergedUpdate.self) {
        _ = try algorithm.update(exampleBatch(8, observationSize: 3, actionSize: 2))
      }
    }
  }
}
