// ReleasedFilesTests.swift — the runs of every released version are still read, and go on.
// Fixtures/released/VERSION/ALGORITHM is made by Scripts/fixtures/released-files with that version's own program.

import Foundation
import OffPolicy
import Testing

@Suite struct ReleasedFilesTests {
  static let runs =
    FileManager.default.subpaths(atPath: root.path)?.filter { $0.split(separator: "/").count == 2 } ?? []
  static let root = (Bundle.module.resourceURL ?? Bundle.module.bundleURL).appendingPathComponent("Fixtures/released")

  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A copy that may be written to.
  func open(_ run: String) throws -> RunDirectory {
    try FileManager.default.copyItem(atPath: Self.root.appendingPathComponent(run).path, toPath: folder.path("run"))
    return try RunDirectory.open(folder.path("run"))
  }

  @Test func `there are runs of version 0.1.0, of three algorithms`() {
    #expect(Set(Self.runs).isSuperset(of: ["0.1.0/sac", "0.1.0/td3", "0.1.0/ddpg"]))
  }

  @Test(arguments: runs)
  func `a run of a released version has the digest that its own program gave it`(run: String) throws {
    let inspection = try RunInspection(open(run))
    let expected = try String(contentsOf: Self.root.appendingPathComponent("\(run)/digest"), encoding: .utf8)
    #expect(inspection.digest == expected.trimmingCharacters(in: .whitespacesAndNewlines))
    #expect(inspection.step == 330 && inspection.episodes == 1 && inspection.updates == 280)
  }

  @Test(arguments: runs)
  func `a run of a released version goes on from where it stood`(run: String) throws {
    let directory = try open(run)
    var configuration = directory.description.run
    configuration.steps = 450
    let trainer = try Trainer(configuration, workers: WorkerPool(count: 1)) {
      try EnvironmentRegistry.builtIn.make("Pendulum-v1")
    }
    let restoration = try directory.restore(trainer)
    #expect(restoration.step == 330 && restoration.problems.isEmpty)
    #expect(trainer.buffer.count == 200)
    try trainer.train()
    #expect(trainer.step == 450 && trainer.updates == 400 && trainer.episodes == 2)
  }

  @Test(arguments: runs)
  func `a policy of a released version acts`(run: String) throws {
    for name in ["policy.safetensors", "policy-best.safetensors"] {
      let policy = try PolicyFile.load(Self.root.appendingPathComponent("\(run)/\(name)").path)
      var action: [Float] = [.nan]
      var span = action.mutableSpan
      policy.act([1, 0, 0.5].span, into: &span)
      #expect(abs(action[0]) <= 2)
    }
  }
}
