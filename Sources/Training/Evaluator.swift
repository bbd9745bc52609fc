// Evaluator.swift — how good a policy is: whole episodes without exploration, on an environment and seeds of their own.

import Environments

/// The returns of some episodes.
public struct Evaluation: Sendable, Equatable {
  /// The undiscounted return of each episode.
  public var returns: [Double]
  /// The steps of each episode.
  public var lengths: [Int]
  /// Episodes that the simulator broke off. They count as far as they went.
  public var faults = 0

  /// An evaluation of given episodes.
  public init(returns: [Double], lengths: [Int]) {
    (self.returns, self.lengths) = (returns, lengths)
  }

  /// How many episodes there were.
  public var episodes: Int { returns.count }
  /// The mean return.
  public var mean: Double { returns.reduce(0, +) / Double(max(1, returns.count)) }
  /// Standard deviation over the episodes, of the population.
  public var standardDeviation: Double {
    let mean = mean
    return (returns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, returns.count))).squareRoot()
  }
  /// The least return; NaN without an episode.
  public var minimum: Double { returns.min() ?? .nan }
  /// The greatest return; NaN without an episode.
  public var maximum: Double { returns.max() ?? .nan }
  /// The mean number of steps.
  public var meanLength: Double { Double(lengths.reduce(0, +)) / Double(max(1, lengths.count)) }
}

/// Runs episodes in an environment that nothing else uses.
public struct Evaluator {
  /// Steps of an episode after which nobody waits for its end any more.
  public static let longestEpisode = 10_000_000

  private let loop: CollectionLoop

  /// An evaluator that has an environment to itself.
  public init(_ environment: any Environment) { loop = CollectionLoop(environment) }

  /// Runs `episodes` episodes with seeds `firstSeed`, `firstSeed + 1`, … and actions from `act`.
  ///
  /// - Parameters:
  ///   - isCancelled: asked after each episode, and now and then within one; the whole episodes so far are then returned.
  ///   - ended: told after each episode how many there were.
  /// - Throws: `EndlessEpisode` when one does not end within `longestEpisode` steps.
  public func run(
    episodes: Int, firstSeed: UInt64, longestEpisode: Int = Self.longestEpisode, isCancelled: () -> Bool = { false },
    ended: (Int) -> Void = { _ in }, act: (Span<Float>, inout MutableSpan<Float>) -> Void
  ) throws -> Evaluation {
    try withoutActuallyEscaping(act) { act in
      let returns = EpisodeReturns(loop.environments, firstSeed: firstSeed, act: act)
      while returns.evaluation.episodes < episodes {
        if (returns.needsReset(lane: 0) || returns.length % 64 == 63) && isCancelled() { break }
        guard returns.length < longestEpisode else {
          throw EndlessEpisode(episode: returns.evaluation.episodes + 1, steps: returns.length)
        }
        try loop.round(returns)
        if returns.needsReset(lane: 0) { ended(returns.evaluation.episodes) }
      }
      return returns.evaluation
    }
  }
}

/// An environment whose episodes are waited for has no end.
public struct EndlessEpisode: Error, CustomStringConvertible {
  /// The episode's number, from 1.
  public let episode: Int
  /// The steps it had taken.
  public let steps: Int

  /// What happened and what to do, in one line.
  public var description: String {
    "episode \(episode) has not ended after \(steps) steps: an evaluation needs episodes that end; give the environment a "
      + "limit of steps"
  }
}

/// Adds up the rewards of episodes whose actions somebody else chooses.
private final class EpisodeReturns: StepCollector {
  private(set) var evaluation = Evaluation(returns: [], lengths: [])
  private let firstSeed: UInt64
  private let act: (Span<Float>, inout MutableSpan<Float>) -> Void
  private var observation: [Float]  // (S)
  private var total = 0.0
  private(set) var length = 0
  private var isRunning = false

  init(
    _ environments: any VectorEnvironment, firstSeed: UInt64,
    act: @escaping (Span<Float>, inout MutableSpan<Float>) -> Void
  ) {
    (self.firstSeed, self.act) = (firstSeed, act)
    observation = [Float](repeating: 0, count: environments.observationSpace.count)
  }

  func needsReset(lane: Int) -> Bool { !isRunning }
  func seed(lane: Int) -> UInt64? { firstSeed &+ UInt64(evaluation.episodes) }

  func begin(lane: Int, _ observation: Span<Float>) {
    (total, length, isRunning) = (0, 0, true)
    keep(observation)
  }

  func action(into actions: inout MutableSpan<Float>) { act(on: observation, into: &actions) }

  // the array is passed so that a span may reach into it
  private func act(on observation: [Float], into actions: inout MutableSpan<Float>) { act(observation.span, &actions) }

  func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) {
    keep(next)
    total += outcome.reward
    length += 1
    if outcome.endsEpisode { end() }
  }

  /// The episode counts as far as it went.
  func abandon(lane: Int, _ fault: SimulatorFault) {
    if !isRunning { (total, length) = (0, 0) }
    evaluation.faults += 1
    end()
  }

  private func end() {
    evaluation.returns.append(total)
    evaluation.lengths.append(length)
    (length, isRunning) = (0, false)
  }

  private func keep(_ values: Span<Float>) {
    for i in observation.indices { observation[i] = values[i] }
  }
}
