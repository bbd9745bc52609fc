// Learner.swift — the updates of a run: a batch from the replay buffer, an update, what it told; and how the learner is.

import Algorithms
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
  private(set) var sampling: RandomStream
  let batch: Batch
  let normalization: RunNormalization
  private let seed: UInt64
  private let workers: WorkerPool

  init(
    _ algorithm: any Algorithm, _ configuration: AnyConfiguration, buffer: consuming ReplayBuffer, seed: UInt64,
    workers: WorkerPool
  ) {
    (self.algorithm, self.configuration, self.seed, self.workers) = (algorithm, configuration, seed, workers)
    batch = Batch(
      count: configuration.batchSize, observationSize: buffer.observationSize, actionSize: buffer.actionSize)
    sampling = RandomStream(seed: seed, purpose: "sampling")
    metrics = MetricsWindow(further: configuration.metrics.further.count)
    normalization = RunNormalization(
      configuration, observationSize: buffer.observationSize, lanes: buffer.laneCount)
    self.buffer = buffer
  }

  /// Makes updates, each from a batch of its own.
  func learn(updates count: Int) throws {
    for _ in 0..<count {
      let result = try algorithm.update(
        batch, from: buffer, returns: configuration.returns, using: &sampling, workers: workers
      ) { normalization.apply(to: $0, workers: workers) }
      updates += 1
      temperature = result.temperature
      metrics.add(result)
    }
  }

  /// The means of the updates since the last row.
  func finishMetrics(step: Int) -> MetricsRecord { metrics.finish(step: step, updates: updates) }

  /// Looks at the learner over a batch of its own, from a stream that training does not use.
  func assess(step: Int) -> Assessment {
    var stream = RandomStream(seed: seed, purpose: "health at step \(step)")
    buffer.sample(into: batch, using: &stream, workers: workers)
    normalization.apply(to: batch, workers: workers)
    return algorithm.assess(batch)
  }

  // MARK: state

  func restore(updates: Int, sampling position: UInt64, metrics: MetricsWindow, algorithm state: AlgorithmState) throws
  {
    self.updates = updates
    self.metrics.restore(metrics)
    sampling.position = position
    try algorithm.restore(state)
  }
}
