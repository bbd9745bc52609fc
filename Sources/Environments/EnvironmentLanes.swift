// EnvironmentLanes.swift — environments in one process as a vector, one after another or on several threads.

import Platform
import Synchronization

/// Environments of this process. A lane's step is taken whole by one thread and touches nothing of another lane, so any number
/// of threads gives the same bits. Each thread steps lanes of its own, whose numbers stay in its cache, and then what is left
/// of the others': steps cost different times.
public final class EnvironmentLanes: VectorEnvironment {
  public let observationSpace: Box
  public let actionSpace: Space
  private let lanes: [Lane]
  private let workers: WorkerPool
  private let shares: [LaneShare]  // one for each thread

  /// One environment and what its last step gave. A step touches its own lane alone, so threads share nothing.
  private final class Lane {
    let environment: any Environment
    var action: [Float]  // (A)
    var observation: [Float]  // (S)
    var outcome = StepOutcome(reward: 0)
    var error: (any Error)?

    init(_ environment: any Environment) {
      self.environment = environment
      action = [Float](repeating: 0, count: environment.actionSpace.count)
      observation = [Float](repeating: 0, count: environment.observationSpace.count)
    }

    func step() {
      do {
        var span = observation.mutableSpan
        outcome = try environment.step(action.span, into: &span)
        error = nil
      } catch {
        self.error = error
      }
    }
  }

  /// The lanes that one thread steps first. Whoever is free takes the next of them.
  private final class LaneShare: Sendable {
    let lanes: Range<Int>
    let taken = Atomic(0)

    init(_ lanes: Range<Int>) { self.lanes = lanes }

    func take() -> Int? {
      let n = lanes.lowerBound + taken.add(1, ordering: .relaxed).oldValue
      return n < lanes.upperBound ? n : nil
    }
  }

  /// - Parameters:
  ///   - count: N, at least one.
  ///   - workers: the threads that step the lanes; one steps them one after another.
  ///   - make: makes an environment; called for each lane.
  public init(count: Int, workers: WorkerPool, make: () throws -> any Environment) throws {
    precondition(count >= 1, "a vector of \(count) environments")
    lanes = try (0..<count).map { _ in Lane(try make()) }
    self.workers = workers
    let threads = workers.count
    shares = (0..<threads).map { LaneShare((count * $0 / threads)..<(count * ($0 + 1) / threads)) }
    (observationSpace, actionSpace) = (lanes[0].environment.observationSpace, lanes[0].environment.actionSpace)
  }

  /// One environment, stepped by the calling thread.
  public init(_ environment: any Environment) {
    lanes = [Lane(environment)]
    workers = WorkerPool(count: 1)
    shares = []
    (observationSpace, actionSpace) = (environment.observationSpace, environment.actionSpace)
  }

  public var count: Int { lanes.count }
  public var goals: (any GoalEnvironment)? { lanes[0].environment.goals }
  public var resumePromise: ResumePromise { lanes[0].environment.resumePromise }

  public func reset(lane: Int, seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    try lanes[lane].environment.reset(seed: seed, into: &observation)
  }

  public func step(_ actions: Span<Float>, isActive: [Bool]) {
    let size = actionSpace.count
    precondition(actions.count == count * size, "\(actions.count) values for \(count) actions of \(size)")
    for (n, lane) in lanes.enumerated() {
      for i in 0..<size { lane.action[i] = actions[n * size + i] }
    }
    // a single step is not worth waking anybody
    guard workers.count > 1, count > 1 else {
      for (n, lane) in lanes.enumerated() where isActive[n] { lane.step() }
      return
    }
    for share in shares { share.taken.store(0, ordering: .relaxed) }
    workers.forEachWorkerKeepingDenormals { worker in
      for other in 0..<shares.count {
        let share = shares[(worker + other) % shares.count]
        while let n = share.take() {
          if isActive[n] { lanes[n].step() }
        }
      }
    }
  }

  public func outcome(lane: Int, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    let lane = lanes[lane]
    // also where the step failed: what it left shows why
    for i in lane.observation.indices { observation[i] = lane.observation[i] }
    if let error = lane.error { throw error }
    return lane.outcome
  }

  public func saveState(lane: Int) throws -> EnvironmentState { try lanes[lane].environment.saveState() }

  public func restore(_ state: EnvironmentState, lane: Int) throws { try lanes[lane].environment.restore(state) }
}
