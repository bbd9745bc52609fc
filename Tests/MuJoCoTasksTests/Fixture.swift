// Fixture.swift — how the tests read what Gymnasium gave, and how they drive a task.

import Environments
import Formats
import Foundation

@testable import MuJoCoTasks

/// A file that Scripts/fixtures/mujoco_tasks.py wrote.
func fixture(_ name: String) throws -> SafeTensors {
  let url = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name).safetensors")
  return try SafeTensors(contentsOf: url.path)
}

let fixtureSeeds: [UInt64] = [0, 1, 2]

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
  func step(_ action: [Float]) throws -> StepOutcome {
    var buffer = observation
    var span = buffer.mutableSpan
    let outcome = try environment.step(action.span, into: &span)
    observation = buffer
    return outcome
  }

  /// Some action within the bounds that differs from step to step.
  func action(_ n: Int, scale: Float = 1) -> [Float] {
    guard case .box(let box) = environment.actionSpace else { return [] }
    return (0..<box.count).map { box.high[$0] * scale * Float(sin(0.7 * Double(n) + Double($0))) }
  }
}

/// The machine that recorded: there the library's arithmetic is the same to the bit.
#if os(Linux) && arch(x86_64)
  let isRecordingPlatform = true
#else
  let isRecordingPlatform = false
#endif

/// Where the replayed task `id` and Gymnasium's recorded one part; nil if nowhere.
///
/// Observations are compared bit for bit, rewards to 1e-6. Elsewhere than on the recording platform the library rounds
/// differently and contacts amplify that: there the first five steps of each recording are compared, to 1e-4.
///
/// - Parameters: `name` and `prefix` say which recording, if not that of the task with its defaults.
func firstDifference(
  of entry: EnvironmentEntry, seed: UInt64, name: String? = nil, prefix: String? = nil
) throws -> String? {
  let recorded = try fixture(name ?? entry.id)
  let prefix = prefix ?? "seed_\(seed)."
  let task = Stepper(try entry.make())
  let size = entry.observationSize
  let width = entry.actionSpace.count
  let actions = try recorded.floats(prefix + "actions")
  let observations = try recorded.floats(prefix + "observations")
  let rewards = try recorded.doubles(prefix + "rewards")
  let terminated = try recorded.bytes(prefix + "terminated")
  let truncated = try recorded.bytes(prefix + "truncated")
  let resets = try recorded.floats(prefix + "resets")
  var resetCount = 0

  func difference(_ own: [Float], _ theirs: ArraySlice<Float>, _ place: String) -> String? {
    for (i, (own, theirs)) in zip(own, theirs).enumerated() {
      let isEqual = isRecordingPlatform ? own.bitPattern == theirs.bitPattern : abs(own - theirs) < 1e-4
      if !isEqual { return "\(entry.id) \(place): observation[\(i)] is \(own), recorded \(theirs)" }
    }
    return own.count == theirs.count ? nil : "\(entry.id) \(place): \(own.count) values, recorded \(theirs.count)"
  }

  if let found = difference(try task.reset(seed: seed), observations[..<size], "after reset") { return found }
  for n in 0..<(isRecordingPlatform ? rewards.count : 5) {
    let outcome = try task.step(Array(actions[n * width..<(n + 1) * width]))
    let place = "after step \(n + 1)"
    let theirs = observations[(n + 1) * size..<(n + 2) * size]
    if let found = difference(task.observation, theirs, place) { return found }
    if abs(outcome.reward - rewards[n]) > (isRecordingPlatform ? 1e-6 * abs(rewards[n]) : 1e-3) {
      return "\(entry.id) \(place): reward is \(outcome.reward), recorded \(rewards[n])"
    }
    if outcome.terminated != (terminated[n] == 1) || outcome.truncated != (truncated[n] == 1) {
      return "\(entry.id) \(place): \(outcome), recorded \(terminated[n]), \(truncated[n])"
    }
    if outcome.endsEpisode {
      let theirs = resets[resetCount * size..<(resetCount + 1) * size]
      if let found = difference(try task.reset(), theirs, "after reset \(resetCount + 2)") { return found }
      resetCount += 1
    }
  }
  return !isRecordingPlatform || resetCount * size == resets.count ? nil : "\(entry.id): \(resetCount) ends"
}

/// Where single steps of the task `id` from recorded states part from Gymnasium's; nil if nowhere.
func firstDifferenceInForcedSteps(of entry: EnvironmentEntry, name: String? = nil, prefix: String = "") throws
  -> String?
{
  let recorded = try fixture(name ?? entry.id)
  let limited = try entry.make() as? TimeLimit
  guard let robot = limited?.environment as? any Robot else { return "\(entry.id) is not a robot" }
  let task = Stepper(robot)
  let (positions, velocities) = (robot.simulation.positions, robot.simulation.velocities)
  let width = entry.actionSpace.count
  let size = entry.observationSize
  let allPositions = try recorded.doubles(prefix + "forced.positions")
  let allVelocities = try recorded.doubles(prefix + "forced.velocities")
  let actions = try recorded.floats(prefix + "forced.actions")
  let observations = try recorded.floats(prefix + "forced.observations")
  let rewards = try recorded.doubles(prefix + "forced.rewards")
  let terminated = try recorded.bytes(prefix + "forced.terminated")

  for n in rewards.indices {
    try robot.simulation.reset()
    for i in 0..<positions.count { positions[i] = allPositions[n * positions.count + i] }
    for i in 0..<velocities.count { velocities[i] = allVelocities[n * velocities.count + i] }
    try robot.simulation.start()
    robot.beginEpisode()
    let outcome = try task.step(Array(actions[n * width..<(n + 1) * width]))
    for i in 0..<size {
      let (own, theirs) = (task.observation[i], observations[n * size + i])
      let isEqual = isRecordingPlatform ? own == theirs : abs(own - theirs) <= 1e-3 * max(1, abs(theirs))
      if !isEqual { return "\(entry.id) state \(n): observation[\(i)] is \(own), recorded \(theirs)" }
    }
    if abs(outcome.reward - rewards[n]) > (isRecordingPlatform ? 1e-6 : 1e-3) * abs(rewards[n]) {
      return "\(entry.id) state \(n): reward is \(outcome.reward), recorded \(rewards[n])"
    }
    if outcome.terminated != (terminated[n] == 1) {
      return "\(entry.id) state \(n): terminated is \(outcome.terminated), recorded \(terminated[n])"
    }
  }
  return rewards.isEmpty ? "\(entry.id): no state was recorded" : nil
}

/// Where a task that was saved in mid-episode, and restored into another instance, parts from itself; nil if nowhere.
func firstDifferenceAfterRestore(of entry: EnvironmentEntry) throws -> String? {
  let task = Stepper(try entry.make())
  try task.reset(seed: 7)
  let scale: Float = 0.1
  for n in 0..<4 where try task.step(task.action(n, scale: scale)).endsEpisode { try task.reset() }
  let saved = try task.environment.saveState()

  // another instance, used before, and the same one later
  let other = Stepper(try entry.make())
  try other.reset(seed: 8)
  for n in 0..<3 { try other.step(other.action(n)) }
  try other.environment.restore(saved)
  var expected: [(StepOutcome, [Float])] = []
  for n in 4..<60 {
    let outcome = try task.step(task.action(n, scale: scale))
    expected.append((outcome, task.observation))
    let restored = try other.step(other.action(n, scale: scale))
    if outcome != restored || task.observation != other.observation { return "another \(entry.id) at step \(n)" }
    if outcome.endsEpisode {
      if try task.reset() != other.reset() { return "another \(entry.id) at the reset after step \(n)" }
    }
  }
  try task.environment.restore(saved)
  for n in 4..<60 {
    let outcome = try task.step(task.action(n, scale: scale))
    if outcome != expected[n - 4].0 || task.observation != expected[n - 4].1 { return "\(entry.id) at step \(n)" }
    if outcome.endsEpisode { try task.reset() }
  }
  return nil
}
