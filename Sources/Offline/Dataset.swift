// Dataset.swift — fixed data: transitions in the replay buffer's own frames, and what is known about them.

import Algorithms
import Formats
import Kernels
import Platform
import Replay
import Training

/// Data that cannot be read, written or used, in one line: what, where, what next.
public struct DatasetError: Error, RemediableError, CustomStringConvertible {
  /// The path, what is wrong, and what to do, in one line.
  public let description: String
  package let remedies: [Remedy]

  /// An error about data.
  public init(_ path: String, _ reason: String) { self.init(path, reason, remedies: []) }

  package init(_ path: String, _ reason: String, remedies: [Remedy]) {
    (description, self.remedies) = ("\(path) \(reason)", remedies)
  }
}

/// What is known about data besides the transitions.
public struct DatasetDescription: Codable, Sendable, Equatable {
  /// The environment's id; nil where nobody says.
  public var environment: String?
  /// S
  public var observationSize: Int
  /// The bounds that actions are scaled by, in the environment's units.
  public var actionLow: [Float]  // (A)
  /// The upper bounds.
  public var actionHigh: [Float]  // (A)
  /// The number of choices of a discrete action, which is an index; nil where actions are real-valued.
  public var choices: Int?
  /// True where nobody said the bounds, and each value's least and greatest stand for them; else nil.
  public var boundsAreOfData: Bool?
  /// Where the data came from, in words.
  public var source: String

  /// A description of given parts.
  public init(
    environment: String?, observationSize: Int, actionLow: [Float], actionHigh: [Float], choices: Int? = nil,
    source: String
  ) {
    (self.environment, self.observationSize, self.source) = (environment, observationSize, source)
    (self.actionLow, self.actionHigh, self.choices) = (actionLow, actionHigh, choices)
  }

  /// A; 1 for choices.
  public var actionSize: Int { actionLow.count }
  /// How actions in [−1, 1] become the environment's.
  public var scaling: ActionScaling { ActionScaling(low: actionLow, high: actionHigh, choices: choices) }
}

/// Transitions in the order they were seen: actions in [−1, 1], terminations and time-outs apart, true next observations.
public struct Dataset: ~Copyable {
  /// What is known besides the transitions.
  public var description: DatasetDescription
  /// The transitions.
  public let buffer: ReplayBuffer
  /// The oldest transition is an episode's first: not so where a run has dropped older ones.
  public let beginsEpisode: Bool

  /// - Throws: `DatasetError` when there is no transition.
  public init(
    _ description: DatasetDescription, buffer: consuming ReplayBuffer, beginsEpisode: Bool = true, path: String
  ) throws {
    guard buffer.count > 0 else { throw DatasetError(path, "holds no transition: collect or convert some data first") }
    self.description = description
    self.beginsEpisode = beginsEpisode
    self.buffer = buffer
  }

  /// Transitions held.
  public var count: Int { buffer.count }

  /// Hands the transitions over.
  public consuming func takeBuffer() -> ReplayBuffer { buffer }

  /// One step, as slices of the frames that hold it.
  public struct Transition {
    /// The observation before the step.
    public let observation: ArraySlice<Float>  // (S)
    /// The action, in [−1, 1] or an index.
    public let action: ArraySlice<Float>  // (A), in [−1, 1]
    /// The step's reward.
    public let reward: Float
    /// The episode terminated with this step: d = 1.
    public let terminated: Bool
    /// The episode was cut off by a limit of time with this step.
    public let truncated: Bool
    /// The true next observation, the final one where an episode ended.
    public let next: ArraySlice<Float>  // (S)
    /// An episode began here.
    public let isStart: Bool
    /// The next row does not go on from here, and no end says why.
    public let isBroken: Bool

    /// The episode ended with this step.
    public var endsEpisode: Bool { terminated || truncated }
  }

  /// Shows every transition, oldest first.
  public func forEachTransition(_ body: (Transition) throws -> Void) rethrows {
    let (s, a) = (buffer.observationSize, buffer.actionSize)
    var previous: ArraySlice<Float>?
    var isStart = beginsEpisode
    try buffer.forEachFrame { frame in
      if let last = previous {
        let (begin, kind) = (last.startIndex, last[last.endIndex - 1])
        try body(
          Transition(
            observation: last[begin..<(begin + s)], action: last[(begin + s)..<(begin + s + a)],
            reward: last[begin + s + a], terminated: kind == 1 || kind == 3, truncated: kind >= 2,
            next: frame[frame.startIndex..<(frame.startIndex + s)], isStart: isStart,
            isBroken: kind == 0 && frame[frame.endIndex - 1] < 0))
        isStart = false
      }
      let kind = frame[frame.endIndex - 1]
      if kind < 0 {
        previous = nil
        isStart = kind != ReplayBuffer.Kind.broken
      } else {
        previous = frame
      }
    }
  }

  /// The first observations of episodes, flat (n × S).
  public func starts() -> [Float] {
    var result: [Float] = []
    forEachTransition { if $0.isStart { result += $0.observation } }
    return result
  }

  /// A hash of every frame: equal digests, equal data.
  public var digest: String {
    var digest = Digest()
    buffer.forEachFrame { frame in for value in frame { digest.add(value.bitPattern) } }
    return digest.text
  }
}
