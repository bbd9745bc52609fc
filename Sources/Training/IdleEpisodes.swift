// IdleEpisodes.swift — episodes without a signal: where a goal is far away, each may run out of time with the same reward.

/// The episodes in a row, up to the last one, in which nothing told good actions from bad: they ran out of time, and their
/// rewards were one and the same number at or below zero, or next to nothing beside what episodes cost before: a policy that
/// has learned to rest.
///
/// The same number above zero is no such sign: so a balanced pole is paid for.
public struct IdleEpisodes: Sendable, Equatable {
  /// How many there are.
  public private(set) var count = 0
  /// Their return for each step; 0 where there are none.
  public private(set) var reward = 0.0

  /// The largest |return for each step| of any episode.
  private var largest = 0.0
  /// Share of it below which an episode's cost is next to nothing.
  static let rest = 1e-3

  /// Episodes in a row from which on it is told.
  static let patience = 10

  /// None so far.
  public init() {}

  mutating func add(_ episode: EpisodeRecord) {
    add(
      episodeReturn: episode.episodeReturn, length: episode.length,
      ranOut: episode.truncated && !episode.terminated)
  }

  private mutating func add(episodeReturn: Double, length: Int, ranOut: Bool) {
    let reward = episodeReturn / Double(max(1, length))
    if abs(reward) > largest { largest = abs(reward) }
    guard ranOut, reward <= 0 else { return (count, self.reward) = (0, 0) }
    func isRest(_ value: Double) -> Bool { -value < Self.rest * largest }
    count = reward == self.reward || isRest(reward) && isRest(self.reward) && count > 0 ? count + 1 : 1
    self.reward = reward
  }

  /// As the rows of episodes.csv tell it.
  init(rows: [[String]]) {
    for row in rows where row.count >= 6 {
      add(
        episodeReturn: Double(row[2]) ?? .nan, length: Int(row[3]) ?? 0, ranOut: row[4] == "0" && row[5] == "1")
    }
  }
}
