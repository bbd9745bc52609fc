// D4RLDataset.swift — data in one HDF5 file, as D4RL lays them out.

import Formats
import Training

enum D4RLDataset {
  static func read(_ path: String, _ reading: DatasetReading) throws -> Dataset {
    let file = try HDF5File(reading: path)
    for name in ["observations", "actions", "rewards", "terminals"] where !file.contains(name) {
      throw DatasetError(path, "has no array \(name): it is not laid out as D4RL does")
    }
    let (observations, actions) = (try file.shape("observations"), try file.shape("actions"))
    guard observations.count == 2, actions.count == 2, observations[1] > 0, actions[1] > 0 else {
      throw DatasetError(
        path, "has observations of shape \(observations) and actions of shape \(actions): rows of numbers are needed")
    }
    var columns = TransitionColumns(observationSize: observations[1], actionSize: actions[1])
    columns.observations = try file.floats("observations")
    columns.actions = try file.floats("actions")
    columns.rewards = try file.floats("rewards")
    columns.terminals = try file.floats("terminals").map { $0 != 0 }
    if file.contains("timeouts") { columns.timeouts = try file.floats("timeouts").map { $0 != 0 } }
    if file.contains("next_observations") { columns.nextObservations = try file.floats("next_observations") }
    var bounds: (low: [Float], high: [Float])?
    if file.contains("metadata/action_low"), file.contains("metadata/action_high") {
      bounds = (try file.floats("metadata/action_low"), try file.floats("metadata/action_high"))
    }
    return try DatasetFiles.dataset(
      columns, environment: file.text("metadata/environment"), bounds: bounds, path: path, reading)
  }

  static func write(_ dataset: borrowing Dataset, to path: String) throws {
    let columns = TransitionColumns(dataset)
    let (n, s, a) = (columns.count, columns.observationSize, columns.actionSize)
    let description = dataset.description
    try DatasetFiles.writeWhole(path) { partial in
      let file = try HDF5File(writing: partial)
      try file.write("observations", floats: columns.observations, shape: [n, s])
      try file.write("actions", floats: columns.actions, shape: [n, a])
      try file.write("rewards", floats: columns.rewards, shape: [n])
      try file.write("terminals", booleans: columns.terminals)
      try file.write("timeouts", booleans: columns.timeouts ?? [])
      try file.write("next_observations", floats: columns.nextObservations ?? [], shape: [n, s])
      try file.makeGroup("metadata")
      try file.write("metadata/action_low", floats: description.actionLow, shape: [a])
      try file.write("metadata/action_high", floats: description.actionHigh, shape: [a])
      if let environment = description.environment {
        try file.write("metadata/environment", text: environment)
      }
      try file.close()
    }
  }
}
