// PythonEnvironment.swift — one Python environment in a process of its own, and how it is named.

import Environments
import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A Python environment as one of this library, for evaluation, data and the checker.
final class PythonEnvironment: GoalEnvironment {
  private let vector: PythonEnvironments
  private let layout: GoalLayout?
  private let isActive = [true]

  var observationSpace: Box { vector.observationSpace }
  var actionSpace: Space { vector.actionSpace }
  var resumePromise: ResumePromise { vector.resumePromise }
  var goals: (any GoalEnvironment)? { layout == nil ? nil : self }
  /// - Precondition: it has goals; see `goals`.
  var goalLayout: GoalLayout {
    guard let layout else { preconditionFailure("an environment without goals was asked for their layout") }
    return layout
  }

  init(_ vector: PythonEnvironments, goals layout: GoalLayout?) { (self.vector, self.layout) = (vector, layout) }

  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    try vector.reset(lane: 0, seed: seed, into: &observation)
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    vector.step(action, isActive: isActive)
    return try vector.outcome(lane: 0, into: &observation)
  }

  func saveState() throws -> EnvironmentState { try vector.saveState(lane: 0) }
  func restore(_ state: EnvironmentState) throws { try vector.restore(state, lane: 0) }

  func recompute(
    achieved: Span<Float>, desired: Span<Float>, rewards: inout MutableSpan<Float>,
    terminated: inout MutableSpan<Bool>
  ) throws {
    let (computed, ends) = try vector.recompute(achieved: achieved, desired: desired, rows: rewards.count)
    for i in 0..<rewards.count {
      rewards[i] = computed[i]
      // 2: the environment computes rewards alone, and the step's own end stays
      if ends[i] != 2 { terminated[i] = ends[i] != 0 }
    }
  }
}

/// Environments of Python by name: `gym:ID` for one that Gymnasium makes, `python:FILE:FUNCTION` for one that a function of a
/// file returns.
public enum PythonBridge {
  /// Whether a name is one of Python's.
  public static func isReference(_ id: String) -> Bool { id.hasPrefix("gym:") || id.hasPrefix("python:") }

  /// A reference that means the same in any working folder.
  public static func absolute(_ id: String) -> String {
    guard id.hasPrefix("python:"), !id.hasPrefix("python:/") else { return id }
    return "python:" + FileManager.default.currentDirectoryPath + "/" + id.dropFirst("python:".count)
  }

  /// What is known of an environment: a process is started that makes it once, and says so.
  ///
  /// - Parameter known: an environment of this library with the same id; what suits it suits this one.
  /// - Throws: `PythonFault` where it cannot be made, or not be learned in.
  public static func entry(
    _ id: String, _ options: EnvironmentOptions = [:], settings: PythonSettings, like known: EnvironmentEntry? = nil
  ) throws -> EnvironmentEntry {
    if id.hasPrefix("python:"), id.split(separator: ":", omittingEmptySubsequences: false).count < 3 {
      throw PythonFault(
        description: "\(id.debugDescription) is not python:FILE:FUNCTION, such as python:my_task.py:make_env")
    }
    let described = try PythonWorker(id, options, lanes: 1, looks: true, settings).description
    let layout = described.goals.map { GoalLayout(observationSize: $0.observationSize, goalSize: $0.goalSize) }
    let make: @Sendable (Int) throws -> PythonEnvironments = { count in
      try PythonEnvironments(id, options, count: count, resumePromise: described.resume, settings)
    }
    return EnvironmentEntry(
      outside: id, summary: "a Python environment", observationSize: described.observationSize,
      actionSpace: described.actionSpace, maximumEpisodeSteps: described.maximumSteps,
      rewardThreshold: described.rewardThreshold, suggestedSteps: known?.suggestedSteps ?? 1_000_000,
      suggestedRandomSteps: known?.suggestedRandomSteps, goals: layout, givenOptions: options,
      resumePromise: described.resume,
      make: { PythonEnvironment(try make(1), goals: layout) },
      makeVector: { count in
        let vector = try make(count)
        if let layout { vector.goals = PythonEnvironment(try make(1), goals: layout) }
        return vector
      },
      configured: { try entry(id, $0, settings: settings, like: known) })
  }
}
