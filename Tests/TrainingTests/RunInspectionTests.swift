import Foundation
import OffPolicy
import Testing

@Suite struct RunInspectionTests {
  let tensors = [
    Tensor(name: "b", shape: [2], values: [1, -2]), Tensor(name: "a", shape: [1], values: [0.5]),
  ]

  @Test func `the digest is FNV-1a over names and the words of values in the order of names`() {
    #expect(RunInspection.digest([]) == "cbf29ce484222325")
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    // a name is a word for each of its bytes, then a word of ones
    let words: [UInt32] = [0x61, 0xffff_ffff, 0x3f00_0000, 0x62, 0xffff_ffff, 0x3f80_0000, 0xc000_0000]
    for word in words { hash = (hash ^ UInt64(word)) &* 0x0000_0100_0000_01b3 }
    let text = String(hash, radix: 16)
    #expect(RunInspection.digest(tensors) == String(repeating: "0", count: 16 - text.count) + text)
    #expect(RunInspection.digest(tensors.reversed()) == RunInspection.digest(tensors))
  }

  @Test func `one bit or one letter makes another digest`() {
    let digest = RunInspection.digest(tensors)
    let bit = Tensor(name: "b", shape: [2], values: [Float(1).nextUp, -2])
    let sign = Tensor(name: "a", shape: [1], values: [-0.0])
    let zero = Tensor(name: "a", shape: [1], values: [0.0])
    #expect(RunInspection.digest([bit, tensors[1]]) != digest)
    #expect(RunInspection.digest([tensors[0], Tensor(name: "c", shape: [1], values: [0.5])]) != digest)
    #expect(RunInspection.digest([sign]) != RunInspection.digest([zero]))
  }

  /// A run in a folder, saved.
  func saved(_ folder: TemporaryFolder, _ algorithm: String = "sac", set: [String] = []) throws -> RunDirectory {
    let trainer = try makeTrainer(algorithm, steps: 120, set: set, environment: pendulum)
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    try trainer.train()
    try directory.save(trainer)
    return directory
  }

  func append(_ rows: [String], to name: String, of directory: RunDirectory) throws {
    let handle = try FileHandle(forWritingTo: directory.url.appendingPathComponent(name))
    try handle.seekToEnd()
    for row in rows { try handle.write(contentsOf: Data((row + "\n").utf8)) }
    try handle.close()
  }

  @Test func `before the first checkpoint nothing is known`() throws {
    let folder = try TemporaryFolder()
    let trainer = try makeTrainer("sac", steps: 120, environment: pendulum)
    let inspection = try RunInspection(RunDirectory.create(folder.path("run"), describe(trainer.run)))
    #expect(inspection.digest == nil && inspection.step == 0)
    #expect(inspection.health.status == "unknown" && inspection.health.findings == ["no checkpoint yet"])
  }

  @Test func `the digest is of what was learned, not of the optimiser`() throws {
    let folder = try TemporaryFolder()
    let directory = try saved(folder)
    let inspection = try RunInspection(directory)
    #expect(inspection.step == 120 && inspection.updates == 70 && inspection.episodes == 0)
    let learned = try directory.checkpoint()!.state.algorithm.tensors.filter { !$0.name.contains("optimizer") }
    #expect(inspection.digest == RunInspection.digest(learned) && learned.count > 10)
    #expect(inspection.health.status == "ok" && inspection.health.findings.isEmpty)
  }

  @Test func `returns are those of the evaluations' log`() throws {
    let folder = try TemporaryFolder()
    let directory = try saved(folder)
    try append(["40,1,-3.0", "80,1,9.0", "120,1,4.0"], to: "evaluations.csv", of: directory)
    let inspection = try RunInspection(directory)
    #expect(inspection.lastReturn == 4 && inspection.bestReturn == 9)
  }

  @Test(arguments: [(1e-5, "fell"), (20, "rose"), (0.1, nil)] as [(Double, String?)])
  func `a temperature out of hand is a warning`(temperature: Double, word: String?) throws {
    let folder = try TemporaryFolder()
    let directory = try saved(folder)
    var record = HealthRecord(step: 1000)
    record.temperature = temperature
    directory.log(.health(record))
    let health = try RunInspection(directory).health
    #expect(health.status == (word == nil ? "ok" : "warning"))
    #expect(health.findings.count == (word == nil ? 0 : 1))
    if let word { #expect(health.findings[0].contains("the temperature \(word) to \(temperature)")) }
  }

  @Test func `a parameter that is not finite is a warning with its name`() throws {
    let folder = try TemporaryFolder()
    let directory = try saved(folder)
    let file = try SafeTensors(contentsOf: directory.checkpointPath)
    let name = "algorithm.critic.0.layer.0.bias"
    var values = try file.floats(name)
    values[3] = .nan
    try file.changed(floats: [name: ([values.count], values)]).sealed().write(to: directory.checkpointPath)
    let health = try RunInspection(directory).health
    #expect(health.status == "warning")
    #expect(health.findings.first?.hasPrefix("critic.0.layer.0.bias holds a value that is not finite") == true)
  }
}
