// EnvironmentSpeed.swift — how many steps per second an environment takes, alone or as a vector on several threads.

import Platform

/// What a measurement of stepping gave.
public struct EnvironmentSpeed: Codable, Sendable {
  /// The environment's id.
  public var environment: String
  /// Environments that were stepped at once.
  public var environments: Int
  /// Threads that stepped them.
  public var threads: Int
  /// Steps per second over all environments, resets included, with random actions.
  public var stepsPerSecond: Double

  /// Steps `count` environments on `threads` threads with uniformly random actions for some seconds.
  ///
  /// - Throws: what making or resetting the environment throws; a fault of the simulator begins another episode.
  public init(of entry: EnvironmentEntry, count: Int, threads: Int, seconds: Double) throws {
    let vector = try EnvironmentLanes(count: count, workers: WorkerPool(count: threads)) { try entry.make() }
    let (size, width) = (vector.observationSpace.count, vector.actionSpace.count)
    var generator = NumPyGenerator(seed: 0)
    var observation = [Float](repeating: 0, count: size)
    var action = [Float](repeating: 0, count: width)
    // drawn before: only stepping is measured
    var rounds: [[Float]] = []
    for _ in 0..<64 {
      var actions: [Float] = []
      for _ in 0..<count {
        var span = action.mutableSpan
        vector.actionSpace.sample(into: &span, using: &generator)
        actions += action
      }
      rounds.append(actions)
    }
    for lane in 0..<count {
      var span = observation.mutableSpan
      try vector.reset(lane: lane, seed: UInt64(lane), into: &span)
    }
    let all = [Bool](repeating: true, count: count)
    func round(_ actions: [Float], _ observation: inout [Float]) throws {
      vector.step(actions.span, isActive: all)
      for lane in 0..<count {
        var span = observation.mutableSpan
        let ended = (try? vector.outcome(lane: lane, into: &span).endsEpisode) ?? true
        if ended { try vector.reset(lane: lane, seed: nil, into: &span) }
      }
    }
    for n in 0..<100 { try round(rounds[n % rounds.count], &observation) }
    let start = ContinuousClock.now
    var (n, elapsed) = (0, Duration.zero)
    while elapsed < .seconds(seconds) {
      for _ in 0..<20 {
        try round(rounds[n % rounds.count], &observation)
        n += 1
      }
      elapsed = ContinuousClock.now - start
    }
    environment = entry.id
    environments = count
    self.threads = threads
    let time = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    stepsPerSecond = Double(n * count) / time
  }
}
