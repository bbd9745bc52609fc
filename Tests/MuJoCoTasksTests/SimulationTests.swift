// SimulationTests.swift — a diverging simulation is noticed, undone and told.

import Environments
import Foundation
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

  /// A ball on a stick in a free box, driven at the hinge: every kind of thing has a name.
  static let ownModel = """
    <mujoco>
      <option timestep="0.002" gravity="0 0 0"/>
      <worldbody>
        <body name="box" pos="0 0 1">
          <freejoint name="float"/>
          <geom type="box" size="0.1 0.1 0.1" mass="1"/>
          <site name="middle"/>
          <body name="stick" pos="0.2 0 0">
            <joint name="hinge" type="hinge" axis="0 1 0"/>
            <geom type="sphere" size="0.05" pos="0 0 0.3" mass="0.1"/>
          </body>
        </body>
      </worldbody>
      <actuator>
        <motor name="push" joint="hinge" ctrlrange="-2 3"/>
      </actuator>
      <sensor>
        <jointpos name="angle" joint="hinge"/>
        <gyro name="gyro" site="middle"/>
        <jointvel name="spin" joint="hinge"/>
      </sensor>
    </mujoco>
    """

  @Test func `a model of one's own is read by path, and its joints, bodies and sensors by name`() throws {
    let folder = try TemporaryFolder()
    try folder.create("own.xml", contents: Self.ownModel)
    let simulation = try Simulation(modelPath: folder.path + "/own.xml", frameSkip: 3)
    let (float, hinge) = (try simulation.joint("float"), try simulation.joint("hinge"))
    let (angle, gyro, spin) = (
      try simulation.sensor("angle"), try simulation.sensor("gyro"), try simulation.sensor("spin")
    )
    let places = try simulation.output("xpos")
    let stick = try simulation.body("stick")
    #expect(float.positions.count == 7 && float.velocities.count == 6)
    #expect(hinge.positions.count == 1 && hinge.velocities.count == 1)
    #expect(angle.count == 1 && gyro.count == 3 && spin.count == 1)
    #expect(try simulation.actuator("push") == 0)
    #expect(simulation.actionSpace == .box(Box(low: [-2], high: [3])))
    #expect(abs(simulation.controlTimestep - 0.006) < 1e-15)

    try simulation.reset()
    hinge.positions[0] = 0.25
    hinge.velocities[0] = -0.5
    float.velocities[3] = 2
    try simulation.start()
    // q = [place, quaternion, angle], q̇ = [velocity, spin, angle's velocity]
    #expect(simulation.positions[7] == 0.25 && simulation.velocities[6] == -0.5)
    #expect(angle[0] == 0.25 && spin[0] == -0.5)
    #expect((0..<3).map { gyro[$0] } == [2, 0, 0])
    #expect(places.point(stick) == SIMD3(0.2, 0, 1))
    #expect(simulation.controls[0] == 0)
    try simulation.step([1].span)
    #expect(simulation.controls[0] == 1)
    // sensors are as old as all derived fields: the state before the last of three substeps
    #expect(angle[0] != 0.25 && angle[0] != hinge.positions[0])
  }

  @Test func `a name that a model of one's own does not have is one line with the file`() throws {
    let folder = try TemporaryFolder()
    try folder.create("own.xml", contents: Self.ownModel)
    let path = folder.path + "/own.xml"
    let simulation = try Simulation(modelPath: path, frameSkip: 1)
    func message(_ body: () throws -> Void) -> String? {
      #expect(throws: MuJoCoUnavailable.self) { try body() }?.description
    }
    #expect(message { _ = try simulation.joint("knee") } == "the model \(path) has no joint knee")
    #expect(message { _ = try simulation.sensor("eye") } == "the model \(path) has no sensor eye")
    #expect(message { _ = try simulation.actuator("pull") } == "the model \(path) has no actuator pull")
    #expect(message { _ = try simulation.body("hinge") } == "the model \(path) has no body hinge")
  }

  @Test func `a model of one's own that does not load, or leaves a control without a range, is one line`() throws {
    let folder = try TemporaryFolder()
    try folder.create("half.xml", contents: "<mujoco><worldbody><body>")
    try folder.create("free.xml", contents: Self.ownModel.replacingOccurrences(of: " ctrlrange=\"-2 3\"", with: ""))
    try folder.create("dead.xml", contents: "<mujoco><worldbody><body><geom size=\"1\"/></body></worldbody></mujoco>")
    for (file, start, end) in [
      ("half.xml", "the model \(folder.path)/half.xml does not load: ", "; check the path and the file"),
      ("absent.xml", "the model \(folder.path)/absent.xml does not load: ", "; check the path and the file"),
      ("dead.xml", "the model \(folder.path)/dead.xml has no actuator: ", "there is nothing to learn"),
      ("free.xml", "the model \(folder.path)/free.xml gives control 0 no range; ", "write ctrlrange=\"-1 1\""),
    ] {
      let error = #expect(throws: MuJoCoUnavailable.self) {
        try Simulation(modelPath: folder.path + "/" + file, frameSkip: 1)
      }
      #expect(error?.description.hasPrefix(start) == true && error?.description.hasSuffix(end) == true)
      #expect(error?.description.contains("\n") == false)
    }
  }
}
