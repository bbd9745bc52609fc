// GradientVarianceTests.swift — how far one estimate of SAC's policy gradient is from its mean, on trained networks.
//
// With OFFPOLICY_GRADIENT_VARIANCES=FILE it measures what Guides/PolicyGradients.md shows, and writes it there as JSON.

import Foundation
import OffPolicy
import Testing

/// The policy gradient of one batch by each estimator, drawn again and again from networks that stay as they are.
///
/// It is written from the networks alone, so that it can leave out the baseline, which SAC cannot.
private final class GradientProbe {
  enum Estimator {
    case pathwise
    case scoreFunction(samples: Int, hasBaseline: Bool)
  }

  let actionSize: Int
  private let batch: Batch
  private let policy: SquashedGaussian
  private let critics: Critics
  let learnedTemperature: Float
  /// α, the learned one unless it is set.
  var temperature: Float
  private let current: PolicyDraw
  private let actionGradient: Matrix
  private var stream = RandomStream(seed: 0, purpose: "gradient probe")

  /// The networks of a trainer that learned by SAC, and `batchSize` states of its buffer.
  init(_ trainer: Trainer, hiddenSizes: [Int], batchSize: Int) throws {
    let (observationSize, actionSize) = (trainer.buffer.observationSize, trainer.scaling.actionSize)
    self.actionSize = actionSize
    batch = Batch(count: batchSize, observationSize: observationSize, actionSize: actionSize)
    var sampling = RandomStream(seed: 1, purpose: "gradient probe")
    trainer.buffer.sample(into: batch, using: &sampling, workers: WorkerPool(count: 1))
    policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: hiddenSizes, batchSize: batchSize)
    critics = Critics(
      count: 2, observationSize: observationSize, actionSize: actionSize, hiddenSizes: hiddenSizes,
      batchSize: batchSize, isLearned: true)
    let tensors = Dictionary(uniqueKeysWithValues: trainer.algorithm.parameters.map { ($0.name, $0) })
    let find = { (name: String) in try #require(tensors[name], "no \(name)") }
    try policy.parameters.load("policy", from: find)
    try critics.load("critic", from: find)
    learnedTemperature = Float(exp(Double(try find("log_temperature").values[0])))
    temperature = learnedTemperature
    current = PolicyDraw(rows: batchSize, actionSize: actionSize)
    actionGradient = Matrix(rows: batchSize, columns: actionSize)
  }

  /// One estimate of the gradient of all the policy's parameters.
  func estimate(_ estimator: Estimator) -> [Float] {
    let (rows, scale) = (0..<batch.count, 1 / Float(batch.count))
    switch estimator {
    case .pathwise:
      let noise = Block(count: batch.count * actionSize)
      stream.fillNormal(noise)
      policy.sample(batch.observations, noise: noise, into: current, rows: rows)
      critics.evaluate(batch.observations, current.actions, rows: rows)
      critics.gatherMinimum(rows: batch.count)
      for j in 0..<critics.count {
        critics.minimumActionGradient(j, scale: -scale, into: actionGradient, rows: 0..<critics.gathered[j])
      }
      policy.backward(actionGradient: actionGradient, logProbabilityGradient: temperature * scale, rows: rows)
    case .scoreFunction(let samples, let hasBaseline):
      let noise = Block(count: samples * batch.count * actionSize)
      stream.fillNormal(noise)
      let weights = Block(count: samples * batch.count)
      policy.evaluate(batch.observations, rows: rows)
      for k in 0..<samples {
        policy.sampleAgain(k, noise: noise, into: current, rows: rows)
        critics.evaluate(batch.observations, current.actions, rows: rows)
        for i in rows {
          weights[k * batch.count + i] = temperature * current.logProbabilities[i] - critics.minimum(at: i)
        }
      }
      for i in rows {
        let values = (0..<samples).map { weights[$0 * batch.count + i] }
        for k in 0..<samples {
          let others = values.indices.filter { $0 != k }.map { values[$0] }
          let baseline = hasBaseline ? others.reduce(0, +) / Float(others.count) : 0
          weights[k * batch.count + i] = (values[k] - baseline) * scale / Float(samples)
        }
      }
      policy.backward(scoreWeights: weights, draws: samples, noise: noise, rows: rows)
    }
    policy.weightGradients(batch.observations, rows: batch.count, .whole)
    return policy.parameters.tensors("policy", of: policy.parameters.gradients).flatMap(\.values)
  }

  /// Σ of the variances of all components, and the squared length of their mean without the part that is noise.
  func variance(_ estimator: Estimator, draws: Int) -> (variance: Double, squaredMean: Double) {
    var (sums, squares): ([Double], Double) = ([], 0)
    for n in 0..<draws {
      let gradient = estimate(estimator)
      if n == 0 { sums = [Double](repeating: 0, count: gradient.count) }
      for i in gradient.indices {
        sums[i] += Double(gradient[i])
        squares += Double(gradient[i]) * Double(gradient[i])
      }
    }
    let n = Double(draws)
    let meanSquare = sums.reduce(0) { $0 + $1 * $1 } / (n * n)
    let variance = (squares / n - meanSquare) * n / (n - 1)
    return (variance, meanSquare - variance / n)
  }
}

@Suite(.serialized) struct GradientVarianceTests {
  /// SAC in the middle of learning a task.
  private func train(_ task: String, steps: Int, hidden: String) throws -> Trainer {
    let configuration = try AlgorithmRegistry.entry("sac").defaults
      .setting(["hiddenSizes=\(hidden)", "randomSteps=1000"])
    let run = RunConfiguration(
      algorithm: "sac", environment: task, configuration: configuration.values, steps: steps, seed: 0, threads: 1,
      evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: 0)
    let trainer = try Trainer(run, workers: WorkerPool(count: 1)) { try EnvironmentRegistry.standard.make(task) }
    try trainer.train()
    return trainer
  }

  @Test func `the baseline takes away most of the score function's variance; a draw through Q alone has less still`()
    throws
  {
    let trainer = try train("Pendulum-v1", steps: 2000, hidden: "32,32")
    let probe = try GradientProbe(trainer, hiddenSizes: [32, 32], batchSize: 32)
    var last = Double.infinity
    for samples in [2, 4, 16] {
      let with = probe.variance(.scoreFunction(samples: samples, hasBaseline: true), draws: 300).variance
      let without = probe.variance(.scoreFunction(samples: samples, hasBaseline: false), draws: 300).variance
      #expect(with < 0.1 * without, "K = \(samples): \(with), without \(without)")
      #expect(with < last)
      last = with
    }
    // with the entropy in it, it need not: see the guide
    probe.temperature = 0
    let pathwise = probe.variance(.pathwise, draws: 300).variance
    let score = probe.variance(.scoreFunction(samples: 2, hasBaseline: true), draws: 300).variance
    #expect(pathwise / 2 < score, "\(pathwise) of one draw, \(score) of two")
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["OFFPOLICY_GRADIENT_VARIANCES"] != nil))
  func `measure what the guide shows`() throws {
    let path = try #require(ProcessInfo.processInfo.environment["OFFPOLICY_GRADIENT_VARIANCES"])
    let counts = [2, 4, 8, 16, 32, 64]
    var tasks: [JSONValue] = []
    for (task, steps) in [
      ("Pendulum-v1", 5000), ("Hopper-v5", 20_000), ("HalfCheetah-v5", 20_000), ("Humanoid-v5", 20_000),
    ] {
      let trainer = try train(task, steps: steps, hidden: "64,64")
      let probe = try GradientProbe(trainer, hiddenSizes: [64, 64], batchSize: 256)
      func point(_ estimator: GradientProbe.Estimator, draws: Int = 300) -> JSONValue {
        .number(probe.variance(estimator, draws: draws).variance)
      }
      let (pathwise, squaredMean) = probe.variance(.pathwise, draws: 4000)
      // the same without the entropy
      probe.temperature = 0
      let ofQ = (
        pathwise: probe.variance(.pathwise, draws: 1000).variance,
        score: counts.map { point(.scoreFunction(samples: $0, hasBaseline: true)) }
      )
      probe.temperature = probe.learnedTemperature
      var batches: [JSONValue] = []
      for batch in [32, 128, 512] {
        let probe = try GradientProbe(trainer, hiddenSizes: [64, 64], batchSize: batch)
        let (through, score) = (
          probe.variance(.pathwise, draws: 1000).variance,
          probe.variance(.scoreFunction(samples: 8, hasBaseline: true), draws: 1000).variance
        )
        batches.append(
          .object(["batch": .number(Double(batch)), "pathwise": .number(through), "score8": .number(score)]))
      }
      tasks.append(
        .object([
          "task": .string(task), "steps": .number(Double(steps)), "actions": .number(Double(probe.actionSize)),
          "temperature": .number(Double(probe.learnedTemperature)), "squaredMean": .number(squaredMean),
          "pathwise": .number(pathwise),
          "score": .array(counts.map { point(.scoreFunction(samples: $0, hasBaseline: true)) }),
          "scoreWithoutBaseline": .array(counts.map { point(.scoreFunction(samples: $0, hasBaseline: false)) }),
          "batches": .array(batches), "pathwiseOfQ": .number(ofQ.pathwise),
          "scoreOfQ": .array(ofQ.score),
        ]))
    }
    let result = JSONValue.object(["samples": .array(counts.map { .number(Double($0)) }), "tasks": .array(tasks)])
    try Data(result.text().utf8).write(to: URL(fileURLWithPath: path))
  }
}
