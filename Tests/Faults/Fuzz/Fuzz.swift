// Fuzz.swift — libFuzzer over everything that this program reads from a disk. Run by Tests/Faults/fuzz.
//
// The reader is named by the variable OFFPOLICY_READER; with OFFPOLICY_SEEDS=FOLDER files to begin with are written instead.
//
// Files with a hash are sealed anew after libFuzzer changed them, so that the code behind the hash is reached too.

import Foundation
import OffPolicy
import Offline

@testable import Formats
@testable import Presets
@testable import Report
@testable import Sweeps
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
  "yaml": { bytes in try? readSettings(String(decoding: bytes, as: UTF8.self)) },
  "zoo": { bytes in try? readZoo(Data(bytes)) },
  "sweep": { bytes in try? readPlan(Data(bytes)) },
  "events": { bytes in readEvents(bytes) },
  "requests": { bytes in readRequest(bytes) },
  "report": { bytes in try? readLogs(Data(bytes)) },
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

/// A preset, or a sweep, in YAML.
private func readSettings(_ text: String) throws {
  let value = try YAMLText.value(text, name: "fuzz")
  if let presets = try? PresetFile(value, name: "fuzz", path: "fuzz").presets { try presets.forEach(resolve) }
  if let sweep = try? SweepFile(value, name: "fuzz") {
    for name in sweep.algorithms.prefix(2) {
      let algorithm = try AlgorithmRegistry.entry(name)
      _ = try? SweepPlan(
        algorithms: [algorithm], environments: sweep.environments,
        axes: { entry in try sweep.settings.map { try SettingAxis($0.key, $0.value, for: entry) } },
        seeds: sweep.seeds ?? [0], common: sweep.options)
    }
  }
  if case .object(let members) = value {
    for name in members.keys { _ = PythonLiteral.value(members[name]?.settingText ?? name) }
  }
}

private func resolve(_ preset: Preset) throws {
  let task = try EnvironmentRegistry.builtIn.entry("Pendulum-v1")
  for name in ["sac", "td3", "dqn"] {
    _ = try? ResolvedSettings(of: AlgorithmRegistry.entry(name), for: task, preset: preset, settings: [])
  }
}

private func readZoo(_ data: Data) throws {
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let path = folder.appendingPathComponent("zoo.yml").path
  try data.write(to: URL(fileURLWithPath: path))
  let file = try ZooFile(path)
  for name in ["sac", "td3", "ddpg", "dqn"] {
    let entry = try AlgorithmRegistry.entry(name)
    if let preset = try? file.preset(for: entry, environment: "Pendulum-v1", steps: nil, suggestedSteps: 1000) {
      try resolve(preset)
    }
  }
}

private func readPlan(_ data: Data) throws {
  let place = folder.appendingPathComponent("sweep")
  try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
  try data.write(to: place.appendingPathComponent("sweep.json"))
  guard let plan = try SweepFolder(place.path).plan() else { return }
  for run in plan.runs.prefix(4) { _ = SweepFolder(place.path).state(of: run) }
  _ = try? plan.adding(plan)
}

private func readEvents(_ bytes: [UInt8]) {
  let length = EventRecord.length(bytes, through: 100)
  precondition(0...bytes.count ~= length, "\(length) of \(bytes.count) bytes")
}

/// A request of a browser, as it comes in pieces.
private func readRequest(_ bytes: [UInt8]) {
  let whole = HTTPRequest.read(bytes)
  // what is read of less is what is read of all, or says that more must come
  for part in [bytes.count / 3, bytes.count / 2, max(0, bytes.count - 1)] {
    let reading = HTTPRequest.read(Array(bytes[..<part]))
    if case .whole = reading { precondition(whole == reading, "of \(part) bytes \(reading), of all \(whole)") }
  }
}

/// The four logs of a run, apart by zero bytes, as a report shows them.
private func readLogs(_ data: Data) throws {
  guard let trainer else { preconditionFailure("the small trainer could not be made") }
  let place = folder.appendingPathComponent("run")
  if !FileManager.default.fileExists(atPath: place.path) {
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let description = RunDescription(
      run: trainer.run, versions: .init(program: "0", swift: "6", mujoco: nil, processor: "none"))
    try RunDirectory.write(description, to: Folder(place.path))
  }
  let parts = data.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
  for (index, name) in ["episodes.csv", "metrics.csv", "evaluations.csv", "health.csv"].enumerated() {
    let contents = index < parts.count ? Data(parts[index]) : Data()
    try contents.write(to: place.appendingPathComponent(name))
  }
  let run = try RunData(place.path)
  _ = RunTable([run])
  let page = try ReportPage([run])
  precondition(page.html.hasSuffix("</html>\n"), "half a page")
  for picture in page.pictures { _ = picture.svg }
  _ = page.pictures.first?.png
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
  try put(
    "yaml",
    Array(
      """
      algorithm: sac
      source: a paper
      presets:
        Pendulum-v1: {summary: text, for: [Pendulum-v1], steps: 1e5, environments: 4, settings: {discount: 0.98}}
        Other-v0:
          settings: &all
            criticLearningRate: {value: 1e-3, source: here}
            hiddenSizes: [64, 64]
        Third-v1: {settings: {<<: *all, temperature: {fixed: {value: 0.2}}}}
      """.utf8))
  try put(
    "zoo",
    Array(
      """
      Pendulum-v1: &defaults
        n_timesteps: !!float 20000
        n_envs: 2
        policy: 'MlpPolicy'
        learning_rate: lin_7.3e-4
        policy_kwargs: "dict(log_std_init=-3.67, net_arch=[64, 64])"
        ent_coef: 'auto_0.1'
        train_freq: [1, "episode"]
        noise_type: 'normal'
        noise_std: 0.1
        normalize: "{'norm_obs': True, 'norm_reward': False}"
        replay_buffer_class: HerReplayBuffer
        replay_buffer_kwargs: "dict(n_sampled_goal=4)"
      CartPole-v1:
        <<: *defaults
        exploration_fraction: 0.2
      """.utf8))
  let plan = try SweepPlan(
    algorithms: [AlgorithmRegistry.entry("sac")], environments: ["Pendulum-v1"],
    axes: { [try SettingAxis("discount=0.9,0.99", for: $0)] }, seeds: [0, 1], common: ["--steps", "100"])
  try put("sweep", Array(JSONEncoder().encode(plan)))
  try put(
    "events",
    Array(
      EventRecord.fileVersion(wallTime: 1)
        + EventRecord.scalars([("train/critic_loss", 0.5)], step: 50, wallTime: 2)
        + EventRecord.scalars([("train/critic_loss", 0.25)], step: 150, wallTime: 3)))
  try put("requests", Array("GET /state?a=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\n\r\n".utf8))
  let logs = [
    "step,episode,return,length,terminated,truncated,seconds\n200,1,-1200.5,200,0,1,0.5\n400,2,-900,200,0,1,1.25\n",
    "step,updates,critic_loss,policy_loss,seconds\n300,100,0.5,1.5,0.75\n400,200,0.25,2.5,1.25\n",
    "step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds\n200,2,-11,3,-13,-7,200,0.6\n",
    "step,updates,value_bias,value_scale,value_episodes,value_max,value_bound,seconds\n300,100,-18,58,7,108,1104,0.7\n",
  ]
  try put("report", Array(logs.joined(separator: "\0").utf8))
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
