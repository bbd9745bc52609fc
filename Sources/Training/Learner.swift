// Learner.swift — the updates of a run: draws a batch, normalises it, updates, gathers metrics, and measures health.

import Algorithms
import Environments
import Kernels
import Platform
import Replay

/// The learning half of a run. It knows nothing of environments: whoever collects adds transitions to `buffer`.
final class Learner {
  let algorithm: any Algorithm
  let configuration: AnyConfiguration
  var buffer: ReplayBuffer
  private(set) var updates = 0
  /// α after the last update; NaN where there is none.
  private(set) var temperature = Double.nan
  private(set) var metrics: MetricsWindow
  /// The same since somebody outside asked last; no part of the run's state.
  private var asked: MetricsWindow
  private(set) var sampling: RandomStream
  let batch: Batch
  let sampler: any Sampler
  let normalization: RunNormalization
  private let seed: UInt64
  private let workers: WorkerPool

  /// - Parameter goals: what computes rewards of other goals, for hindsight; nil where the environment has none.
  init(
    _ algorithm: any Algorithm, _ configuration: AnyConfiguration, buffer: consuming ReplayBuffer,
    goals: (any GoalEnvironment)?, seed: UInt64, workers: WorkerPool
  ) throws {
    (self.algorithm, self.configuration, self.seed, self.workers) = (algorithm, configuration, seed, workers)
    batch = Batch(
      count: configuration.batchSize, observationSize: buffer.observationSize, actionSize: buffer.actionSize)
    sampling = RandomStream(seed: seed, purpose: "sampling")
    metrics = MetricsWindow(further: configuration.metrics.further.count)
    asked = metrics
    normalization = RunNormalization(
      configuration, observationSize: buffer.observationSize, lanes: buffer.laneCount)
    sampler = try configuration.sampler.makeSampler(
      for: buffer, goals: goals, discount: configuration.returns.discount, batchSize: configuration.batchSize)
    self.buffer = buffer
  }

  /// Makes updates, each from a batch of its own.
  func learn(updates count: Int) throws {
    for _ in 0..<count {
      workers.withFlushedDenormals {
        sampler.draw(batch, from: buffer, using: &sampling)
        buffer.gather(batch, returns: configuration.returns, workers: workers)
      }
      // the environment computes here, in the processor's ordinary mode
      try sampler.relabel(batch, from: buffer, using: &sampling)
      let result = try workers.withFlushedDenormals {
        normalization.apply(to: batch, workers: workers)
        return try algorithm.update(batch)
      }
      sampler.learned(from: batch)
      updates += 1
      temperature = result.temperature
      metrics.add(result)
      asked.add(result)
    }
  }

  /// The means of the updates since the last row.
  func finishMetrics(step: Int) -> MetricsRecord { metrics.finish(step: step, updates: updates) }

  /// The means of the updates since this was last called.
  func means(step: Int) -> MetricsRecord { asked.finish(step: step, updates: updates) }

  /// Looks at the learner over a batch of its own, from a stream that training does not use.
  func assess(step: Int) -> Assessment {
    var stream = RandomStream(seed: seed, purpose: "health at step \(step)")
    buffer.sample(into: batch, using: &stream, workers: workers)
    normalization.apply(to: batch, workers: workers)
    return algorithm.assess(batch)
  }

  // MARK: state

  /// Goes on from a saved state, with the buffer's frames already in place.
  func restore(_ state: TrainerState) throws {
    updates = state.updates
    metrics.restore(state.metrics)
    sampling.position = state.sampling
    try sampler.restore(state.sampler)
    try algorithm.restore(state.algorithm)
  }

  /// Draws batches from the start of their stream again.
  func restartSampling() { sampling.position = 0 }
}
