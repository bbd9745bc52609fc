// SimulationTests.swift — a diverging simulation is noticed, undone and told.

import Environments
import Testing

@testable import MuJoCoTasks

@Suite(.enabled(if: libraryIsPresent)) struct SimulationTests {
  @Test func `a velocity that is huge is a fault that names it`() throws {
    let simulation = try Simulation(model: "half_cheetah", frameSkip: 5)
    try simulation.reset()
    try simulation.start()
    simulation.velocities[3] = 1e12
    let fault = #expect(throws: SimulatorFault.self) { try simulation.step([0, 0, 0, 0, 0, 0].span) }
    #expect(fault?.description.contains("velocity 3") == true)
    #expect(fault?.description.contains("half_cheetah") == true)
  }

  @Test func `a position that is not a number is a fault that names it`() throws {
    let simulation = try Simulation(model: "half_cheetah", frameSkip: 5)
    try simulation.reset()
    try simulation.start()
    simulation.positions[2] = .nan
    let fault = #expect(throws: SimulatorFault.self) { try simulation.step([0, 0, 0, 0, 0, 0].span) }
    #expect(fault?.description.contains("position 2") == true)
  }

  @Test func `a motion that explodes within a step is a fault`() throws {
    // a speed that MuJoCo still takes, and whose forces it cannot
    let simulation = try Simulation(model: "humanoid", frameSkip: 5, computesContactForces: true)
    try simulation.reset()
    for i in 0..<simulation.velocities.count { simulation.velocities[i] = 1e9 }
    try? simulation.start()
    let zero = [Float](repeating: 0, count: 17)
    #expect(throws: SimulatorFault.self) { for _ in 0..<20 { try simulation.step(zero.span) } }
  }

  @Test func `a failed step leaves the state as it was`() throws {
    let simulation = try Simulation(model: "ant", frameSkip: 5, computesContactForces: true)
    try simulation.reset()
    try simulation.start()
    let action = [Float](repeating: 0.5, count: 8)
    try simulation.step(action.span)
    let before = simulation.savedState
    #expect(throws: SimulatorFault.self) { try simulation.step([Float](repeating: .nan, count: 8).span) }
    #expect(simulation.savedState == before)
  }

  @Test func `a reset after a fault starts as any other`() throws {
    let simulation = try Simulation(model: "hopper", frameSkip: 4)
    try simulation.reset()
    try simulation.start()
    let fresh = simulation.savedState
    #expect(throws: SimulatorFault.self) { try simulation.step([.nan, 0, 0].span) }
    try simulation.reset()
    try simulation.start()
    #expect(simulation.savedState == fresh)
    try simulation.step([0, 0, 0].span)
  }

  @Test func `the control step is the substeps' time`() throws {
    let simulation = try Simulation(model: "humanoid", frameSkip: 5)
    #expect(simulation.timestep == 0.003)
    #expect(abs(simulation.controlTimestep - 0.015) < 1e-15)
  }

  @Test func `what the model does not have is an error that names it`() throws {
    let simulation = try Simulation(model: "hopper", frameSkip: 4)
    #expect(throws: MuJoCoUnavailable.self) { try simulation.body("wing") }
    let error = #expect(throws: MuJoCoUnavailable.self) { try simulation.output("feathers") }
    #expect(error?.description == "MuJoCo has no numbers feathers in mjData of the model hopper")
  }
}
