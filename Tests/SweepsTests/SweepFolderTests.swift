import Foundation
import Testing

@testable import Sweeps

@Suite struct SweepFolderTests {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent("sweep-\(UUID().uuidString)").path
  private let plan = SweepPlan(runs: [
    SweepPlan.Run(name: "a", algorithm: "sac", environment: "Pendulum-v1", seed: 1, settings: [], further: [])
  ])

  @Test func `a plan is read as it was written, and a new folder has none`() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = SweepFolder(path)
    #expect(try folder.plan() == nil)
    try folder.write(plan)
    #expect(try folder.plan() == plan)
    #expect(folder.state(of: plan.runs[0]) == .absent)
  }

  @Test(arguments: [
    ("{", "is damaged"), (#"{"formatVersion":1,"runs":[]}"#, "has no runs"),
    (#"{"formatVersion":9,"runs":[]}"#, "has format 9"),
    (
      #"{"formatVersion":1,"runs":[{"name":"../x","algorithm":"sac","environment":"x","seed":0,"settings":[],"further":[]}]}"#,
      "impossible or equal names"
    ),
    (
      #"{"formatVersion":1,"runs":[{"name":"a","algorithm":"sac","environment":"x","seed":0,"settings":[],"further":[]},{"name":"a","algorithm":"sac","environment":"x","seed":0,"settings":[],"further":[]}]}"#,
      "impossible or equal names"
    ),
  ])
  func `a plan that cannot be used is refused in one line`(text: String, says: String) throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = SweepFolder(path)
    try folder.write(plan)
    try text.write(toFile: "\(path)/sweep.json", atomically: true, encoding: .utf8)
    let error = try #require(throws: SweepError.self) { try folder.plan() }
    #expect(error.description.contains(says) && error.description.hasPrefix(path))
  }

  @Test func `a folder with other things in it is no sweep's`() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.createDirectory(atPath: "\(path)/photos", withIntermediateDirectories: true)
    let error = try #require(throws: SweepError.self) { try SweepFolder(path).plan() }
    #expect(error.description.contains("is not a sweep and not empty"))
  }

  @Test func `only what a run leaves before its first checkpoint is begun anew`() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = SweepFolder(path)
    try folder.write(plan)
    let run = "\(path)/runs/a"
    try FileManager.default.createDirectory(atPath: "\(run)/checkpoint", withIntermediateDirectories: true)
    for name in ["lock", "episodes.csv", "run.json.new", "events.out.tfevents.1"] {
      try Data().write(to: URL(fileURLWithPath: "\(run)/\(name)"))
    }
    #expect(folder.state(of: plan.runs[0]) == .absent)
    // somebody took the checkpoints away, and what the run had learned is there still
    try Data().write(to: URL(fileURLWithPath: "\(run)/policy-best.safetensors"))
    #expect(
      folder.state(of: plan.runs[0])
        == .broken(
          "\(run) has no checkpoint, but policy-best.safetensors: move the folder away, and the run begins anew"))
  }

  @Test func `one process at a time holds a sweep`() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = SweepFolder(path)
    try folder.write(plan)
    let held = try folder.lock()
    #expect(throws: SweepError.self) { try folder.lock() }
    withExtendedLifetime(held) {}
  }
}
