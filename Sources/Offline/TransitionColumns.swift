// TransitionColumns.swift — data as most files have them: one array per quantity, row by row, in the environment's units.

import Algorithms
import Platform
import Replay
import Training

/// How rows without a column of time-outs are to be understood.
public enum TimeoutReading: Sendable, Equatable {
  /// The file says it itself.
  case stored
  /// Nothing was cut off by a clock.
  case none
  /// A time-out after each row that the next row does not go on from.
  case fromNextObservations
  /// A time-out after every n-th step of an episode.
  case every(Int)

  /// Reads `none`, `from-next-observations` or `every N`.
  public init?(text: String) {
    switch text {
    case "none": self = .none
    case "from-next-observations": self = .fromNextObservations
    default:
      guard text.hasPrefix("every"), let n = Int(text.dropFirst(5).drop { " =-:".contains($0) }), n > 0 else {
        return nil
      }
      self = .every(n)
    }
  }

  /// As `init(text:)` reads it; nil for what the file says.
  public var text: String? {
    switch self {
    case .stored: nil
    case .none: "none"
    case .fromNextObservations: "from-next-observations"
    case .every(let n): "every \(n)"
    }
  }
}

/// N rows as D4RL names them.
struct TransitionColumns {
  var observationSize: Int
  var actionSize: Int
  var observations: [Float] = []  // (N × S)
  var actions: [Float] = []  // (N × A), in the environment's units
  var rewards: [Float] = []  // (N)
  var terminals: [Bool] = []  // (N)
  var timeouts: [Bool]?  // (N)
  var nextObservations: [Float]?  // (N × S)

  var count: Int { rewards.count }

  /// How a row is followed.
  private enum End: UInt8 {
    case goesOn, terminated, truncated, both, broken
    /// Cut off by a clock or by the end of the file, and nobody says by which observation.
    case unknown
  }

  /// Marks of ends: 0 or 1 in each row.
  static func flags(_ values: [Float], _ name: String, _ path: String) throws(DatasetError) -> [Bool] {
    if let row = values.firstIndex(where: { $0 != 0 && $0 != 1 }) {
      throw DatasetError(path, "has \(name)[\(row)] = \(values[row]): an end is marked by 0 or 1; write them so")
    }
    return values.map { $0 == 1 }
  }

  // MARK: into frames

  /// The rows as frames.
  ///
  /// A row whose next observation is not known (a time-out without `next_observations`) is left out, as D4RL's own reader
  /// does; the final observation of a terminated row stands in for itself where it is not known, for no target reads it.
  func makeBuffer(_ reading: TimeoutReading, scaling: ActionScaling, path: String) throws -> ReplayBuffer {
    try check(path)
    let ends = try ends(reading, path: path)
    let closed = ends.reduce(0) { $0 + ($1 == .goesOn ? 0 : 1) }
    var buffer = try ReplayBuffer(
      frames: count + closed + 1, observationSize: observationSize, actionSize: actionSize)
    var action = [Float](repeating: 0, count: actionSize)
    var isOpen = false
    for row in 0..<count {
      if !isOpen { buffer.beginEpisode(observation(row).span) }
      let end = ends[row]
      isOpen = end == .goesOn
      if end == .unknown {
        buffer.abandonEpisode()
        continue
      }
      for i in 0..<actionSize { action[i] = try normalized(row, i, scaling, path) }
      let isTerminated = end == .terminated || end == .both
      let next =
        nextObservation(row) ?? (isTerminated || row + 1 == count ? observation(row) : observation(row + 1))
      buffer.add(
        action: action.span, reward: rewards[row], terminated: isTerminated,
        truncated: end == .truncated || end == .both, next: next.span)
      if end == .broken { buffer.breakOff() }
    }
    return buffer
  }

  private func ends(_ reading: TimeoutReading, path: String) throws -> [End] {
    if reading == .stored && timeouts == nil {
      throw DatasetError(
        path,
        "has no timeouts, and an episode that the clock cut off must not look like one that ended: say how to read it",
        remedies: [.timeouts(fromNextObservations: true)])
    }
    if reading == .fromNextObservations && nextObservations == nil {
      throw DatasetError(
        path, "has no next_observations to tell time-outs from: read them as none, or as every N steps",
        remedies: [.timeouts(fromNextObservations: false)])
    }
    var result: [End] = []
    result.reserveCapacity(count)
    var steps = 0
    for row in 0..<count {
      steps += 1
      let isLast = row + 1 == count
      let goesOn = !isLast && continues(row)
      let terminated = terminals[row]
      let truncated =
        switch reading {
        case .stored: timeouts?[row] ?? false
        case .none: false
        case .fromNextObservations: !terminated && !goesOn && !isLast
        case .every(let n): steps == n
        }
      let end: End =
        if terminated {
          truncated ? .both : .terminated
        } else if truncated {
          nextObservations == nil ? .unknown : .truncated
        } else if goesOn {
          .goesOn
        } else {
          nextObservations == nil ? .unknown : .broken
        }
      if end != .goesOn { steps = 0 }
      result.append(end)
    }
    return result
  }

  /// The rows of each episode, whole or broken off.
  var episodes: [Range<Int>] {
    var (episodes, start): ([Range<Int>], Int) = ([], 0)
    for row in 0..<count where terminals[row] || timeouts?[row] == true || row + 1 == count || !continues(row) {
      episodes.append(start..<(row + 1))
      start = row + 1
    }
    return episodes
  }

  /// The least and the greatest of each action's values, apart even where all are the same; nil without any.
  var actionRange: (low: [Float], high: [Float])? {
    var low = [Float](repeating: .infinity, count: actionSize)
    var high = low.map { -$0 }
    // one that is not finite is refused later, with its place
    for (index, value) in actions.enumerated() where value.isFinite {
      low[index % actionSize] = min(low[index % actionSize], value)
      high[index % actionSize] = max(high[index % actionSize], value)
    }
    guard low.allSatisfy(\.isFinite) else { return nil }
    for i in low.indices where low[i] == high[i] { (low[i], high[i]) = (low[i] - 1, high[i] + 1) }
    return (low, high)
  }

  /// Whether the next row begins where this one leads; assumed where the file does not say.
  private func continues(_ row: Int) -> Bool {
    guard let next = nextObservations else { return true }
    let (from, to) = (row * observationSize, (row + 1) * observationSize)
    for i in 0..<observationSize where next[from + i] != observations[to + i] { return false }
    return true
  }

  private func observation(_ row: Int) -> [Float] {
    Array(observations[(row * observationSize)..<((row + 1) * observationSize)])
  }

  private func nextObservation(_ row: Int) -> [Float]? {
    nextObservations.map { Array($0[(row * observationSize)..<((row + 1) * observationSize)]) }
  }

  private func normalized(_ row: Int, _ i: Int, _ scaling: ActionScaling, _ path: String) throws -> Float {
    let value = actions[row * actionSize + i]
    if let choices = scaling.choices {
      guard value == value.rounded(), 0..<Float(choices) ~= value else {
        throw DatasetError(
          path,
          "has actions[\(row), \(i)] = \(value), which is none of the choices 0 to \(choices - 1): it is of another "
            + "environment; say of which", remedies: [.environment])
      }
      return value
    }
    let slack = 1e-3 * (scaling.high[i] - scaling.low[i])
    guard value >= scaling.low[i] - slack, value <= scaling.high[i] + slack else {
      throw DatasetError(
        path,
        "has actions[\(row), \(i)] = \(value), outside [\(scaling.low[i]), \(scaling.high[i])]: it is of another "
          + "environment, or in other units; say of which", remedies: [.environment])
    }
    return min(1, max(-1, scaling.normalizedInDouble(value, at: i)))
  }

  /// Every number finite, every column as long as the rewards.
  private func check(_ path: String) throws {
    guard count > 0 else { throw DatasetError(path, "holds no transition: collect or convert some data first") }
    let columns: [(name: String, values: [Float], width: Int)] = [
      ("observations", observations, observationSize), ("actions", actions, actionSize), ("rewards", rewards, 1),
      ("next_observations", nextObservations ?? [], nextObservations == nil ? 0 : observationSize),
    ]
    for (name, values, width) in columns where width > 0 {
      guard values.count == count * width else {
        throw DatasetError(path, "has \(values.count / width) rows of \(name) for \(count) rewards; write it again")
      }
      if let at = values.firstIndex(where: { !$0.isFinite }) {
        let place = width == 1 && name == "rewards" ? "\(at)" : "\(at / width), \(at % width)"
        throw DatasetError(
          path, "has \(name)[\(place)] = \(values[at]): remove that episode, or find out how it came there")
      }
    }
    guard terminals.count == count, timeouts.map({ $0.count == count }) ?? true else {
      throw DatasetError(path, "has \(terminals.count) terminals for \(count) rewards; write it again")
    }
  }

  // MARK: out of frames

  /// The transitions of data, in the environment's units.
  init(_ dataset: borrowing Dataset) {
    let scaling = dataset.description.scaling
    (observationSize, actionSize) = (dataset.description.observationSize, dataset.description.actionSize)
    let count = dataset.count
    var (observations, next, actions): ([Float], [Float], [Float]) = ([], [], [])
    var (rewards, terminals, timeouts): ([Float], [Bool], [Bool]) = ([], [], [])
    observations.reserveCapacity(count * observationSize)
    next.reserveCapacity(count * observationSize)
    actions.reserveCapacity(count * actionSize)
    dataset.forEachTransition { transition in
      observations += transition.observation
      next += transition.next
      for (i, value) in transition.action.enumerated() { actions.append(scaling.denormalizedInDouble(value, at: i)) }
      rewards.append(transition.reward)
      terminals.append(transition.terminated)
      timeouts.append(transition.truncated)
    }
    (self.observations, self.nextObservations, self.actions) = (observations, next, actions)
    (self.rewards, self.terminals, self.timeouts) = (rewards, terminals, timeouts)
  }

  /// Nothing yet.
  init(observationSize: Int, actionSize: Int) {
    (self.observationSize, self.actionSize) = (observationSize, actionSize)
  }
}
