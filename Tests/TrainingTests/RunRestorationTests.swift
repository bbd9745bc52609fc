// RunRestorationTests.swift — what others do to the files of a run costs no checkpoint, and no run takes another's.

import Foundation
import OffPolicy
import Testing

@testable import Platform
@testable import Training

@Suite struct RunRestorationTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  static let logs = ["episodes.csv", "metrics.csv", "evaluations.csv", "health.csv"]

  func trainer(_ steps: Int = 4000, seed: UInt64 = 1, set settings: [String] = []) throws -> Trainer {
    try makeTrainer(
      "td3", steps: steps, seed: seed, evaluateEvery: 500, evaluationEpisodes: 1,
      set: ["hiddenSizes=4", "batchSize=4", "randomSteps=20"] + settings, environment: pendulum)
  }

  /// A run that has saved itself at a step.
  func saved(at step: Int, _ name: String = "run", seed: UInt64 = 1) throws -> RunDirectory {
    let trainer = try trainer(seed: seed)
    let directory = try RunDirectory.create(folder.path(name), describe(trainer.run))
    let session = TrainingSession(trainer, directory)
    session.shouldStop = { [unowned trainer] in trainer.step >= step }
    _ = try session.train()
    return directory
  }

  func rows(_ directory: RunDirectory, _ name: String) throws -> [String] {
    try String(contentsOfFile: directory.path + "/" + name, encoding: .utf8)
      .split(whereSeparator: \.isNewline).map { String($0[..<($0.lastIndex(of: ",") ?? $0.endIndex)]) }
  }

  @Test(
    arguments: logs, ["missing", "empty", "a row short", "CRLF", "half a row", "no end of line", "a folder", "a link"])
  func `a log costs no checkpoint, whatever became of it`(log: String, change: String) throws {
    var directory: RunDirectory? = try saved(at: 2200)
    let path = folder.path("run/\(log)")
    let whole = try String(contentsOfFile: path, encoding: .utf8)
    directory = nil
    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    switch change {
    case "missing": try FileManager.default.removeItem(atPath: path)
    case "empty": try write("")
    case "a row short": try write(whole.split(separator: "\n").dropLast().joined(separator: "\n") + "\n")
    case "CRLF": try write(whole.replacingOccurrences(of: "\n", with: "\r\n"))
    case "half a row": try write(String(whole.dropLast(7)))
    case "no end of line": try write(String(whole.dropLast()))
    case "a folder":
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    default:
      try FileManager.default.moveItem(atPath: path, toPath: folder.path("elsewhere"))
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.path("elsewhere"))
    }
    _ = directory
    let reopened = try RunDirectory.open(folder.path("run"))
    let trainer = try trainer()
    let restoration = try reopened.restore(trainer)
    #expect(restoration.step == 2200 && restoration.problems.isEmpty)
    #expect(restoration.notes.count == 1 && restoration.notes[0].hasPrefix(log), "\(restoration.notes)")
    #expect(try TrainingSession(trainer, reopened).train())
    if change == "a link" {
      #expect(try String(contentsOfFile: folder.path("elsewhere"), encoding: .utf8) == whole)
    } else if change != "a folder" {
      // every row is whole, in order, and the run's last one is there
      let found = try rows(reopened, log)
      let steps = found.dropFirst().compactMap { Int($0.split(separator: ",")[0]) }
      #expect(steps == steps.sorted() && steps.count == found.count - 1 && steps.last == 4000)
      #expect(Set(found.map { $0.split(separator: ",").count }).count == 1, "\(found)")
    }
    #expect(try RunDirectory.open(folder.path("run")).restore(self.trainer()).step == 4000)
  }

  @Test func `logs that were cut back and written again are those of a run that never stopped`() throws {
    let whole = try saved(at: 4001, "whole")
    var parts: RunDirectory? = try saved(at: 2200, "parts")
    parts = nil
    for log in Self.logs {
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path("parts/\(log)")))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("2400,12,-1,200,0,1,3.5\n2600,1".utf8))
    }
    _ = parts
    let reopened = try RunDirectory.open(folder.path("parts"))
    let trainer = try trainer()
    #expect(try reopened.restore(trainer).notes.isEmpty)
    #expect(try TrainingSession(trainer, reopened).train())
    for log in Self.logs { #expect(try rows(reopened, log) == rows(whole, log)) }
  }

  @Test(arguments: logs, ["removed", "replaced", "emptied", "appended to", "a folder"])
  func `a log that others change while the run trains costs no checkpoint`(log: String, change: String) throws {
    let trainer = try trainer()
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    let session = TrainingSession(trainer, directory)
    let path = folder.path("run/\(log)")
    var notes: [String] = []
    var errors: [any Error] = []
    session.noticed = {
      switch $0 {
      case .changed(let note): notes.append(note)
      case .notSaved(_, let error): errors.append(error)
      case .dumped: break
      }
    }
    session.shouldStop = { [unowned trainer] in trainer.step >= 2200 }
    _ = try session.train()
    let before = try rows(directory, log)
    switch change {
    case "removed": try FileManager.default.removeItem(atPath: path)
    case "replaced":
      try Data(contentsOf: URL(fileURLWithPath: path)).write(to: URL(fileURLWithPath: path), options: .atomic)
    case "emptied": try Data().write(to: URL(fileURLWithPath: path))
    case "appended to":
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("a remark".utf8))
    default:
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    session.shouldStop = { false }
    #expect(try session.train())
    #expect(errors.isEmpty)
    #expect(try directory.checkpoint()?.state.step == 4000)
    if change != "a folder" {
      #expect(notes.count == 1 && notes[0].hasPrefix(log), "\(notes)")
      let after = try rows(directory, log)
      #expect(after.last?.hasPrefix("4000,") == true)
      #expect(change == "emptied" ? after.first == before.first : Array(after.prefix(before.count)) == before)
      #expect(!after.contains { $0.contains("remark") })
    }
    #expect(try RunDirectory.open(folder.path("run")).restore(self.trainer()).problems.isEmpty)
  }

  @Test(arguments: ["the folder", "a file", "half a file", "other bytes", "a link"])
  func `replay files that others remove or change are written again`(change: String) throws {
    let trainer = try trainer()
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    let session = TrainingSession(trainer, directory)
    var notes: [String] = []
    session.noticed = { if case .changed(let note) = $0 { notes.append(note) } }
    session.shouldStop = { [unowned trainer] in trainer.step >= 2200 }
    _ = try session.train()
    let path = folder.path("run/checkpoint/replay-00000000.frames")
    let file = URL(fileURLWithPath: path)
    var bytes = try Data(contentsOf: file)
    switch change {
    case "the folder": try FileManager.default.removeItem(atPath: folder.path("run/checkpoint"))
    case "a file": try FileManager.default.removeItem(atPath: path)
    case "half a file": try bytes.prefix(bytes.count / 2).write(to: file)
    case "other bytes":
      bytes[100] ^= 1
      try bytes.write(to: file)
    default:
      try FileManager.default.moveItem(atPath: path, toPath: folder.path("elsewhere"))
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.path("elsewhere"))
    }
    session.shouldStop = { false }
    #expect(try session.train())
    #expect(notes.count == 1 && notes[0].hasPrefix("checkpoint/replay-00000000.frames was removed or changed"))
    let other = try self.trainer()
    #expect(try RunDirectory.open(folder.path("run")).restore(other).step == 4000)
    #expect(other.buffer.frameValues(other.buffer.frameRange) == trainer.buffer.frameValues(trainer.buffer.frameRange))
    if change == "a link" { #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("elsewhere"))) == bytes) }
  }

  @Test func `a file of frames that was touched or copied back is taken as it is`() throws {
    let trainer = try trainer()
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    let session = TrainingSession(trainer, directory)
    session.shouldStop = { [unowned trainer] in trainer.step >= 2200 }
    _ = try session.train()
    let file = URL(fileURLWithPath: folder.path("run/checkpoint/replay-00000000.frames"))
    try Data(contentsOf: file).write(to: file, options: .atomic)
    var notes: [String] = []
    session.noticed = { if case .changed(let note) = $0 { notes.append(note) } }
    session.shouldStop = { false }
    #expect(try session.train() && notes.isEmpty)
    #expect(try RunDirectory.open(folder.path("run")).restore(self.trainer()).problems.isEmpty)
  }

  @Test func `a run that is renamed while it trains leaves the run that took its name alone`() throws {
    let trainer = try trainer()
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    let session = TrainingSession(trainer, directory)
    var notes: [String] = []
    session.noticed = { if case .changed(let note) = $0 { notes.append(note) } }
    session.shouldStop = { [unowned trainer] in trainer.step >= 1100 }
    _ = try session.train()
    try FileManager.default.moveItem(atPath: folder.path("run"), toPath: folder.path("kept"))
    _ = try saved(at: 600, seed: 9)
    func files() throws -> [String: Data] {
      var files: [String: Data] = [:]
      for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path("run")) {
        files[name] = FileManager.default.contents(atPath: folder.path("run/\(name)"))
      }
      return files
    }
    let before = try files()
    session.shouldStop = { false }
    #expect(try session.train())
    #expect(try files() == before)
    #expect(directory.path.hasSuffix("/kept") && notes.count == 1 && notes[0].contains("was moved"))
    #expect(try RunDirectory.open(folder.path("kept")).restore(self.trainer()).step == 4000)
    #expect(try RunDirectory.open(folder.path("run")).restore(self.trainer(seed: 9)).step == 600)
  }

  @Test func `a checkpoint of another seed or other settings is not this run's`() throws {
    _ = try saved(at: 600)
    func refusal(_ trainer: Trainer) throws -> String {
      let error = #expect(throws: RunDirectoryError.self) { try RunDirectory.open(folder.path("run")).restore(trainer) }
      return error?.description ?? ""
    }
    #expect(
      try refusal(trainer(seed: 2)).contains("is of another run: its seed was 1 and is 2; it cannot be resumed from"))
    #expect(try refusal(trainer(set: ["discount=0.9"])).contains("its discount was 0.99 and is 0.9"))
    // what may change in between
    for other in [
      try trainer(8000),
      try makeTrainer(
        "td3", steps: 4000, threads: 2, evaluateEvery: 100, evaluationEpisodes: 2,
        set: ["hiddenSizes=4", "batchSize=4", "randomSteps=20"], environment: pendulum),
    ] {
      #expect(try RunDirectory.open(folder.path("run")).restore(other).step == 600)
    }
    // and settings that were changed on purpose
    let changed = try trainer(set: ["discount=0.9"])
    #expect(try RunDirectory.open(folder.path("run")).restore(changed, writtenBy: trainer().run).step == 600)
  }

  @Test func `a checkpoint of another run is passed over for this run's own, and kept`() throws {
    _ = try saved(at: 600)
    _ = try saved(at: 800, "other", seed: 2)
    let states = ["run", "other"].map { URL(fileURLWithPath: folder.path("\($0)/checkpoint/state.safetensors")) }
    let foreign = try Data(contentsOf: states[1])
    try foreign.write(to: states[0])
    let restoration = try RunDirectory.open(folder.path("run")).restore(trainer())
    #expect(restoration.problems.count == 1 && restoration.problems[0].contains("its seed was 2 and is 1"))
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: folder.path("run/checkpoint/state-damaged.safetensors"))) == foreign)
  }

  @Test func `a checkpoint without settings, as it was written before it had them, is taken`() throws {
    let directory = try saved(at: 600)
    let file = try SafeTensors(contentsOf: directory.checkpointPath)
    #expect(file.contains("run.identity") && file.contains("run.settings"))
    try file.changed(without: ["run.identity", "run.settings"]).sealed().write(to: directory.checkpointPath)
    #expect(try RunDirectory.open(folder.path("run")).restore(trainer(seed: 2)).step == 600)
  }

  @Test func `a best policy that could not be written is written by the next save, or the next process`() throws {
    let trainer = try trainer()
    var directory: RunDirectory? = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    let obstacle = folder.path("run/policy-best.safetensors")
    try FileManager.default.createDirectory(atPath: obstacle + "/x", withIntermediateDirectories: true)
    var session: TrainingSession? = TrainingSession(trainer, directory!)
    session?.shouldStop = { [unowned trainer] in trainer.step >= 700 }
    _ = try session?.train()
    let best = trainer.bestReturn
    (session, directory) = (nil, nil)
    try FileManager.default.removeItem(atPath: obstacle)
    // the process ended; another one goes on
    let other = try self.trainer()
    let reopened = try RunDirectory.open(folder.path("run"))
    try reopened.restore(other)
    #expect(other.bestReturn == best)
    let next = TrainingSession(other, reopened)
    try next.start()
    #expect(try PolicyFile.load(obstacle).description.step == 500)
    try next.save()
    #expect(try !SafeTensors(contentsOf: reopened.checkpointPath).contains("progress.best_policy"))
  }

  @Test func `every number of the state is looked at`() throws {
    let trainer = try trainer()
    trainer.observer.shouldStop = { [unowned trainer] in trainer.step >= 900 }
    try trainer.train()
    let state = try trainer.state()
    #expect(state.firstNonFinite == nil)
    let changes: [(String, (inout TrainerState) -> Void)] = [
      ("value 1 of the state", { $0.environments[0]?.values[1] = .nan }),
      ("return of the episode", { $0.lanes[0].episodeReturn = .infinity }),
      ("observation[2]", { $0.lanes[0].observation[2] = .nan }),
      ("best_return", { $0.bestReturn = .nan }),
      ("metrics.sums[1]", { $0.metrics.sums[1] = .nan }),
      ("metrics.counts[0]", { $0.metrics.counts[0] = .infinity }),
      ("metrics.temperature", { $0.metrics.temperature = .infinity }),
      ("health.largest_reward", { $0.health.largestReward = .nan }),
      ("health.predictions[0]", { $0.health.predictions = [.nan] }),
      ("health.outcomes[0]", { $0.health.outcomes = [.infinity] }),
      ("lane.predicted_value[0]", { $0.health.predicted = [.infinity] }),
      ("lane.outcome[0]", { $0.health.outcome = [.nan] }),
      ("lane.discount_power[0]", { $0.health.weight = [.nan] }),
      ("normalizer.mean[1]", { $0.normalization["normalizer.mean"] = [0, .nan] }),
      ("sampler.largest", { $0.sampler.numbers["largest"] = .nan }),
      ("sampler.priorities[0]", { $0.sampler.arrays["priorities"] = [.infinity] }),
      ("log_temperature", { $0.algorithm.numbers["log_temperature"] = .nan }),
    ]
    for (name, change) in changes {
      var changed = state
      change(&changed)
      #expect(changed.firstNonFinite?.hasPrefix(name) == true, "\(name): \(changed.firstNonFinite ?? "nothing")")
    }
  }
}
