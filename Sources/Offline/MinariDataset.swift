// MinariDataset.swift — data in Minari's folder: one HDF5 group for each episode, the spaces in JSON beside it.

import Formats
import Foundation
import Training

enum MinariDataset {
  static func read(_ path: String, _ reading: DatasetReading) throws -> Dataset {
    let (environment, bounds) = spaces(path)
    let name = "\(path)/data/main_data.hdf5"
    let file = try HDF5File(reading: name)
    var columns: TransitionColumns?
    var episode = 0
    while file.contains("episode_\(episode)") {
      let group = "episode_\(episode)"
      let (observations, actions) = (try file.shape("\(group)/observations"), try file.shape("\(group)/actions"))
      guard observations.count == 2, actions.count == 2, observations[1] > 0, actions[1] > 0,
        observations[0] == actions[0] + 1
      else {
        throw DatasetError(
          name, "has \(group) with observations \(observations) for actions \(actions): T + 1 and T rows are needed")
      }
      let (s, a, steps) = (observations[1], actions[1], actions[0])
      var all = columns ?? TransitionColumns(observationSize: s, actionSize: a)
      // the only owner, so that arrays grow in place
      columns = nil
      guard all.observationSize == s, all.actionSize == a else {
        throw DatasetError(name, "has \(group) of other sizes than episode_0")
      }
      let values = try file.floats("\(group)/observations")
      all.observations += values.dropLast(s)
      all.nextObservations = (all.nextObservations ?? []) + values.dropFirst(s)
      all.actions += try file.floats("\(group)/actions")
      all.rewards += try file.floats("\(group)/rewards")
      all.terminals += try file.floats("\(group)/terminations").map { $0 != 0 }
      all.timeouts = (all.timeouts ?? []) + (try file.floats("\(group)/truncations").map { $0 != 0 })
      guard all.rewards.count == all.actions.count / a, all.terminals.count == all.rewards.count else {
        throw DatasetError(name, "has \(group) with \(steps) actions and other numbers of rewards or terminations")
      }
      columns = all
      episode += 1
    }
    guard let columns else { throw DatasetError(name, "has no episode_0: it is not laid out as Minari does") }
    return try DatasetFiles.dataset(columns, environment: environment, bounds: bounds, path: path, reading)
  }

  /// The task's id and the bounds of its actions, as `data/metadata.json` has them: JSON within JSON strings.
  private static func spaces(_ path: String) -> (environment: String?, bounds: (low: [Float], high: [Float])?) {
    guard let data = FileManager.default.contents(atPath: "\(path)/data/metadata.json"),
      let metadata = try? JSONValue(text: String(decoding: data, as: UTF8.self))
    else { return (nil, nil) }
    func parse(_ key: String) -> JSONValue? {
      guard case .string(let text) = metadata[key] else { return nil }
      // Python writes bounds that JSON cannot
      return try? JSONValue(text: text.replacing("-Infinity", with: "-1e999").replacing("Infinity", with: "1e999"))
    }
    var environment: String?
    if case .string(let id) = parse("env_spec")?["id"] { environment = id }
    guard let space = parse("action_space"), let low = try? space["low"]?.decode([Float].self),
      let high = try? space["high"]?.decode([Float].self)
    else { return (environment, nil) }
    return (environment, (low, high))
  }
}
