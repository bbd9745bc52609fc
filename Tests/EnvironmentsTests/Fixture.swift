// Fixture.swift — how the tests read what Gymnasium gave, and how they drive a task.

import Environments
import Formats
import Foundation

/// A file that Scripts/fixtures/environments.py wrote.
func fixture(_ name: String) throws -> SafeTensors {
  let url = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name).safetensors")
  return try SafeTensors(contentsOf: url.path)
}

/// A task with buffers of its own, so that a test reads as a sequence of calls.
final class Stepper {
  let environment: any Environment
  private(set) var observation: [Float]

  init(_ environment: any Environment) {
    self.environment = environment
    observation = Array(repeating: 0, count: environment.observationSpace.count)
  }

  @discardableResult
  func reset(seed: UInt64? = nil) throws -> [Float] {
    var buffer = observation
    var span = buffer.mutableSpan
    try environment.reset(seed: seed, into: &span)
    observation = buffer
    return buffer
  }

  @discardableResult
  func step(_ action: Float...) throws -> StepOutcome {
    try step(action)
  }

  func step(_ action: [Float]) throws -> StepOutcome {
    var buffer = observation
    var span = buffer.mutableSpan
    let outcome = try environment.step(action.span, into: &span)
    observation = buffer
    return outcome
  }
}

/// How far a replayed task may be from the recording. With glibc's sine the observations are equal to the bit; rewards
/// differ where numpy's powf is off by a unit in the last place of single precision.
#if canImport(Glibc)
  let observationTolerance: Float = 0
  let rewardTolerance = 1e-10
#else
  let observationTolerance: Float = 1e-5
  let rewardTolerance = 1e-6
#endif

/// Where a replayed task and Gymnasium's recorded one part; nil if nowhere.
///
/// - Parameter tolerance: how far an observation may be from the recorded one.
func firstDifference(
  of environment: any Environment, from recorded: SafeTensors, seed: UInt64, prefix: String = "",
  tolerance: Float = observationTolerance
) throws -> String? {
  let task = Stepper(environment)
  let size = environment.observationSpace.count
  let width = environment.actionSpace.count
  let observations = try recorded.floats("\(prefix)seed.\(seed).observations")
  let actions = try recorded.floats("\(prefix)seed.\(seed).actions")
  let rewards = try recorded.doubles("\(prefix)seed.\(seed).rewards")
  let terminated = try recorded.bytes("\(prefix)seed.\(seed).terminated")
  let truncated = try recorded.bytes("\(prefix)seed.\(seed).truncated")

  func isNear(_ actual: [Float], _ expected: [Float]) -> Bool {
    zip(actual, expected).allSatisfy { abs($0 - $1) <= tolerance }
  }
  try task.reset(seed: seed)
  let first = Array(observations[..<size])
  if !isNear(task.observation, first) { return "reset gives \(task.observation), Gymnasium \(first)" }
  for n in 0..<rewards.count {
    let outcome = try task.step(Array(actions[n * width..<(n + 1) * width]))
    let expected = Array(observations[(n + 1) * size..<(n + 2) * size])
    if !isNear(task.observation, expected) { return "step \(n) gives \(task.observation), Gymnasium \(expected)" }
    if !(abs(outcome.reward - rewards[n]) <= rewardTolerance * abs(rewards[n])) {
      return "step \(n) is rewarded \(outcome.reward), by Gymnasium \(rewards[n])"
    }
    if outcome.terminated != (terminated[n] == 1) || outcome.truncated != (truncated[n] == 1) {
      return "step \(n) ends with \(outcome), in Gymnasium terminated \(terminated[n]), truncated \(truncated[n])"
    }
  }
  return nil
}
