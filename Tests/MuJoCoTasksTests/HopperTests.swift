// HopperTests.swift — what the recordings do not reach: a hopper that sinks upright.

import Environments
import Testing

@testable import MuJoCoTasks

@Suite(.enabled(if: libraryIsPresent)) struct HopperTests {
  @Test(arguments: [(0.69, true), (0.71, false)])
  func `a hopper that is upright but lower than 0.7 m has fallen`(height: Double, hasFallen: Bool) throws {
    // knees bent, so that nothing touches the floor and it sinks by less than a millimetre
    let hopper = try Hopper(Hopper.entry.resolvedOptions)
    try hopper.simulation.reset()
    for (i, position) in [0, height, 0, -2, -1, 0].enumerated() { hopper.simulation.positions[i] = position }
    try hopper.simulation.start()
    let outcome = try Stepper(hopper).step([0, 0, 0])
    #expect(outcome.terminated == hasFallen)
    #expect(abs(outcome.reward - (hasFallen ? 0 : 1)) < 1e-3)
  }
}
