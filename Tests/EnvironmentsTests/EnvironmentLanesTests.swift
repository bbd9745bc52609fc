import Environments
import Platform
import Testing

@Suite struct EnvironmentLanesTests {
  private func vector(_ count: Int, threads: Int) throws -> EnvironmentLanes {
    try EnvironmentLanes(count: count, workers: WorkerPool(count: threads)) {
      try EnvironmentRegistry.builtIn.make("Pendulum-v1")
    }
  }

  /// Observations and rewards of some steps, lane after lane.
  private func record(_ vector: EnvironmentLanes, steps: Int, idle: Int? = nil) throws -> [[Float]] {
    var result = [[Float]](repeating: [], count: vector.count)
    var observation = [Float](repeating: 0, count: 3)
    for lane in 0..<vector.count {
      var span = observation.mutableSpan
      try vector.reset(lane: lane, seed: 7 + UInt64(lane), into: &span)
      result[lane] += observation
    }
    let isActive = (0..<vector.count).map { $0 != idle }
    for t in 0..<steps {
      let actions = (0..<vector.count).map { Float($0 + t).truncatingRemainder(dividingBy: 4) - 2 }
      vector.step(actions.span, isActive: isActive)
      for lane in 0..<vector.count where isActive[lane] {
        var span = observation.mutableSpan
        let outcome = try vector.outcome(lane: lane, into: &span)
        result[lane] += observation + [Float(outcome.reward)]
      }
    }
    return result
  }

  @Test func `a lane is what one environment with its seed is, on any number of threads`() throws {
    let expected = try (0..<5).map { lane in
      let environment = try EnvironmentRegistry.builtIn.make("Pendulum-v1")
      var observation = [Float](repeating: 0, count: 3)
      var span = observation.mutableSpan
      try environment.reset(seed: 7 + UInt64(lane), into: &span)
      var values = observation
      for t in 0..<40 {
        var span = observation.mutableSpan
        let action = [Float(lane + t).truncatingRemainder(dividingBy: 4) - 2]
        let outcome = try environment.step(action.span, into: &span)
        values += observation + [Float(outcome.reward)]
      }
      return values
    }
    for threads in 1...3 { #expect(try record(vector(5, threads: threads), steps: 40) == expected) }
  }

  @Test func `lanes that are not active stay where they are`() throws {
    let all = try record(vector(3, threads: 2), steps: 10)
    let some = try record(vector(3, threads: 2), steps: 10, idle: 1)
    #expect(some[0] == all[0] && some[2] == all[2] && some[1].count == 3)
  }

  @Test func `a lane's error is its own`() throws {
    let vector = try EnvironmentLanes(count: 3, workers: WorkerPool(count: 2)) {
      try EnvironmentRegistry.builtIn.make("CartPole-v1")
    }
    var observation = [Float](repeating: 0, count: 4)
    for lane in 0..<3 {
      var span = observation.mutableSpan
      try vector.reset(lane: lane, seed: 1, into: &span)
    }
    // 5 is no choice
    vector.step([0, 5, 1].span, isActive: [true, true, true])
    for lane in 0..<3 {
      var failed = false
      var span = observation.mutableSpan
      do { _ = try vector.outcome(lane: lane, into: &span) } catch { failed = true }
      #expect(failed == (lane == 1))
    }
  }

  @Test func `a saved lane goes on to the same numbers`() throws {
    let vector = try vector(2, threads: 1)
    _ = try record(vector, steps: 12)
    let state = try vector.saveState(lane: 1)
    func next() throws -> [Float] {
      var observation = [Float](repeating: 0, count: 3)
      vector.step([0.5, -0.5].span, isActive: [true, true])
      var span = observation.mutableSpan
      _ = try vector.outcome(lane: 1, into: &span)
      return observation
    }
    let first = try next()
    try vector.restore(state, lane: 1)
    #expect(try next() == first)
  }

  @Test func `threads that step keep denormal numbers, which kernels flush`() {
    let pool = WorkerPool(count: 2)
    let seen = (0..<2).map { _ in Counter() }
    pool.withFlushedDenormals {
      pool.forEachWorkerKeepingDenormals { worker in
        // half of the smallest normal number
        seen[worker].value = Double.leastNormalMagnitude * seen[worker].half
      }
    }
    #expect(seen.allSatisfy { $0.value > 0 })
  }

  private final class Counter {
    var value = 0.0
    var half = 0.5
  }
}
