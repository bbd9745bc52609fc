// Fuzz.swift — libFuzzer over everything that this program reads from a disk. Run by Tests/Faults/fuzz.
//
// The reader is named by the variable OFFPOLICY_READER; with OFFPOLICY_SEEDS=FOLDER files to begin with are written instead.
//
// Files with a hash are sealed anew after libFuzzer changed them, so that the code behind the hash is reached too.

import Foundation
import OffPolicy
import Offline

@testable import Formats
@testable import Training

/// What reads one input: it may refuse it with an error, and must do nothing else.
private let readers: [String: @Sendable ([UInt8]) -> Void] = [
  "safetensors": { bytes in try? readTensors(SafeTensors(bytes: bytes)) },
  "policy": { bytes in try? readPolicy(bytes) },
  "checkpoint": { bytes in try? readCheckpoint(bytes) },
  "segment": { bytes in try? readSegment(Data(bytes)) },
  "configuration": { bytes in try? readConfiguration(Data(bytes)) },
  "dataset": { bytes in try? readDataset(Data(bytes)) },
  "npy": { bytes in try? readArrays(Data(bytes)) },
  "zip": { bytes in try? readMembers(Data(bytes)) },
  "csv": { bytes in for row in CSVLog.rows(of: Data(bytes)) { _ = HealthRecord(row: row)?.findings } },
]

private func readTensors(_ file: SafeTensors) throws {
  for name in file.names {
    _ = try file.shape(name)
    _ = try? file.floats(name)
    _ = try? file.doubles(name)
    _ = try? file.integers64(name)
  }
  // what was read can be written, and read again as the same
  let again = try SafeTensors(bytes: file.encoded())
  precondition(again.names == file.names && again.metadata == file.metadata, "written and read, it is another file")
}

private func readPolicy(_ bytes: [UInt8]) throws {
  var file = try SafeTensors(bytes: bytes)
  file.metadata["digest"] = PolicyFile.digest(of: file)
  let policy = try PolicyFile.policy(file, path: "fuzz")
  var action = [Float](repeating: 0, count: policy.description.actionLow.count)
  var span = action.mutableSpan
  policy.act([Float](repeating: 0.5, count: policy.description.observationSize).span, into: &span)
}

/// A small trainer that every checkpoint is read into.
nonisolated(unsafe) private let trainer: Trainer? = try? {
  let entry = try AlgorithmRegistry.entry("sac")
  let run = RunConfiguration(
    algorithm: "sac", environment: "Pendulum-v1",
    configuration: try entry.defaults.setting(["hiddenSizes=3", "batchSize=4", "randomSteps=4", "bufferCapacity=64"])
      .values, steps: 64, seed: 1, threads: 1, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: 0)
  let trainer = try Trainer(run, workers: WorkerPool(count: 1)) { try EnvironmentRegistry.builtIn.make("Pendulum-v1") }
  try trainer.train()
  return trainer
}()

private func readCheckpoint(_ bytes: [UInt8]) throws {
  guard let trainer else { preconditionFailure("the small trainer could not be made") }
  var file = try SafeTensors(bytes: bytes)
  file.metadata["digest"] = file.digest
  let state = try TrainerState(file, path: "fuzz")
  let progress = try RunProgress(file, path: "fuzz")
  try trainer.restoreBuffer { $0.removeAll() }
  try trainer.restore(state)
  // what was restored is saved as what was read
  let saved = try TrainerState(trainer.state().encoded(progress), path: "fuzz")
  precondition(saved.step == state.step && saved.algorithm.counts == state.algorithm.counts, "another state came back")
}

private let folder = URL(fileURLWithPath: FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : "/tmp")
  .appendingPathComponent("offpolicy-fuzz-\(ProcessInfo.processInfo.processIdentifier)")

private func readSegment(_ data: Data) throws {
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  try data.write(to: folder.appendingPathComponent("replay-00000000.frames"))
  var buffer = try ReplayBuffer(capacity: 32, observationSize: 2, actionSize: 1)
  var files = ReplayFiles()
  let frames = UInt64(data.count / (buffer.frameWidth * 4))
  try files.restore(0..<frames, digests: [:], in: Folder(folder.path), into: &buffer)
  guard buffer.count > 0 else { return }
  let batch = Batch(count: 8, observationSize: 2, actionSize: 1)
  var stream = RandomStream(seed: 1, purpose: "fuzz")
  buffer.sample(into: batch, using: &stream, workers: WorkerPool(count: 1))
}

/// Both files of a data folder: the description up to the first zero byte, then the frames.
private func readDataset(_ data: Data) throws {
  let parts = data.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  try parts[0].write(to: folder.appendingPathComponent("dataset.json"))
  try (parts.count > 1 ? parts[1] : Data()).write(to: folder.appendingPathComponent("replay-00000000.frames"))
  _ = DatasetStatistics(try DatasetFiles.read(folder.path))
}

/// One member of an archive whose checksum fits.
private func readArrays(_ data: Data) throws {
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let path = folder.appendingPathComponent("data.npz").path
  try ZIPArchive.encode([("x.npy", data)], path: path).write(to: URL(fileURLWithPath: path))
  let archive = try NumPyArchive(contentsOf: path)
  for name in archive.names { _ = try (archive.floats(name), archive.text(name)) }
}

private func readMembers(_ data: Data) throws {
  let archive = try ZIPArchive(data, path: "fuzz")
  for name in archive.names { _ = try? archive.contents(name) }
  // and as what a member holds
  var inflater = Inflater([UInt8](data), size: 1 << 16)
  _ = try? inflater.run()
}

private func readConfiguration(_ data: Data) throws {
  if let description = try? JSONDecoder().decode(RunDescription.self, from: data) {
    _ = try? description.run.algorithmConfiguration()
  }
  let text = String(decoding: data, as: UTF8.self)
  for name in AlgorithmRegistry.all.map(\.name) {
    _ = try? AlgorithmRegistry.entry(name).defaults.setting(text.split(separator: "\n").map(String.init))
  }
}

/// Files to begin with, one for each reader.
private func writeSeeds(_ path: String) throws {
  guard let trainer else { preconditionFailure("the small trainer could not be made") }
  func put(_ reader: String, _ bytes: [UInt8]) throws {
    let folder = URL(fileURLWithPath: path).appendingPathComponent(reader)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: folder.appendingPathComponent("seed"))
  }
  var progress = RunProgress()
  progress.replay = [RunProgress.Replay(frames: trainer.buffer.frameRange, digests: [0: 7])]
  progress.logSizes = ["episodes.csv": 10]
  try put("checkpoint", trainer.state().encoded(progress).encoded())
  try put("policy", trainer.policyFile().encoded())
  try put("safetensors", trainer.policyFile().encoded())
  let frames = trainer.buffer.frameValues(trainer.buffer.frameRange).flatMap { value in
    withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
  }
  try put("segment", frames)
  let description = """
    {"beginsEpisode": true, "digests": {}, "format": "swift-offpolicy dataset", "frames": \(trainer.buffer.frameTotal),
    "transitions": \(trainer.buffer.count), "version": 1, "description": {"actionHigh": [2], "actionLow": [-2],
    "environment": "Pendulum-v1", "observationSize": 3, "source": "fuzz"}}
    """
  try put("dataset", Array(description.utf8) + [0] + frames)
  var arrays = NumPyArchive.Writer()
  arrays.add("x", floats: [1, 2, 3, 4], shape: [2, 2])
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-seed.npz")
  try arrays.write(to: path.path)
  try put("zip", Array(Data(contentsOf: path)))
  try put("npy", Array(ZIPArchive(Data(contentsOf: path), path: "seed").contents("x.npy") ?? Data()))
  let run = RunDescription(
    run: trainer.run, versions: .init(program: "0", swift: "6", mujoco: nil, processor: "none"))
  try put("configuration", Array(JSONEncoder().encode(run)))
  try put("csv", Array((["1000"] + HealthRecord(step: 0).columns.map { "\($0.value)" }).joined(separator: ",").utf8))
}

private let reader: @Sendable ([UInt8]) -> Void = {
  let name = ProcessInfo.processInfo.environment["OFFPOLICY_READER"] ?? ""
  guard let reader = readers[name] else {
    print("OFFPOLICY_READER must be one of \(readers.keys.sorted().joined(separator: ", ")), not \(name)")
    exit(1)
  }
  return reader
}()

/// Called by libFuzzer before anything else.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ argumentCount: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutableRawPointer?>
) -> CInt {
  if let folder = ProcessInfo.processInfo.environment["OFFPOLICY_SEEDS"] {
    do { try writeSeeds(folder) } catch { preconditionFailure("\(error)") }
    exit(0)
  }
  _ = trainer
  return 0
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  reader(Array(UnsafeBufferPointer(start: bytes, count: count)))
  return 0
}
