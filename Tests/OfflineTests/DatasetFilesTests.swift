// DatasetFilesTests.swift — the same nine steps in every layout that people have.

import Foundation
import OffPolicy
import Testing

@testable import Formats
@testable import Offline

@Suite struct DatasetFilesTests {
  static let fixtures = Bundle.module.resourceURL!.appendingPathComponent("Fixtures")
  static let reading = DatasetReading(bounds: ([-2], [2]))
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  static func fixture(_ name: String) -> String { fixtures.appendingPathComponent(name).path }

  /// Every number says where it belongs: see Scripts/fixtures/datasets.py.
  static func check(_ dataset: borrowing Dataset) {
    var (e, t) = (0, 0)
    let lengths = [4, 3, 2]
    dataset.forEachTransition { step in
      #expect(Array(step.observation) == [Float(e), Float(t) / 8] && Array(step.next) == [Float(e), Float(t + 1) / 8])
      let action = (Float(t) - 1) / 2 + Float(e) / 4
      #expect(step.action.count == 1 && abs(step.action[step.action.startIndex] - action / 2) < 1e-6)
      #expect(step.reward == Float(10 * e + t))
      let isLast = t + 1 == lengths[e]
      #expect(step.terminated == (isLast && e == 0) && step.truncated == (isLast && e == 1))
      #expect(step.isStart == (t == 0) && step.isBroken == (isLast && e == 2))
      t += 1
      if isLast { (e, t) = (e + 1, 0) }
    }
    #expect(e == 3 && dataset.count == 9)
    #expect(dataset.starts() == [0, 0, 1, 0, 2, 0])
  }

  func refusal(_ path: String, _ reading: DatasetReading = Self.reading) -> String {
    do {
      _ = try DatasetFiles.read(path, reading)
      return "was read"
    } catch { return "\(error)" }
  }

  @Test(arguments: ["numpy.npz", "numpy-doubles.npz"])
  func `NumPy's arrays are read with every number in its place`(name: String) throws {
    Self.check(try DatasetFiles.read(Self.fixture(name), Self.reading))
  }

  @Test(.enabled(if: HDF5File.isAvailable), arguments: ["d4rl.hdf5", "minari-v0"])
  func `D4RL's and Minari's files are read with every number in its place`(name: String) throws {
    let reading = name == "minari-v0" ? DatasetReading() : Self.reading
    let dataset = try DatasetFiles.read(Self.fixture(name), reading)
    Self.check(dataset)
    #expect(dataset.description.environment == (name == "minari-v0" ? "Counting-v0" : nil))
    #expect(dataset.description.actionLow == [-2] && dataset.description.actionHigh == [2])
  }

  @Test(arguments: [
    ("data", DatasetLayout?.none), ("data.npz", nil), ("data.hdf5", nil), ("data-v0", .minari), ("data.x", .d4rl),
  ])
  func `what is written is read, to the bit`(name: String, layout: DatasetLayout?) throws {
    if name.hasSuffix("hdf5") || layout != nil, !HDF5File.isAvailable { return }
    let dataset = try DatasetFiles.read(Self.fixture("numpy.npz"), Self.reading)
    var path = folder.path(name)
    // a folder may be named with a slash at its end
    try DatasetFiles.write(dataset, to: layout == .minari || name == "data" ? path + "/" : path, as: layout)
    if layout == .d4rl {
      path = folder.path("renamed.hdf5")
      try FileManager.default.moveItem(atPath: folder.path(name), toPath: path)
    }
    let back = try DatasetFiles.read(path)
    Self.check(back)
    #expect(back.digest == dataset.digest)
    #expect(back.description.actionLow == [-2])
    let error = #expect(throws: DatasetError.self) { try DatasetFiles.write(back, to: path) }
    #expect(error?.description.contains("exists already") == true)
  }

  @Test(.enabled(if: HDF5File.isAvailable))
  func `Minari's folder says what Minari asks for: spaces, task, counts, an id for each episode`() throws {
    var dataset = try DatasetFiles.read(Self.fixture("numpy.npz"), Self.reading)
    dataset.description.environment = "InvertedDoublePendulum-v5"
    let path = folder.path("mine-v0")
    try DatasetFiles.write(dataset, to: path, as: .minari)
    let text = try String(contentsOfFile: "\(path)/data/metadata.json", encoding: .utf8)
    let metadata = try JSONValue(text: text)
    #expect(metadata["dataset_id"] == .string("mine-v0") && metadata["data_format"] == .string("hdf5"))
    #expect(metadata["total_episodes"] == .number(3) && metadata["total_steps"] == .number(9))
    #expect(
      metadata["action_space"]
        == .string(#"{"type": "Box", "dtype": "float32", "shape": [1], "low": [-2.0], "high": [2.0]}"#))
    #expect(
      metadata["observation_space"]
        == .string(
          #"{"type": "Box", "dtype": "float32", "shape": [2], "low": [-Infinity, -Infinity], "high": [Infinity, Infinity]}"#
        ))
    guard case .string(let spec) = metadata["env_spec"] else { throw DatasetError(path, "has no env_spec") }
    let entryPoint = try JSONValue(text: spec)["entry_point"]
    #expect(
      entryPoint
        == .string("gymnasium.envs.mujoco.inverted_double_pendulum_v5:InvertedDoublePendulumEnv"))
    let file = try HDF5File(reading: "\(path)/data/main_data.hdf5")
    #expect(try file.shape("episode_1/observations") == [4, 2] && file.shape("episode_1/actions") == [3, 1])
    #expect(!file.contains("episode_3"))
    #expect(try DatasetFiles.read(path).description.environment == "InvertedDoublePendulum-v5")
  }

  @Test func `tasks are told to Minari with the time limits that they have here`() {
    var told = 0
    for entry in EnvironmentRegistry.standard.entries {
      guard let task = MinariDataset.registered(entry.id) else { continue }
      #expect(task.steps == entry.maximumEpisodeSteps, "\(entry.id)")
      told += 1
    }
    #expect(told == 16)
  }

  @Test func `files without time-outs are refused unless the user says how to read them`() throws {
    let path = Self.fixture("numpy-bare.npz")
    #expect(refusal(path).contains("has no timeouts") && refusal(path).contains("say how to read it"))
    var reading = Self.reading
    reading.timeouts = .fromNextObservations
    #expect(refusal(path, reading).contains("has no next_observations"))
    reading.timeouts = .none
    // the end of episode 1 runs on into episode 2, as the user said; the last row's next observation is not known
    let none = DatasetStatistics(try DatasetFiles.read(path, reading))
    #expect(none.transitions == 8 && none.terminated == 1 && none.truncated == 0 && none.starts == 2)
    reading.timeouts = .every(3)
    // the clock cuts at 3: episode 0's third step, and episode 1's last; both lead to observations nobody wrote down
    let every = DatasetStatistics(try DatasetFiles.read(path, reading))
    #expect(every.transitions == 6 && every.terminated == 1, "\(every)")
  }

  @Test func `bounds must be known, and actions within them`() throws {
    let path = Self.fixture("numpy.npz")
    #expect(refusal(path, DatasetReading()).contains("does not say the bounds of its actions"))
    #expect(refusal(path, DatasetReading(bounds: ([-0.5], [0.5]))).contains("outside [-0.5, 0.5]"))
    #expect(refusal(path, DatasetReading(bounds: ([-2, -2], [2, 2]))).contains("bounds for 2"))
    let pendulum = try EnvironmentRegistry.builtIn.entry("Pendulum-v1")
    #expect(refusal(path, DatasetReading(environment: pendulum)).contains("Pendulum-v1 has 3 and 1"))
  }

  @Test func `to look at data their own range will do, and the description says so`() throws {
    var reading = DatasetReading()
    reading.acceptsUnknownBounds = true
    let dataset = try DatasetFiles.read(Self.fixture("numpy.npz"), reading)
    #expect(dataset.description.boundsAreOfData == true && dataset.count == 9)
    // (t − 1) / 2 + e / 4: least at episode 0's first step, greatest at its last
    #expect(dataset.description.actionLow == [-0.5] && dataset.description.actionHigh == [1])
    reading.bounds = ([-2], [2])
    let known = try DatasetFiles.read(Self.fixture("numpy.npz"), reading)
    #expect(known.description.boundsAreOfData == nil && known.description.actionLow == [-2])
  }

  @Test func `what is no data is refused`() throws {
    #expect(refusal(folder.path("missing")).contains("does not exist"))
    #expect(refusal(folder.url.path).contains("neither dataset.json nor run.json"))
    try Data("x".utf8).write(to: folder.url.appendingPathComponent("data.csv"))
    #expect(refusal(folder.path("data.csv")).contains("unknown extension"))
    try Data("x".utf8).write(to: folder.url.appendingPathComponent("data.npz"))
    #expect(refusal(folder.path("data.npz")).contains("no zip file"))
    if HDF5File.isAvailable {
      try Data("x".utf8).write(to: folder.url.appendingPathComponent("data.hdf5"))
      #expect(refusal(folder.path("data.hdf5")).contains("is no HDF5 file"))
      #expect(refusal(Self.fixture("d4rl-bare.hdf5")).contains("has no timeouts"))
    }
  }

  @Test(arguments: [
    ("observationSize", Int.max, "impossible sizes"), ("observationSize", 1 << 20, "needed"),
    ("frames", 1 << 30, "needed"), ("frames", -1, "not a description"), ("frames", Int.max, "impossible sizes"),
  ])
  func `a description of more than the files hold is refused before memory is taken`(
    key: String, value: Int, reason: String
  ) throws {
    let path = folder.path("data")
    try DatasetFiles.write(try DatasetFiles.read(Self.fixture("numpy.npz"), Self.reading), to: path)
    let file = URL(fileURLWithPath: path + "/dataset.json")
    var text = try String(contentsOf: file, encoding: .utf8)
    text.replace(try Regex("\"\(key)\" : [0-9]+"), with: "\"\(key)\" : \(value)")
    try Data(text.utf8).write(to: file)
    #expect(refusal(path).contains(reason), "\(refusal(path))")
  }

  @Test func `a folder whose frames were changed is refused`() throws {
    let path = folder.path("data")
    try DatasetFiles.write(try DatasetFiles.read(Self.fixture("numpy.npz"), Self.reading), to: path)
    let frames = URL(fileURLWithPath: path + "/replay-00000000.frames")
    var bytes = try Data(contentsOf: frames)
    bytes[20] ^= 1
    try bytes.write(to: frames)
    #expect(refusal(path).contains("is damaged"))
    try bytes.prefix(40).write(to: frames)
    #expect(refusal(path).contains("ends after 40 bytes"))
  }

  @Test func `a run's replay buffer is read as data, its running episode included`() throws {
    let trainer = try makeTrainer("sac", steps: 130, set: ["bufferCapacity=90"], environment: pendulum)
    let path = folder.path("run")
    let directory = try RunDirectory.create(path, describe(trainer.run))
    trainer.observer.stepped = { if $0 == 60 { try directory.save(trainer) } }
    try trainer.train()
    try directory.save(trainer)
    let dataset = try DatasetFiles.read(path)
    let statistics = DatasetStatistics(dataset)
    #expect(statistics.transitions == 90 && statistics.broken == 1)
    // the episode's beginning has been dropped
    #expect(statistics.starts == 0)
    #expect(dataset.description.actionHigh == [2] && dataset.description.environment == "Probe-v0")
    try DatasetFiles.write(dataset, to: folder.path("copy"))
    #expect(DatasetStatistics(try DatasetFiles.read(folder.path("copy"))) == statistics)
  }
}
