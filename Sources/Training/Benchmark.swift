// Benchmark.swift — updates per second, and what share that is of the most this processor can do.

import Algorithms
import Kernels
import Networks
import Platform
import Replay

/// What a benchmark measured.
public struct BenchmarkResult: Codable, Sendable {
  /// The algorithm's name.
  public var algorithm: String
  /// S
  public var observations: Int
  /// A, or the number of choices.
  public var actions: Int
  /// Units in each hidden layer.
  public var hidden: [Int]
  /// B
  public var batch: Int
  /// Threads of an update.
  public var threads: Int
  /// Updates in a second of the measurement.
  public var updatesPerSecond: Double
  /// Floating-point operations that one update needs at least, multiply and add counted apart.
  public var flopsPerUpdate: Double
  /// The register-only loop of multiply-adds on as many threads, just before and just after. It runs on vectors: with a
  /// matrix unit an update may be faster.
  public var peakGFLOPS: Double
  /// Multiply-adds of the updates over those of the register-only loop, which runs before and after.
  public var fractionOfPeak: Double
  /// The same loop between the updates, at the clock that they run at: a processor lowers it under load.
  public var interleavedPeakGFLOPS: Double
  /// The same, with the loop measured between the updates.
  public var fractionOfInterleavedPeak: Double
  /// An undisturbed update against the undisturbed loop: its time's 10th percentile, the interleaved rate's 90th. What a
  /// host takes away for others does not show in it.
  public var undisturbedFractionOfPeak: Double
  /// Heap allocations per update after the warm-up; nil where they are not counted.
  public var allocationsPerUpdate: Double?
  /// Microseconds that an update took: 10th percentile, which a busy host disturbs least (with a policy delay, of the mean
  /// of that many updates), median and 99th percentile.
  public var p10Microseconds: Double
  /// The median time of an update.
  public var medianMicroseconds: Double
  /// The time that 99 of 100 updates keep within.
  public var p99Microseconds: Double
  /// Updates that were measured.
  public var updates: Int
  /// Microseconds from one observation to an action and into the buffer: median.
  public var actingMicroseconds: Double
  /// The processor and the instruction set in use.
  public var processor: String
}

/// Measures how fast updates are.
public enum Benchmark {
  /// Seconds of updates between two slices of the peak's loop.
  private static let sliceEvery = 0.02

  /// Updates after which units are killed: by then all their moments are more than zero.
  private static let aliveUpdates = 100

  /// Measures updates, each with a fresh batch from a full buffer of `bufferCapacity` random transitions.
  ///
  /// - Parameter deadUnits: the share of the first hidden layers' units that are made dead early in the warm-up. Their weights
  ///   get no gradient any more, and Adam's moments of them decay into denormal numbers: the first moments within 800 updates,
  ///   the second within 90,000.
  public static func run(
    algorithm name: String, configuration: AnyConfiguration, observationSize: Int, actionSize: Int, bufferCapacity: Int,
    threads: Int, seconds: Double, warmUp: Int = 200, deadUnits: Double = 0,
    allocationCount: () -> Int? = { nil }
  ) throws -> BenchmarkResult {
    try configuration.checkMemory(observationSize: observationSize, actionSize: actionSize)
    let workers = WorkerPool(count: threads)
    let algorithm = configuration.makeAlgorithm(
      observationSize: observationSize, actionSize: actionSize, seed: 0, workers: workers)
    var buffer = try randomBuffer(
      configuration, capacity: bufferCapacity, observationSize: observationSize, actionSize: actionSize)
    let batch = Batch(
      count: configuration.batchSize, observationSize: observationSize,
      actionSize: configuration.actions.width(actionSize: actionSize))
    var stream = RandomStream(seed: 0, purpose: "sampling")

    func update() throws {
      _ = try algorithm.update(
        batch, from: buffer, returns: configuration.returns, using: &stream, workers: workers)
    }
    for n in 0..<warmUp {
      if deadUnits > 0 && n == min(Self.aliveUpdates, warmUp - 1) { try kill(deadUnits, of: algorithm) }
      try update()
    }

    let before = Processor.measurePeak(workers: workers)
    var times: [Double] = []
    times.reserveCapacity(1 << 22)
    var allocations = allocationCount().map { _ in 0 }
    var elapsed = 0.0
    var slices: [Double] = []
    slices.reserveCapacity(Int(seconds / Self.sliceEvery) + 2)
    var sliceDue = 0.0
    while elapsed < seconds && times.count < 1 << 22 {
      let allocationsBefore = allocationCount()
      let start = ContinuousClock.now
      try update()
      let time = (ContinuousClock.now - start).seconds
      if let before = allocationsBefore, let now = allocationCount() { allocations = (allocations ?? 0) + now - before }
      times.append(time)
      elapsed += time
      if elapsed >= sliceDue {
        slices.append(Processor.measurePeak(workers: workers, seconds: 0))
        sliceDue = elapsed + Self.sliceEvery
      }
    }
    let after = Processor.measurePeak(workers: workers)
    let acting = timeActing(
      algorithm, buffer: &buffer, observationSize: observationSize,
      actionSize: configuration.actions.width(actionSize: actionSize))

    let peak = (before + after) / 2
    let interleavedPeak = slices.reduce(0, +) / Double(slices.count)
    let undisturbedPeak = slices.sorted()[slices.count * 9 / 10]
    let rate = Double(times.count) / elapsed
    let cost = configuration.cost(observationSize: observationSize, actionSize: actionSize)
    let (flops, period) = (cost.operations, cost.period)
    let sorted = times.sorted()
    // where updates are unlike, the mean of as many in a row as it takes to have one of each
    let fast = stride(from: 0, through: max(0, times.count - period), by: period).map {
      let some = times[$0..<min(times.count, $0 + period)]
      return some.reduce(0, +) / Double(some.count)
    }.sorted()
    let undisturbedTime = fast[fast.count / 10]
    return BenchmarkResult(
      algorithm: name, observations: observationSize, actions: actionSize,
      hidden: configuration.policy.hiddenSizes,
      batch: configuration.batchSize, threads: threads, updatesPerSecond: rate, flopsPerUpdate: flops,
      peakGFLOPS: peak / 1e9, fractionOfPeak: flops * rate / peak,
      interleavedPeakGFLOPS: interleavedPeak / 1e9, fractionOfInterleavedPeak: flops * rate / interleavedPeak,
      undisturbedFractionOfPeak: flops / undisturbedTime / undisturbedPeak,
      allocationsPerUpdate: allocations.map { Double($0) / Double(max(1, times.count)) },
      p10Microseconds: undisturbedTime * 1e6, medianMicroseconds: sorted[sorted.count / 2] * 1e6,
      p99Microseconds: sorted[min(sorted.count - 1, sorted.count * 99 / 100)] * 1e6, updates: times.count,
      actingMicroseconds: acting * 1e6, processor: Processor.summary)
  }

  /// Gives a share of the first hidden layers' units biases that no input outweighs.
  static func kill(_ share: Double, of algorithm: any Algorithm) throws {
    let tensors = algorithm.parameters.map { tensor in
      guard tensor.name.hasSuffix(".layer.0.bias") else { return tensor }
      let dead = Int(share * Double(tensor.values.count))
      return Tensor(
        name: tensor.name, shape: tensor.shape,
        values: [Float](repeating: -1e6, count: dead) + tensor.values.dropFirst(dead))
    }
    try algorithm.loadParameters { name in
      guard let tensor = tensors.first(where: { $0.name == name }) else { throw TensorMismatch("there is no \(name)") }
      return tensor
    }
  }

  /// Seconds from an observation to an explored action and into the buffer: median of two thousand.
  private static func timeActing(
    _ algorithm: any Algorithm, buffer: inout ReplayBuffer, observationSize: Int, actionSize: Int
  ) -> Double {
    let observation = (0..<observationSize).map { Float($0 % 7) / 7 - 0.5 }
    var action = [Float](repeating: 0, count: actionSize)
    let observations = Matrix(rows: 1, columns: observationSize)
    let actions = Matrix(rows: 1, columns: actionSize)
    algorithm.beginEpisode(lane: 0)
    let times = (0..<2000).map { _ in
      let start = ContinuousClock.now
      observations.setRow(0, to: observation.span)
      algorithm.act(observations, rows: 1, explore: true, into: actions)
      var span = action.mutableSpan
      actions.copyRow(0, into: &span)
      buffer.add(action: action.span, reward: 0, terminated: false, truncated: false, next: observation.span)
      return (ContinuousClock.now - start).seconds
    }
    return times.sorted()[times.count / 2]
  }

  private static func randomBuffer(
    _ configuration: AnyConfiguration, capacity: Int, observationSize: Int, actionSize: Int
  ) throws
    -> ReplayBuffer
  {
    let width = configuration.actions.width(actionSize: actionSize)
    var buffer = try ReplayBuffer(
      capacity: capacity, observationSize: observationSize, actionSize: width)
    var stream = RandomStream(seed: 1, purpose: "benchmark data")
    let values = Block(count: 1 << 16)
    stream.fillNormal(values)
    let pool = values.values
    var at = 0
    func next(_ count: Int) -> Range<Int> {
      if at + count > pool.count { at = Int(stream.next() % 97) }
      defer { at += count }
      return at..<(at + count)
    }
    buffer.beginEpisode(pool.span.extracting(next(observationSize)))
    while buffer.count < capacity {
      let action =
        configuration.actions == .discrete
        ? [Float(stream.index(below: actionSize))] : pool[next(width)].map { max(-1, min(1, $0)) }
      buffer.add(
        action: action.span, reward: pool[next(1).lowerBound], terminated: false, truncated: false,
        next: pool.span.extracting(next(observationSize)))
    }
    return buffer
  }
}

extension Duration {
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
