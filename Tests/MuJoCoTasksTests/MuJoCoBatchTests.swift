// MuJoCoBatchTests.swift — an error inside MuJoCo is a fault, and a field keeps the memory that it reads.

import Environments
import Foundation
import Testing

@testable import MuJoCoTasks

@Suite struct MuJoCoBatchTests {
  @Test(.enabled(if: libraryIsPresent)) func `an error inside MuJoCo is a fault, and the process goes on`() throws {
    // so little memory that the first step calls mju_error, whose own handler would end the process
    let bodies = (0..<20).map { "<body pos=\"\(0.05 * Double($0)) 0 0.09\"><freejoint/><geom size=\"0.1\"/></body>" }
    let folder = try TemporaryFolder()
    try folder.create(
      "models/tight.xml",
      contents: "<mujoco><size memory=\"16K\"/><worldbody><geom type=\"plane\" size=\"5 5 1\"/>\(bodies.joined())"
        + "</worldbody></mujoco>")
    let real = try MuJoCoFolder.find()
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/lib", withDestinationPath: real.path + "/lib")
    let batch = try Batch(MuJoCoLibrary(in: MuJoCoFolder(path: folder.path)), model: "tight")
    for _ in 0..<3 {
      let fault = #expect(throws: SimulatorFault.self) { try batch.step(5) }
      #expect(fault?.description.hasPrefix("MuJoCo failed in the step of tight: ") == true)
      #expect(fault?.description.contains("mj_stackAlloc") == true)
    }
  }

  @Test(.enabled(if: libraryIsPresent)) func `MuJoCo writes no log file and a field outlives its batch`() throws {
    let log = FileManager.default.currentDirectoryPath + "/MUJOCO_LOG.TXT"
    let before = FileManager.default.fileExists(atPath: log)
    let positions: Field
    do {
      // half_cheetah.xml uses a deprecated option, of which MuJoCo warns
      let batch = try Batch(MuJoCoLibrary.shared.get(), model: "half_cheetah")
      positions = batch.state(.positions)
    }
    positions[0] = 4
    #expect(positions[0] == 4)
    #expect(positions.count == 9)
    #expect(FileManager.default.fileExists(atPath: log) == before)
  }
}
