import OffPolicy
import Testing

@testable import Algorithms

/// Hyperparameter.swift: every number at the ends of its range makes a run that trains, or an error in words.
@Suite struct HyperparameterExtremesTests {
  private static let trained = AlgorithmRegistry.standard.entries.filter { $0.source == .task }.map(\.name)

  @Test(arguments: trained)
  func `no hyperparameter at an end of its range traps`(algorithm: String) throws {
    let entry = try AlgorithmRegistry.standard.entry(algorithm)
    let task = entry.actions == .discrete ? "CartPole-v1" : "Pendulum-v1"
    let make = { try EnvironmentRegistry.builtIn.entry(task).make() }
    for hyperparameter in entry.hyperparameters {
      for (path, range) in hyperparameter.ranges {
        let values =
          range.isNothing
          ? ["{}"]
          : range.isBoolean
            ? ["true", "false"]
            : [range.lower, range.upper].map { bound in
              let finite = max(-3e38, min(3e38, bound))
              return range.isInteger ? "\(Int(finite))" : "\(finite == 0 && range.excludesLower ? 2e-38 : finite)"
            }
        for value in values {
          let key = path.isEmpty ? hyperparameter.name : "\(hyperparameter.name).\(path)"
          let settings = ["hiddenSizes=4", "batchSize=4", "randomSteps=4", "\(key)=\(value)"]
          guard let configuration = try? entry.defaults.setting(settings) else { continue }
          let run = RunConfiguration(
            algorithm: algorithm, environment: task, configuration: configuration.values, steps: 30, seed: 1,
            threads: 1,
            evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: nil)
          do {
            let trainer = try Trainer(run, workers: WorkerPool(count: 1), makeEnvironment: make)
            try trainer.train()
            #expect(trainer.step >= 30)
          } catch {
            #expect(!"\(error)".isEmpty, "\(key)=\(value)")
          }
        }
      }
    }
  }
}
