// DatasetStatistics.swift — counts and ranges of a data set: transitions, episodes, returns, rewards.

/// Counts and ranges of data, as `dataset info` shows them.
public struct DatasetStatistics: Codable, Sendable, Equatable {
  /// Steps.
  public var transitions = 0
  /// Episodes whose beginning is in the data.
  public var starts = 0
  /// Transitions after which the episode terminated, was truncated, or both.
  public var terminated = 0
  /// Transitions after which the episode was truncated.
  public var truncated = 0
  /// Transitions after which both hold.
  public var terminatedAndTruncated = 0
  /// Transitions after which the data break off without an end.
  public var broken = 0
  /// Episodes that are whole: their beginning and their end are in the data.
  public var episodes = 0
  /// Over whole episodes, undiscounted.
  public var returns = Summary()
  /// Steps of whole episodes.
  public var lengths = Summary()
  /// All rewards.
  public var rewards = Summary()
  /// Over all values of all actions, in [−1, 1].
  public var actions = Summary()

  /// Mean, deviation and range of some numbers.
  public struct Summary: Codable, Sendable, Equatable {
    /// Their mean.
    public var mean = 0.0
    /// Of the population.
    public var standardDeviation = 0.0
    /// The least of them.
    public var least = Double.infinity
    /// The greatest of them.
    public var greatest = -Double.infinity
    private var count = 0.0
    private var squares = 0.0

    private enum CodingKeys: String, CodingKey { case mean, standardDeviation, least, greatest }

    /// Of no numbers.
    public init() {}

    /// Welford's update.
    mutating func add(_ value: Double) {
      count += 1
      let difference = value - mean
      mean += difference / count
      squares += difference * (value - mean)
      standardDeviation = (squares / count).squareRoot()
      least = min(least, value)
      greatest = max(greatest, value)
    }
  }

  /// The statistics of data, in one pass.
  public init(_ dataset: borrowing Dataset) {
    var result = Self.empty
    var (isWhole, total, length) = (false, 0.0, 0)
    dataset.forEachTransition { transition in
      result.transitions += 1
      if transition.isStart {
        result.starts += 1
        (isWhole, total, length) = (true, 0, 0)
      }
      total += Double(transition.reward)
      length += 1
      result.rewards.add(Double(transition.reward))
      for value in transition.action { result.actions.add(Double(value)) }
      if transition.terminated { result.terminated += 1 }
      if transition.truncated { result.truncated += 1 }
      if transition.terminated && transition.truncated { result.terminatedAndTruncated += 1 }
      if transition.isBroken { result.broken += 1 }
      if transition.endsEpisode && isWhole {
        result.episodes += 1
        result.returns.add(total)
        result.lengths.add(Double(length))
      }
      if transition.endsEpisode || transition.isBroken { isWhole = false }
    }
    self = result
  }

  /// What looks wrong; nil where nothing does.
  public var warning: String? {
    // an episode of one step that ends is no sign of it
    guard transitions >= 20, 2 * broken > transitions else { return nil }
    return
      "\(broken) of \(transitions) transitions are broken off: the next row does not begin where they lead; either the rows "
      + "are in another order than they were seen, or next observations were written as something else"
  }

  private init() {}
  private static let empty = DatasetStatistics()
}
