// DiscreteDataTests.swift — actions that are one of several choices stay indices, from the environment to every layout.

import Foundation
import OffPolicy
import Testing

@testable import Formats
@testable import Offline

@Suite struct DiscreteDataTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  static func collect(_ steps: Int = 120) throws -> Dataset {
    let entry = try EnvironmentRegistry.builtIn.entry("Acrobot-v1")
    return try Collector.collect(
      [.random], in: try entry.make(), of: entry.id, steps: steps, seed: 4, source: "random actions")
  }

  static func actions(_ dataset: borrowing Dataset) -> [Float] {
    var actions: [Float] = []
    dataset.forEachTransition { actions += $0.action }
    return actions
  }

  @Test func `random actions are the choices, each of them taken`() throws {
    let data = try Self.collect()
    #expect(data.description.choices == 3 && data.description.actionLow == [0] && data.description.actionHigh == [2])
    #expect(Set(Self.actions(data)) == [0, 1, 2])
  }

  @Test(arguments: [("data", DatasetLayout?.none), ("data.npz", nil), ("data.hdf5", nil), ("data-v0", .minari)])
  func `what is written are the indices, and they are read again`(name: String, layout: DatasetLayout?) throws {
    if name.hasSuffix("hdf5") || layout != nil, !HDF5File.isAvailable { return }
    let data = try Self.collect()
    try DatasetFiles.write(data, to: folder.path(name), as: layout)
    let back = try DatasetFiles.read(folder.path(name))
    #expect(back.digest == data.digest && back.description.choices == 3)
    if name == "data.npz" {
      #expect(try NumPyArchive(contentsOf: folder.path(name)).floats("actions") == Self.actions(data))
    }
    // of its own environment it is too, and of another not
    let tasks = EnvironmentRegistry.builtIn
    #expect(
      try DatasetFiles.read(folder.path(name), DatasetReading(environment: tasks.entry("Acrobot-v1"))).count == 120)
    #expect(throws: DatasetError.self) {
      _ = try DatasetFiles.read(folder.path(name), DatasetReading(environment: tasks.entry("CartPole-v1")))
    }
  }

  @Test func `an action that is none of the choices is refused with its place`() throws {
    var columns = TransitionColumns(try Self.collect(4))
    columns.actions[2] = 0.5
    let error = #expect(throws: DatasetError.self) {
      _ = try columns.makeBuffer(.stored, scaling: ActionScaling(low: [0], high: [2], choices: 3), path: "data.npz")
    }
    #expect(error?.description.contains("actions[2, 0] = 0.5, which is none of the choices 0 to 2") == true)
  }

  @Test func `what learns real-valued actions refuses them by name, and a policy of choices takes no noise`() throws {
    let run = RunConfiguration(
      algorithm: "td3-bc", environment: "Acrobot-v1",
      configuration: try AlgorithmRegistry.entry("td3-bc").defaults.values,
      steps: 10, seed: 1, threads: 1, evaluateEvery: 0, evaluationEpisodes: 1, checkpointEvery: nil)
    let data = try Self.collect()
    let scaling = data.description.scaling
    let buffer = data.takeBuffer()
    let error = #expect(throws: MismatchedRun.self) {
      _ = try OfflineTrainer(
        run, data: buffer.copy(frames: buffer.frameRange.count), scaling: scaling, workers: WorkerPool(count: 1),
        makeEnvironment: nil)
    }
    #expect(error?.description.contains("td3-bc chooses real-valued actions, the data have one of 3 choices") == true)
  }
}
