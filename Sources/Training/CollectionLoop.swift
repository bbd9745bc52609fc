// CollectionLoop.swift — the one loop that steps environments: reset what has ended, choose actions, step, hand out what came.
//
// Training, evaluation, data collection, comparison and rollouts differ in who chooses the actions and what becomes of the
// steps: that is a StepCollector's business.

import Environments
import Platform

/// Chooses the actions of some environments, and takes what their steps give.
package protocol StepCollector: AnyObject {
  /// A lane's episode has ended, or none has begun: it is reset before the next round.
  func needsReset(lane: Int) -> Bool
  /// The seed of a lane's next episode; nil: its generator goes on.
  func seed(lane: Int) -> UInt64?
  /// A lane's episode begins with this observation (S).
  func begin(lane: Int, _ observation: Span<Float>) throws
  /// Writes the lanes' actions (N × A), in the environment's units.
  func action(into actions: inout MutableSpan<Float>) throws
  /// Takes what a lane's step gave. `next` (S) is the true next observation, whatever ended the episode.
  func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) throws
  /// The simulator broke in a lane's reset or step, which then never happened. Whoever cannot go on throws the fault.
  func abandon(lane: Int, _ fault: SimulatorFault) throws
  /// A lane's episode was lost, without a fault of its own: it is to be reset.
  func breakOff(lane: Int) throws
  /// Anything else went wrong in a lane: the error is about to end the loop.
  func failed(lane: Int, _ error: any Error)
}

extension StepCollector {
  package func abandon(lane: Int, _ fault: SimulatorFault) throws { throw fault }
  package func breakOff(lane: Int) throws { throw LostEpisode() }
  package func failed(lane: Int, _ error: any Error) {}
}

/// Steps the environments of a vector, round by round.
package final class CollectionLoop {
  package let environments: any VectorEnvironment
  private var observation: [Float]  // (S), of one lane
  private var actions: [Float]  // (N × A)
  private var isActive: [Bool]  // (N)

  package init(_ environments: any VectorEnvironment) {
    self.environments = environments
    observation = [Float](repeating: 0, count: environments.observationSpace.count)
    actions = [Float](repeating: 0, count: environments.count * environments.actionSpace.count)
    isActive = [Bool](repeating: false, count: environments.count)
  }

  /// A loop over one environment.
  package convenience init(_ environment: any Environment) {
    self.init(EnvironmentLanes(environment))
  }

  /// The observation of the lane that was reset or stepped last, also where that failed.
  package var lastObservation: [Float] { observation }

  /// Resets the lanes that need it, and takes one step in each lane.
  ///
  /// - Parameter work: done between the choice of the actions and what they give, beside the environments where these step
  ///   in processes of their own; nil: nothing is.
  /// - Throws: what the collector and the work throw, and every error of an environment that is no simulator's fault.
  package func round(_ collector: some StepCollector, meanwhile work: (() throws -> Void)? = nil) throws {
    for lane in isActive.indices where collector.needsReset(lane: lane) {
      try guarding(lane, collector) { try reset(lane, collector, &observation) }
    }
    for lane in isActive.indices { isActive[lane] = !collector.needsReset(lane: lane) }
    guard let first = isActive.firstIndex(of: true) else { return }
    try guarding(first, collector) { try choose(collector, &actions) }
    if let work {
      environments.beginStep(actions.span, isActive: isActive)
      let done = Result { try work() }
      // it is on its way, whatever became of the work
      environments.finishStep()
      try done.get()
    } else {
      environments.step(actions.span, isActive: isActive)
    }
    for lane in isActive.indices where isActive[lane] {
      try guarding(lane, collector) { try take(lane, collector, &observation) }
    }
  }

  // the arrays are the loop's own, passed so that spans may reach into them

  private func reset(_ lane: Int, _ collector: some StepCollector, _ observation: inout [Float]) throws {
    var span = observation.mutableSpan
    try environments.reset(lane: lane, seed: collector.seed(lane: lane), into: &span)
    try collector.begin(lane: lane, span.span)
  }

  private func choose(_ collector: some StepCollector, _ actions: inout [Float]) throws {
    var span = actions.mutableSpan
    try collector.action(into: &span)
  }

  private func take(_ lane: Int, _ collector: some StepCollector, _ observation: inout [Float]) throws {
    var span = observation.mutableSpan
    let outcome = try environments.outcome(lane: lane, into: &span)
    try collector.observe(lane: lane, outcome, next: span.span)
  }

  private func guarding(_ lane: Int, _ collector: some StepCollector, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let fault as SimulatorFault {
      try collector.abandon(lane: lane, fault)
    } catch is LostEpisode {
      try collector.breakOff(lane: lane)
    } catch {
      collector.failed(lane: lane, error)
      throw error
    }
  }
}
