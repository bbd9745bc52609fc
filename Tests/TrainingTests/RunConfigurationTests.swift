import Foundation
import OffPolicy
import Testing

@Suite struct RunConfigurationTests {
  func run(_ algorithm: String, _ values: JSONValue) -> RunConfiguration {
    RunConfiguration(
      algorithm: algorithm, environment: "Pendulum-v1", configuration: values, steps: 12_345, seed: .max, threads: 2,
      evaluateEvery: 500, evaluationEpisodes: 7, checkpointEvery: 0)
  }

  @Test(arguments: algorithmNames)
  func `a run's choices survive JSON, the largest seed too`(algorithm: String) throws {
    let settings = ["discount=0.975", "hiddenSizes=40,30", "targetTracking.hard.every=100", "bufferCapacity=5000"]
    let configuration = try AlgorithmRegistry.entry(algorithm).defaults.setting(settings)
    let original = run(algorithm, configuration.values)
    let decoded = try JSONDecoder().decode(RunConfiguration.self, from: JSONEncoder().encode(original))
    #expect(decoded == original)
    let read = try decoded.algorithmConfiguration()
    #expect(read.values == configuration.values && read.collection?.bufferCapacity == 5000)
    // every property is there, so that a later default changes nothing
    for parameter in try AlgorithmRegistry.entry(algorithm).hyperparameters {
      #expect(decoded.configuration[parameter.name] != nil, "\(parameter.name)")
    }
  }

  @Test(
    arguments: [
      [], ["updateEvery=7", "updatesPerStep=2"], ["batchSize=90"], ["batchSize=90", "bufferCapacity=60"],
      ["randomSteps=0", "updateEvery=50"], ["randomSteps=400"], ["updatesPerStep=0.3", "updateEvery=2"],
    ], [1, 3])
  func `a schedule that lasts as long as the run has its number of updates`(settings: [String], lanes: Int) throws {
    let settings = ["hiddenSizes=8", "batchSize=16", "randomSteps=50", "learningRateSchedule=linear"] + settings
    var run = run("ddpg", try AlgorithmRegistry.entry("ddpg").defaults.setting(settings).values)
    (run.steps, run.seed, run.evaluateEvery, run.environments) = (120, 1, 0, lanes)
    let trainer = try Trainer(run, workers: WorkerPool(count: 1), makeEnvironment: pendulum)
    try trainer.train()
    let schedule = try run.algorithmConfiguration().values["learningRateSchedule"]?["linear"]
    #expect(schedule?["updates"] == .number(Double(trainer.updates)))
    #expect((trainer.updates == 0) == settings.contains("randomSteps=400"))
    // what the run's file says stays as it was said
    #expect(run.configuration["learningRateSchedule"]?["linear"]?["updates"] == nil)
  }

  @Test func `options of the task survive JSON, and are not there where none were set`() throws {
    var original = run("sac", .object([:]))
    #expect(try JSONValue(encoding: original)["environmentOptions"] == nil)
    original.environmentOptions = ["healthy_z_range": [0.7, .infinity], "g": 9.81, "body": "torso", "flag": true]
    let encoded = try JSONEncoder().encode(original)
    #expect(try JSONDecoder().decode(RunConfiguration.self, from: encoded) == original)
  }

  @Test func `a run file that was edited is checked again`() {
    #expect(throws: ConfigurationError.unknownKey("discont", meant: ["discount"])) {
      try run("sac", .object(["discont": .number(0.9)])).algorithmConfiguration()
    }
    #expect(throws: ConfigurationError.outOfRange(key: "discount", value: "2", allowed: "[0, 1]")) {
      try run("td3", .object(["discount": .number(2)])).algorithmConfiguration()
    }
    #expect(throws: UnknownAlgorithm.self) { try run("sca", .object([:])).algorithmConfiguration() }
  }

  @Test func `a task's suggestion holds unless it is set`() throws {
    let defaults = try AlgorithmRegistry.entry("sac").defaults
    let task = try EnvironmentRegistry.builtIn.entry("Pendulum-v1")
    #expect(try defaults.resolved(for: task, settings: []).collection?.randomSteps == task.suggestedRandomSteps)
    #expect(try defaults.resolved(for: task, settings: ["randomSteps=5"]).collection?.randomSteps == 5)
    let silent = try EnvironmentRegistry.builtIn.entry("CartPole-v1")
    #expect(silent.suggestedRandomSteps == nil)
    #expect(try defaults.resolved(for: silent, settings: []).collection == defaults.collection)
  }
}
