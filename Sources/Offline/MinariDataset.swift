// MinariDataset.swift — data in Minari's folder: one HDF5 group for each episode, the spaces in JSON beside it.

import Formats
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

enum MinariDataset {
  static func read(_ path: String, _ reading: DatasetReading) throws -> Dataset {
    let (environment, bounds, choices) = spaces(path)
    let name = "\(path)/data/main_data.hdf5"
    let parts = try parts(path, reading)
    try HDF5File.tryInChild(name) { _ = try episodes(name, parts) }
    return try DatasetFiles.dataset(
      try episodes(name, parts), environment: environment, bounds: bounds, choices: choices, path: path, reading)
  }

  /// The parts of observations that are dictionaries, in the order in which they are joined: as asked for, or by name, as
  /// Gymnasium orders them; nil for observations in one piece.
  private static func parts(_ path: String, _ reading: DatasetReading) throws -> [String]? {
    guard case .object(let spaces) = json("observation_space", of: path, infinity: "1e30")?["subspaces"] else {
      if reading.observations != nil {
        throw DatasetError(path, "has observations in one piece: leave the names of their parts out")
      }
      return nil
    }
    let asked = reading.observations ?? spaces.keys.sorted()
    if let unknown = asked.first(where: { spaces[$0] == nil }) {
      throw DatasetError(
        path,
        "has no part \(unknown.debugDescription) of observations: there are \(spaces.keys.sorted().joined(separator: ", "))"
      )
    }
    guard !asked.isEmpty, Set(asked).count == asked.count else {
      throw DatasetError(path, "has parts of observations, of which none, or one twice, was named: name each once")
    }
    return asked
  }

  /// The observations of an episode, row by row, with its parts side by side.
  private static func observations(
    _ file: HDF5File, _ group: String, _ parts: [String]?
  ) throws -> (rows: Int, width: Int, values: [Float]) {
    let names = parts.map { $0.map { "\(group)/observations/\($0)" } } ?? ["\(group)/observations"]
    let columns = try names.map { name in
      let shape = try file.shape(name)
      guard shape.count == 2, shape[1] > 0 else {
        throw DataFileError(name, "has the shape \(shape): rows of numbers are needed")
      }
      return (rows: shape[0], width: shape[1], values: try file.floats(name))
    }
    guard columns.count > 1, let rows = columns.map(\.rows).min() else { return columns[0] }
    guard columns.allSatisfy({ $0.rows == rows }) else {
      throw DataFileError("\(group)/observations", "has parts of \(columns.map(\.rows)) rows: they must have as many")
    }
    let width = columns.reduce(0) { $0 + $1.width }
    var values: [Float] = []
    values.reserveCapacity(rows * width)
    for row in 0..<rows {
      for column in columns { values += column.values[(row * column.width)..<((row + 1) * column.width)] }
    }
    return (rows, width, values)
  }

  private static func episodes(_ name: String, _ parts: [String]?) throws -> TransitionColumns {
    let file = try HDF5File(reading: name)
    var columns: TransitionColumns?
    var episode = 0
    while file.contains("episode_\(episode)") {
      let group = "episode_\(episode)"
      let (observed, actions) = (try observations(file, group, parts), try file.shape("\(group)/actions"))
      // discrete actions are one index in each row
      guard 1...2 ~= actions.count, actions.last ?? 0 > 0, observed.rows == actions[0] + 1
      else {
        throw DatasetError(
          name,
          "has \(group) with \(observed.rows) observations for actions of shape \(actions): T + 1 and T rows are needed"
        )
      }
      let (s, a, steps) = (observed.width, actions.count == 2 ? actions[1] : 1, actions[0])
      var all = columns ?? TransitionColumns(observationSize: s, actionSize: a)
      // the only owner, so that arrays grow in place
      columns = nil
      guard all.observationSize == s, all.actionSize == a else {
        throw DatasetError(name, "has \(group) of other sizes than episode_0")
      }
      let values = observed.values
      all.observations += values.dropLast(s)
      all.nextObservations = (all.nextObservations ?? []) + values.dropFirst(s)
      all.actions += try file.floats("\(group)/actions")
      all.rewards += try file.floats("\(group)/rewards")
      let (ends, cuts) = ("\(group)/terminations", "\(group)/truncations")
      all.terminals += try TransitionColumns.flags(file.floats(ends), ends, name)
      all.timeouts = (all.timeouts ?? []) + (try TransitionColumns.flags(file.floats(cuts), cuts, name))
      guard all.rewards.count == all.actions.count / a, all.terminals.count == all.rewards.count else {
        throw DatasetError(name, "has \(group) with \(steps) actions and other numbers of rewards or terminations")
      }
      columns = all
      episode += 1
    }
    guard let columns else { throw DatasetError(name, "has no episode_0: it is not laid out as Minari does") }
    // as many more as there are groups that were not read
    let others = file.groupCount - episode
    if others > 0,
      let next = ((episode + 1)...(episode + 100 + 2 * others)).first(where: { file.contains("episode_\($0)") })
    {
      throw DatasetError(
        name, "has episode_\(next) but no episode_\(episode): episodes are missing; write it again with Minari")
    }
    return columns
  }

  // MARK: writing

  // differs: numbers are float32, as the replay buffer keeps them; Minari's own collector keeps the environment's type
  /// Writes a folder that Minari 0.5.3 loads from where it keeps its data sets.
  static func write(_ dataset: borrowing Dataset, to path: String) throws {
    let columns = TransitionColumns(dataset)
    let description = dataset.description
    try DatasetFiles.writeWhole(path) { partial in
      try FileManager.default.createDirectory(atPath: "\(partial)/data", withIntermediateDirectories: true)
      let name = "\(partial)/data/main_data.hdf5"
      let episodes = columns.episodes
      try writeEpisodes(columns, episodes, choices: description.choices, to: name)
      let bytes = FileAccess.size(of: name) ?? 0
      let id = URL(fileURLWithPath: path).lastPathComponent
      let metadata = Self.metadata(description, id: id, steps: columns.count, episodes: episodes.count, bytes: bytes)
      try Data((metadata.text(pretty: true) + "\n").utf8).write(
        to: URL(fileURLWithPath: "\(partial)/data/metadata.json"))
    }
  }

  private static func writeEpisodes(
    _ columns: TransitionColumns, _ episodes: [Range<Int>], choices: Int?, to name: String
  ) throws {
    let file = try HDF5File(writing: name)
    let (s, a) = (columns.observationSize, columns.actionSize)
    for (number, rows) in episodes.enumerated() {
      let group = "episode_\(number)"
      try file.makeGroup(group)
      try file.write(attribute: "id", of: group, Int64(number))
      try file.write(attribute: "total_steps", of: group, Int64(rows.count))
      let last = ((rows.upperBound - 1) * s)..<(rows.upperBound * s)
      let observations =
        columns.observations[(rows.lowerBound * s)..<(rows.upperBound * s)] + (columns.nextObservations ?? [])[last]
      try file.write("\(group)/observations", floats: Array(observations), shape: [rows.count + 1, s])
      let actions = Array(columns.actions[(rows.lowerBound * a)..<(rows.upperBound * a)])
      if choices == nil {
        try file.write("\(group)/actions", floats: actions, shape: [rows.count, a])
      } else {
        try file.write("\(group)/actions", wholes: actions.map { Int64($0) })
      }
      try file.write("\(group)/rewards", floats: Array(columns.rewards[rows]), shape: [rows.count])
      try file.write("\(group)/terminations", booleans: Array(columns.terminals[rows]))
      try file.write("\(group)/truncations", booleans: Array((columns.timeouts ?? [])[rows]))
    }
    try file.close()
  }

  private static func metadata(
    _ description: DatasetDescription, id: String, steps: Int, episodes: Int, bytes: Int
  ) -> JSONValue {
    var members: [String: JSONValue] = [
      "dataset_id": .string(id), "data_format": .string("hdf5"), "minari_version": .string("0.5.3"),
      "total_steps": .number(Double(steps)), "total_episodes": .number(Double(episodes)),
      "dataset_size": .number((Double(bytes) / 1e5).rounded() / 10),
      "algorithm_name": .string(description.source),
      "observation_space": .string(
        box(
          low: [Float](repeating: -.infinity, count: description.observationSize),
          high: [Float](repeating: .infinity, count: description.observationSize))),
      "action_space": .string(
        description.choices.map { "{\"type\": \"Discrete\", \"dtype\": \"int64\", \"start\": 0, \"n\": \($0)}" }
          ?? box(low: description.actionLow, high: description.actionHigh)),
    ]
    if let environment = description.environment {
      var spec: [String: JSONValue] = ["id": .string(environment), "additional_wrappers": .array([])]
      if let task = registered(environment) {
        spec["entry_point"] = .string("gymnasium.envs.\(task.entryPoint)")
        spec["max_episode_steps"] = .number(Double(task.steps))
      }
      members["env_spec"] = .string(JSONValue.object(spec).text())
    }
    return .object(members)
  }

  /// A space of vectors as Minari writes it, with Python's infinities.
  private static func box(low: [Float], high: [Float]) -> String {
    func numbers(_ values: [Float]) -> String {
      "[" + values.map { $0.isFinite ? "\($0)" : $0 < 0 ? "-Infinity" : "Infinity" }.joined(separator: ", ") + "]"
    }
    return "{\"type\": \"Box\", \"dtype\": \"float32\", \"shape\": [\(low.count)], \"low\": \(numbers(low)), "
      + "\"high\": \(numbers(high))}"
  }

  /// Where Gymnasium 1.4.0 has an environment and how long its episodes are, without which Minari cannot recover it.
  static func registered(_ environment: String) -> (entryPoint: String, steps: Int)? {
    switch environment {
    case "CartPole-v1": return ("classic_control.cartpole:CartPoleEnv", 500)
    case "Acrobot-v1": return ("classic_control.acrobot:AcrobotEnv", 500)
    case "MountainCar-v0": return ("classic_control.mountain_car:MountainCarEnv", 200)
    case "Pendulum-v1": return ("classic_control.pendulum:PendulumEnv", 200)
    case "MountainCarContinuous-v0":
      return ("classic_control.continuous_mountain_car:Continuous_MountainCarEnv", 999)
    case "HumanoidStandup-v5": return ("mujoco.humanoidstandup_v5:HumanoidStandupEnv", 1000)
    case "HalfCheetah-v5", "Hopper-v5", "Walker2d-v5", "Ant-v5", "Humanoid-v5", "Swimmer-v5", "Reacher-v5", "Pusher-v5",
      "InvertedPendulum-v5", "InvertedDoublePendulum-v5":
      let name = String(environment.dropLast(3))
      let snake = name.reduce(into: "") { $0 += ($1.isUppercase && !$0.isEmpty ? "_" : "") + $1.lowercased() }
      return ("mujoco.\(snake)_v5:\(name)Env", ["Reacher": 50, "Pusher": 100][name] ?? 1000)
    default: return nil
    }
  }

  // MARK: spaces

  /// A value of `data/metadata.json`: JSON within a JSON string.
  ///
  /// - Parameter infinity: what stands for Python's infinities, which JSON cannot write.
  private static func json(_ key: String, of path: String, infinity: String = "1e999") -> JSONValue? {
    guard let data = FileManager.default.contents(atPath: "\(path)/data/metadata.json"),
      let metadata = try? JSONValue(text: String(decoding: data, as: UTF8.self)), case .string(let text) = metadata[key]
    else { return nil }
    return try? JSONValue(text: text.replacing("Infinity", with: infinity))
  }

  /// The environment's id and the bounds of its actions, as `data/metadata.json` has them: JSON within JSON strings.
  private static func spaces(
    _ path: String
  ) -> (environment: String?, bounds: (low: [Float], high: [Float])?, choices: Int?) {
    func parse(_ key: String) -> JSONValue? { json(key, of: path) }
    var environment: String?
    if case .string(let id) = parse("env_spec")?["id"] { environment = id }
    let space = parse("action_space")
    if space?["type"] == .string("Discrete"), case .number(let n) = space?["n"] ?? .null {
      // where choices begin with another number than 0, none of them is an index
      return (environment, nil, space?["start"] ?? .number(0) == .number(0) ? Int(exactly: n) ?? 0 : 0)
    }
    guard let space, let low = try? space["low"]?.decode([Float].self),
      let high = try? space["high"]?.decode([Float].self)
    else { return (environment, nil, nil) }
    return (environment, (low, high), nil)
  }
}
