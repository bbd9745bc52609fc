import Foundation
import OffPolicy
import Testing

@Suite struct ReplayFilesTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A trainer that only collects, stopped at a step that may be moved on.
  final class Collector {
    let trainer: Trainer
    var stop = 0
    init(steps: Int, capacity: Int) throws {
      trainer = try makeTrainer(
        "ddpg", steps: steps, set: ["randomSteps=\(steps)", "bufferCapacity=\(capacity)", "hiddenSizes=2"]
      ) { Probe.numbered() }
      trainer.observer.shouldStop = { [unowned self] in trainer.step >= stop }
    }
    func collect(to step: Int) throws {
      stop = step
      try trainer.train()
    }
  }

  func files(_ directory: RunDirectory) throws -> [String: Data] {
    let url = directory.url.appendingPathComponent("checkpoint")
    var result: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: url.path) where name.hasSuffix(".frames") {
      result[name] = try Data(contentsOf: url.appendingPathComponent(name))
    }
    return result
  }

  func transitions(_ trainer: Trainer) -> [Float] { trainer.buffer.frameValues(trainer.buffer.frameRange) }

  @Test func `a checkpoint appends what is new and rewrites nothing`() throws {
    let collector = try Collector(steps: 40_000, capacity: 40_000)
    let directory = try RunDirectory.create(folder.path("run"), describe(collector.trainer.run))
    var before: [String: Data] = [:]
    for step in [1000, 3000, 17_000, 40_000] {
      try collector.collect(to: step)
      try directory.save(collector.trainer)
      let now = try files(directory)
      for (name, data) in before { #expect(now[name]?.starts(with: data) == true) }
      let frames = now.values.reduce(0) { $0 + $1.count } / (4 * collector.trainer.buffer.frameWidth)
      #expect(frames == Int(collector.trainer.buffer.frameTotal))
      before = now
    }
    #expect(before.count == 3 && before["replay-00000000.frames"]?.count == 16_384 * 6 * 4)
  }

  @Test func `frames that were dropped between two checkpoints do not make the rest look damaged`() throws {
    let collector = try Collector(steps: 3000, capacity: 300)
    let directory = try RunDirectory.create(folder.path("run"), describe(collector.trainer.run))
    for step in [200, 1500, 1600, 3000] {
      try collector.collect(to: step)
      try directory.save(collector.trainer)
      let other = try Collector(steps: 3000, capacity: 300)
      try RunDirectory.open(directory.path).restore(other.trainer)
      #expect(transitions(other.trainer) == transitions(collector.trainer), "step \(step)")
    }
  }

  @Test func `a restored buffer holds the same frames`() throws {
    let collector = try Collector(steps: 20_000, capacity: 20_000)
    let directory = try RunDirectory.create(folder.path("run"), describe(collector.trainer.run))
    try collector.collect(to: 18_000)
    try directory.save(collector.trainer)
    let other = try Collector(steps: 20_000, capacity: 20_000)
    try RunDirectory.open(directory.path).restore(other.trainer)
    #expect(transitions(other.trainer) == transitions(collector.trainer))
    #expect(other.trainer.buffer.count == collector.trainer.buffer.count)
    // and both go on alike
    try collector.collect(to: 20_000)
    try other.collect(to: 20_000)
    #expect(transitions(other.trainer) == transitions(collector.trainer))
  }

  @Test func `a ring that went round keeps only the files it needs, and restores`() throws {
    let collector = try Collector(steps: 60_000, capacity: 5000)
    let directory = try RunDirectory.create(folder.path("run"), describe(collector.trainer.run))
    for step in stride(from: 5000, through: 60_000, by: 5000) {
      try collector.collect(to: step)
      try directory.save(collector.trainer)
      #expect(try files(directory).count <= 2)
    }
    let other = try Collector(steps: 60_000, capacity: 5000)
    try RunDirectory.open(directory.path).restore(other.trainer)
    #expect(transitions(other.trainer) == transitions(collector.trainer))
    #expect(other.trainer.buffer.count == 5000)
  }

  @Test func `frames that the ring dropped before they were saved leave a gap, and the rest restores`() throws {
    let collector = try Collector(steps: 40_000, capacity: 300)
    let directory = try RunDirectory.create(folder.path("run"), describe(collector.trainer.run))
    // into the first file, past the end of what was held, into the next file, and over a whole one
    for step in [100, 200, 2000, 9000, 15_000, 40_000] {
      try collector.collect(to: step)
      try directory.save(collector.trainer)
      let other = try Collector(steps: 40_000, capacity: 300)
      let restoration = try RunDirectory.open(directory.path).restore(other.trainer)
      #expect(restoration.step == step && restoration.problems.isEmpty)
      #expect(transitions(other.trainer) == transitions(collector.trainer))
    }
  }

  @Test func `a checkpoint later than the last kept one leaves no stale bytes`() throws {
    let collector = try Collector(steps: 9000, capacity: 9000)
    let directory = try RunDirectory.create(folder.path("run"), describe(collector.trainer.run))
    try collector.collect(to: 3000)
    try directory.save(collector.trainer)
    let state = try Data(contentsOf: URL(fileURLWithPath: directory.checkpointPath))
    try collector.collect(to: 6000)
    try directory.save(collector.trainer)
    let expected = try files(directory)
    // as if the process had died after the frames were written, before the state was
    try state.write(to: URL(fileURLWithPath: directory.checkpointPath))
    let again = try Collector(steps: 9000, capacity: 9000)
    let reopened = try RunDirectory.open(directory.path)
    try reopened.restore(again.trainer)
    #expect(again.trainer.step == 3000)
    try again.collect(to: 6000)
    try reopened.save(again.trainer)
    #expect(try files(reopened) == expected)
  }

  @Test func `a missing or short file is named in the error`() throws {
    let collector = try Collector(steps: 20_000, capacity: 20_000)
    let directory = try RunDirectory.create(folder.path("run"), describe(collector.trainer.run))
    try collector.collect(to: 18_000)
    try directory.save(collector.trainer)
    let file = directory.url.appendingPathComponent("checkpoint/replay-00000001.frames")
    let data = try Data(contentsOf: file)
    func refusal() throws -> String {
      let other = try Collector(steps: 20_000, capacity: 20_000)
      let error = #expect(throws: RunDirectoryError.self) {
        try RunDirectory.open(directory.path).restore(other.trainer)
      }
      return error?.description ?? ""
    }
    try data.dropLast(1).write(to: file)
    #expect(
      try refusal()
        == "\(directory.path) has no checkpoint that is whole: \(file.path) ends after \(data.count - 1) bytes, "
        + "\(data.count) are needed; it cannot be resumed from")
    try FileManager.default.removeItem(at: file)
    #expect(
      try refusal()
        == "\(directory.path) has no checkpoint that is whole: \(file.path) is missing: it held frames of the replay "
        + "buffer; it cannot be resumed from")
    // a changed bit is found too
    var changed = data
    changed[changed.startIndex + 1000] ^= 4
    try changed.write(to: file)
    #expect(try refusal().contains("\(file.path) is damaged"))
  }
}
