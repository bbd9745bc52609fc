// MuJoCoTasksTests.swift — all tasks are Gymnasium's, keep their contract, and say of themselves what is true.

import Environments
import Testing

@testable import MuJoCoTasks

@Suite struct MuJoCoTasksTests {
  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id), fixtureSeeds)
  func `a rollout gives Gymnasium's observations to the bit, its rewards and flags`(id: String, seed: UInt64) throws {
    let difference = try firstDifference(of: entry(id), seed: seed)
    #expect(difference == nil)
  }

  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id))
  func `beyond the limits of observation, cost and health a step gives what Gymnasium's gives`(id: String) throws {
    let difference = try firstDifferenceInForcedSteps(of: entry(id))
    #expect(difference == nil)
  }

  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id))
  func `a task saved in mid-episode goes on to the bit, in another instance and later in its own`(id: String) throws {
    let difference = try firstDifferenceAfterRestore(of: entry(id))
    #expect(difference == nil)
  }

  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id))
  func `a task keeps the contract of an environment`(id: String) throws {
    let report = EnvironmentChecker.check(try entry(id), steps: 200)
    #expect(report.findings.filter { $0.rule != .actionBoundsAreUnit } == [])
    #expect(report.isValid)
  }

  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id))
  func `a state that was saved by another task is refused`(id: String) throws {
    let environment = try entry(id).make()
    var state = try environment.saveState()
    state.values.append(0)
    #expect(throws: (any Error).self) { try environment.restore(state) }
  }

  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id))
  func `a control that is not a number is a fault, and the task goes on as if it had not been`(id: String) throws {
    let entry = try entry(id)
    let task = Stepper(try entry.make())
    let undisturbed = Stepper(try entry.make())
    try task.reset(seed: 5)
    try undisturbed.reset(seed: 5)
    try task.step(task.action(0))
    try undisturbed.step(task.action(0))
    var broken = task.action(1)
    broken[0] = .nan
    #expect(throws: SimulatorFault.self) { try task.step(broken) }
    for n in 1..<4 {
      let outcome = try task.step(task.action(n))
      #expect(try undisturbed.step(task.action(n)) == outcome)
      #expect(undisturbed.observation == task.observation)
      if outcome.endsEpisode { break }
    }
  }

  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id))
  func `the entry states the sizes and bounds that the model has`(id: String) throws {
    let entry = try entry(id)
    let environment = try entry.make()
    #expect(environment.observationSpace.count == entry.observationSize)
    #expect(environment.actionSpace == entry.actionSpace)
    let robot = try #require((environment as? TimeLimit)?.environment as? any Robot)
    guard case .box(let box) = entry.actionSpace else {
      Issue.record("\(id) has no box of actions")
      return
    }
    let bounds = (0..<box.count).flatMap { [box.low[$0], box.high[$0]] }
    #expect(robot.simulation.controlBounds.map(Float.init) == bounds)
  }

  @Test func `the tasks are the eleven of version 5, listed by name`() {
    let ids = MuJoCoTasks.entries.map(\.id)
    #expect(ids.count == 11)
    #expect(ids == ids.sorted())
    #expect(ids.allSatisfy { $0.hasSuffix("-v5") })
  }

  @Test func `the limits and thresholds are Gymnasium's`() {
    let limits = Dictionary(uniqueKeysWithValues: MuJoCoTasks.entries.map { ($0.id, $0.maximumEpisodeSteps) })
    #expect(limits["Reacher-v5"] == 50)
    #expect(limits["Pusher-v5"] == 100)
    #expect(limits.values.filter { $0 == 1000 }.count == 9)
    let thresholds = MuJoCoTasks.entries.compactMap(\.rewardThreshold)
    #expect(thresholds == [6000, 4800, 3800, 9100, 950, 0, -3.75, 360])
  }

  @Test(.enabled(if: libraryIsPresent)) func `the simulator says its version`() throws {
    #expect(try MuJoCoTasks.simulatorVersion() == "4.0.0")
  }

  private func entry(_ id: String) throws -> EnvironmentEntry {
    try #require(MuJoCoTasks.entries.first { $0.id == id })
  }
}
