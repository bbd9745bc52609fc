// OutsideLanes.swift — environments that somebody else steps: a learner knows their sizes and nothing more.

import OffPolicy

/// Lanes of which only sizes are known. Nobody here resets or steps them.
final class OutsideLanes: VectorEnvironment {
  let count: Int
  let observationSpace: Box
  let actionSpace: Space
  let outsideGoals: OutsideGoals?

  var goals: (any GoalEnvironment)? { outsideGoals }

  init(count: Int, observationSize: Int, actionSpace: Space, goals: GoalLayout?) {
    self.count = count
    let space = Box(low: -.infinity, high: .infinity, count: observationSize)
    observationSpace = space
    self.actionSpace = actionSpace
    outsideGoals = goals.map { OutsideGoals($0, observationSpace: space, actionSpace: actionSpace) }
  }

  func reset(lane: Int, seed: UInt64?, into observation: inout MutableSpan<Float>) throws { throw steppedElsewhere }
  func step(_ actions: Span<Float>, isActive: [Bool]) {}
  func outcome(lane: Int, into observation: inout MutableSpan<Float>) throws -> StepOutcome { throw steppedElsewhere }

  // the environments themselves are saved by whoever has them
  func saveState(lane: Int) throws -> EnvironmentState { .outside }
  func restore(_ state: EnvironmentState, lane: Int) throws {}
}

/// Goals whose rewards a function of the other language computes.
final class OutsideGoals: GoalEnvironment {
  /// `offpolicy_goal_function`
  typealias Function =
    @convention(c) (
      UnsafePointer<Float>?, UnsafePointer<Float>?, Int64, UnsafeMutablePointer<Float>?, UnsafeMutablePointer<UInt8>?
    ) -> Int64

  let goalLayout: GoalLayout
  let observationSpace: Box
  let actionSpace: Space
  var function: Function?
  /// The step's own termination stays.
  private static let asItWas: UInt8 = 2

  init(_ layout: GoalLayout, observationSpace: Box, actionSpace: Space) {
    (goalLayout, self.observationSpace, self.actionSpace) = (layout, observationSpace, actionSpace)
  }

  func recompute(
    achieved: Span<Float>, desired: Span<Float>, rewards: inout MutableSpan<Float>,
    terminated: inout MutableSpan<Bool>
  ) throws {
    guard let function else {
      throw Refusal("hindsight needs a function that computes rewards: call offpolicy_set_goal_function first")
    }
    let rows = rewards.count
    var ends = [UInt8](repeating: Self.asItWas, count: rows)
    let status = achieved.withUnsafeBufferPointer { achieved in
      desired.withUnsafeBufferPointer { desired in
        rewards.withUnsafeMutableBufferPointer { rewards in
          ends.withUnsafeMutableBufferPointer { ends in
            function(achieved.baseAddress, desired.baseAddress, Int64(rows), rewards.baseAddress, ends.baseAddress)
          }
        }
      }
    }
    guard status == 0 else { throw Refusal("the function that computes rewards of goals failed") }
    for i in 0..<rows {
      guard rewards[i].isFinite else {
        throw Refusal("the function that computes rewards of goals gave \(rewards[i]) for row \(i)")
      }
      if ends[i] != Self.asItWas { terminated[i] = ends[i] != 0 }
    }
  }

  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws { throw steppedElsewhere }
  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    throw steppedElsewhere
  }
  func saveState() throws -> EnvironmentState { .outside }
  func restore(_ state: EnvironmentState) throws {}
}

private let steppedElsewhere = Refusal(
  "the environments of this learner are stepped by its caller; offpolicy_run is for built-in ones")

extension EnvironmentState {
  fileprivate static var outside: EnvironmentState { EnvironmentState(values: [], generator: NumPyGenerator(seed: 0)) }
}
