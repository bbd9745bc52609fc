import Algorithms
import Formats
import Kernels
import Platform
import Replay
import Testing

@Suite struct AlgorithmRegistryTests {
  @Test func `every algorithm is found by name in upper or lower case`() throws {
    #expect(AlgorithmRegistry.all.map(\.name) == ["ddpg", "td3", "sac", "dqn", "sac-discrete", "td3-bc", "fqe"])
    #expect(AlgorithmRegistry.all.map(\.source) == [.task, .task, .task, .task, .task, .data, .policy])
    #expect(try AlgorithmRegistry.entry("SAC").name == "sac" && AlgorithmRegistry.entry("td3").name == "td3")
    for entry in AlgorithmRegistry.all { #expect(!entry.summary.isEmpty && !entry.hyperparameters.isEmpty) }
  }

  @Test func `an unknown name is refused with the nearest, or with all`() {
    let near = #expect(throws: UnknownAlgorithm.self) { try AlgorithmRegistry.entry("sacc") }
    #expect(near?.description == #"no algorithm is called "sacc": did you mean sac?"#)
    let far = #expect(throws: UnknownAlgorithm.self) { try AlgorithmRegistry.entry("reinforce") }
    #expect(
      far?.description
        == #"no algorithm is called "reinforce": there are ddpg, td3, sac, dqn, sac-discrete, td3-bc, fqe"#)
  }

  @Test(arguments: AlgorithmRegistry.all.filter { $0.source == .task }.map(\.name))
  func `an algorithm that the caller has never heard of can be configured, made and trained`(name: String) throws {
    let entry = try AlgorithmRegistry.entry(name)
    let configuration = try entry.configuration(.object(["batchSize": .number(6)])).setting([
      "hiddenSizes=8", "bufferCapacity=50", "randomSteps=3", "updateEvery=2", "updatesPerStep=4",
    ])
    #expect(configuration.batchSize == 6 && configuration.bufferCapacity == 50 && configuration.randomSteps == 3)
    #expect(configuration.updateEvery == 2 && configuration.updatesPerStep == 4)
    #expect(configuration.values["hiddenSizes"] == .array([.number(8)]))
    #expect(entry.defaults.batchSize > 6, "settings do not change the defaults")
    let algorithm = configuration.makeAlgorithm(
      observationSize: 5, actionSize: 2, seed: 1, workers: WorkerPool(count: 1))
    #expect(try algorithm.update(exampleBatch(6, choices: entry.actions == .discrete ? 2 : nil)).criticLoss.isFinite)
    #expect(throws: ConfigurationError.self) { try configuration.setting(["nonsense=1"]) }
    #expect(throws: ConfigurationError.self) { try entry.configuration(.object(["batchSize": .number(0)])) }
  }
}
