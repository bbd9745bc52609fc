// D4RLDataset.swift — data in one HDF5 file, as D4RL lays them out.

import Formats
import Training

enum D4RLDataset {
  static func read(_ path: String, _ reading: DatasetReading) throws -> Dataset {
    try HDF5File.tryInChild(path) { _ = try contents(path) }
    let file = try contents(path)
    return try DatasetFiles.dataset(
      file.columns, environment: file.environment, bounds: file.bounds, choices: file.choices, path: path, reading)
  }

  private static func contents(
    _ path: String
  ) throws -> (
    columns: TransitionColumns, environment: String?, bounds: (low: [Float], high: [Float])?, choices: Int?
  ) {
    let file = try HDF5File(reading: path)
    for name in ["observations", "actions", "rewards", "terminals"] where !file.contains(name) {
      throw DatasetError(
        path, "has no array \(name) of its own: it is not laid out as D4RL does, or leads into another file")
    }
    let (observations, actions) = (try file.shape("observations"), try file.shape("actions"))
    guard observations.count == 2, 1...2 ~= actions.count, observations[1] > 0, actions.last ?? 0 > 0 else {
      throw DatasetError(
        path, "has observations of shape \(observations) and actions of shape \(actions): rows of numbers are needed")
    }
    var columns = TransitionColumns(observationSize: observations[1], actionSize: actions.count == 2 ? actions[1] : 1)
    columns.observations = try file.floats("observations")
    columns.actions = try file.floats("actions")
    columns.rewards = try file.floats("rewards")
    columns.terminals = try TransitionColumns.flags(file.floats("terminals"), "terminals", path)
    if file.contains("timeouts") {
      columns.timeouts = try TransitionColumns.flags(file.floats("timeouts"), "timeouts", path)
    }
    if file.contains("next_observations") { columns.nextObservations = try file.floats("next_observations") }
    var bounds: (low: [Float], high: [Float])?
    if file.contains("metadata/action_low"), file.contains("metadata/action_high") {
      bounds = (try file.floats("metadata/action_low"), try file.floats("metadata/action_high"))
    }
    let choices = try file.contains("metadata/action_count") ? file.floats("metadata/action_count").first : nil
    return (columns, file.text("metadata/environment"), bounds, choices.map { Int(exactly: $0) ?? 0 })
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
      if let choices = description.choices {
        try file.write("metadata/action_count", floats: [Float(choices)], shape: [1])
      }
      if let environment = description.environment {
        try file.write("metadata/environment", text: environment)
      }
      try file.close()
    }
  }
}
