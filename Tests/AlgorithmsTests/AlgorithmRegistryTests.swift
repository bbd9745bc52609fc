import Algorithms
import Environments
import Formats
import Kernels
import Platform
import Replay
import Testing

@Suite struct AlgorithmRegistryTests {
  @Test func `every algorithm is found by name in upper or lower case`() throws {
    #expect(
      AlgorithmRegistry.all.map(\.name)
        == [
          "ddpg", "td3", "sac", "tqc", "redq", "crossq", "xqc", "dqn", "sac-discrete", "td3-bc", "fqe", "fqe-discrete",
        ])
    #expect(
      AlgorithmRegistry.all.map(\.source)
        == [.task, .task, .task, .task, .task, .task, .task, .task, .task, .data, .policy, .policy])
    #expect(try AlgorithmRegistry.entry("SAC").name == "sac" && AlgorithmRegistry.entry("td3").name == "td3")
    for entry in AlgorithmRegistry.all { #expect(!entry.summary.isEmpty && !entry.hyperparameters.isEmpty) }
  }

  @Test func `an unknown name is refused with the nearest, or with all`() {
    let near = #expect(throws: UnknownAlgorithm.self) { try AlgorithmRegistry.entry("sacc") }
    #expect(near?.description == #"no algorithm is called "sacc": did you mean sac?"#)
    let far = #expect(throws: UnknownAlgorithm.self) { try AlgorithmRegistry.entry("reinforce") }
    #expect(
      far?.description
        == #"no algorithm is called "reinforce": there are "#
        + "ddpg, td3, sac, tqc, redq, crossq, xqc, dqn, sac-discrete, td3-bc, fqe, fqe-discrete")
  }

  @Test func `a registry of one's own has the package's algorithms and more, and its errors name them`() throws {
    let mine = AlgorithmEntry("mine", "TD3 by another name", TD3.self)
    let registry = AlgorithmRegistry(AlgorithmRegistry.standard.entries + [mine])
    #expect(try registry.entry("Mine").summary == "TD3 by another name" && registry.entry("sac").name == "sac")
    #expect(throws: UnknownAlgorithm.self) { try AlgorithmRegistry.standard.entry("mine") }
    let near = #expect(throws: UnknownAlgorithm.self) { try registry.entry("min") }
    #expect(near?.description.hasSuffix("did you mean mine?") == true && near?.known.last == "mine")
    let unfit = #expect(throws: UnfitAlgorithm.self) {
      try registry.entry("dqn").checkActions(.box(Box(low: -1, high: 1, count: 1)), of: "Task-v0", among: registry)
    }
    #expect(unfit?.fitting.contains("mine") == true)
  }

  @Test func `a name that occurs twice, or is not in lower case, stops the program`() async {
    await #expect(processExitsWith: .failure) {
      _ = AlgorithmRegistry(AlgorithmRegistry.standard.entries + [AlgorithmEntry("sac", "again", SAC.self)])
    }
    await #expect(processExitsWith: .failure) { _ = AlgorithmRegistry([AlgorithmEntry("SAC", "loud", SAC.self)]) }
    await #expect(processExitsWith: .success) {
      _ = AlgorithmRegistry([AlgorithmEntry("sac", "one", SAC.self), AlgorithmEntry("sac2", "another", SAC.self)])
    }
  }

  @Test func `an algorithm whose source its configuration does not fit stops the program`() async {
    await #expect(processExitsWith: .failure) { _ = AlgorithmEntry("td3-bc", "from nowhere", TD3BC.self) }
    await #expect(processExitsWith: .failure) { _ = AlgorithmEntry("sac", "from data", SAC.self, from: .data) }
  }

  @Test(arguments: AlgorithmRegistry.all.filter { $0.source == .task }.map(\.name))
  func `an algorithm that the caller has never heard of can be configured, made and trained`(name: String) throws {
    let entry = try AlgorithmRegistry.entry(name)
    let configuration = try entry.configuration(.object(["batchSize": .number(6)])).setting([
      "hiddenSizes=8", "bufferCapacity=50", "randomSteps=3", "updateEvery=2", "updatesPerStep=4",
    ])
    let collection = try #require(configuration.collection)
    #expect(configuration.batchSize == 6 && collection.bufferCapacity == 50 && collection.randomSteps == 3)
    #expect(collection.updateEvery == 2 && collection.updatesPerStep == 4)
    #expect(configuration.values["hiddenSizes"] == .array([.number(8)]))
    #expect(entry.defaults.batchSize > 6, "settings do not change the defaults")
    let algorithm = configuration.makeAlgorithm(
      observationSize: 5, actionSize: 2, seed: 1, workers: WorkerPool(count: 1))
    #expect(try algorithm.update(exampleBatch(6, choices: entry.actions == .discrete ? 2 : nil)).criticLoss.isFinite)
    #expect(throws: ConfigurationError.self) { try configuration.setting(["nonsense=1"]) }
    #expect(throws: ConfigurationError.self) { try entry.configuration(.object(["batchSize": .number(0)])) }
  }
}
