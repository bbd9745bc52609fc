// NumPyDataset.swift — data in one .npz file, with D4RL's names.

import Formats
import Training

enum NumPyDataset {
  /// What is read of a file.
  private static let arrays: Set = [
    "observations", "actions", "rewards", "terminals", "timeouts", "next_observations", "metadata/action_low",
    "metadata/action_high", "metadata/environment", "metadata/action_count",
  ]

  static func read(_ path: String, _ reading: DatasetReading) throws -> Dataset {
    let file = try NumPyArchive(contentsOf: path, only: arrays)
    func sizes(_ name: String) throws -> (rows: Int, width: Int) {
      guard let shape = file[name]?.shape else {
        throw DatasetError(path, "has no array \(name): it holds \(file.names.joined(separator: ", "))")
      }
      guard shape.count == 2 || shape.count == 1 else {
        throw DatasetError(path, "has \(name) of shape \(shape): rows of numbers are needed")
      }
      return (shape[0], shape.count == 2 ? shape[1] : 1)
    }
    let (observations, actions) = try (sizes("observations"), sizes("actions"))
    guard observations.width > 0, actions.width > 0 else {
      throw DatasetError(path, "has \(observations.width) observations and \(actions.width) actions in a row")
    }
    var columns = TransitionColumns(observationSize: observations.width, actionSize: actions.width)
    columns.observations = try file.floats("observations")
    columns.actions = try file.floats("actions")
    columns.rewards = try file.floats("rewards")
    columns.terminals = try TransitionColumns.flags(file.floats("terminals"), "terminals", path)
    if file["timeouts"] != nil {
      columns.timeouts = try TransitionColumns.flags(file.floats("timeouts"), "timeouts", path)
    }
    if file["next_observations"] != nil { columns.nextObservations = try file.floats("next_observations") }
    var bounds: (low: [Float], high: [Float])?
    if file["metadata/action_low"] != nil {
      bounds = try (file.floats("metadata/action_low"), file.floats("metadata/action_high"))
    }
    let choices = try file["metadata/action_count"] == nil ? nil : file.floats("metadata/action_count").first
    return try DatasetFiles.dataset(
      columns, environment: file.text("metadata/environment"), bounds: bounds,
      choices: choices.map { Int(exactly: $0) ?? 0 }, path: path, reading)
  }

  static func write(_ dataset: borrowing Dataset, to path: String) throws {
    let columns = TransitionColumns(dataset)
    let (n, s, a) = (columns.count, columns.observationSize, columns.actionSize)
    var file = NumPyArchive.Writer()
    file.add("observations", floats: columns.observations, shape: [n, s])
    file.add("actions", floats: columns.actions, shape: [n, a])
    file.add("rewards", floats: columns.rewards, shape: [n])
    file.add("terminals", booleans: columns.terminals.map { $0 ? 1 : 0 }, shape: [n])
    file.add("timeouts", booleans: (columns.timeouts ?? []).map { $0 ? 1 : 0 }, shape: [n])
    file.add("next_observations", floats: columns.nextObservations ?? [], shape: [n, s])
    file.add("metadata/action_low", floats: dataset.description.actionLow, shape: [a])
    file.add("metadata/action_high", floats: dataset.description.actionHigh, shape: [a])
    if let choices = dataset.description.choices {
      file.add("metadata/action_count", floats: [Float(choices)], shape: [1])
    }
    if let environment = dataset.description.environment { file.add("metadata/environment", text: environment) }
    try DatasetFiles.writeWhole(path) { try file.write(to: $0) }
  }
}
