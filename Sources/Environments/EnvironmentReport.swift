// EnvironmentReport.swift — what the checker found, and what to do about it.

/// Everything that `EnvironmentChecker` found wrong with an environment.
public struct EnvironmentReport: Sendable, Equatable, Codable {
  /// The environment's id.
  public let environment: String
  /// What was found, the first breach of each rule.
  public internal(set) var findings: [Finding] = []

  /// Whether the environment can be learned from; warnings do not stand in the way.
  public var isValid: Bool { !findings.contains { $0.severity == .error } }

  /// One breach of a rule: what was seen, where, and what to do.
  public struct Finding: Sendable, Equatable, Codable, CustomStringConvertible {
    /// Whether it keeps the environment from being learned in.
    public let severity: Severity
    /// The rule that is broken.
    public let rule: Rule
    /// What was seen.
    public let what: String
    /// Where in the check.
    public let place: String
    /// What to do next.
    public let remedy: String

    /// The finding in one line.
    public var description: String { "\(severity.rawValue): \(what), \(place); \(remedy)" }
  }

  /// How bad a finding is.
  public enum Severity: String, Sendable, Codable {
    /// It cannot be learned in.
    case error
    /// It can be learned in, though something should be looked at.
    case warning
  }

  /// What an environment has to keep to.
  public enum Rule: String, Sendable, Codable, CaseIterable {
    /// Making, resetting and stepping do not throw.
    case works
    /// Sizes, bounds and goals are those of the entry.
    case entryIsTrue
    /// Every value of an observation is written.
    case observationIsWritten
    /// No value of an observation is NaN or infinite.
    case observationIsFinite
    /// Every value is within `observationSpace`.
    case observationIsInSpace
    /// No reward is NaN or infinite.
    case rewardIsFinite
    /// Another seed gives another generator.
    case seedIsUsed
    /// One seed gives one first observation and one generator.
    case resetRepeats
    /// A used and a fresh instance with one seed give the same bits.
    case stepsRepeat
    /// No limit of time ends an episode after one step.
    case firstStepIsNotTruncated
    /// Episodes end by themselves where there is no limit of time.
    case episodesEnd
    /// A state saved in mid-episode goes on in another instance to the same bits.
    case stateIsComplete
    /// Rewards and terminations computed from the goals are those of the steps.
    case goalsAreRecomputed
    /// The bounds of actions are finite.
    case actionBoundsAreFinite
    /// The bounds of actions are ±1 or less, and symmetric.
    case actionBoundsAreUnit

    /// Whether a breach is an error or a warning.
    public var severity: Severity {
      switch self {
      case .actionBoundsAreFinite, .actionBoundsAreUnit, .episodesEnd: .warning
      default: .error
      }
    }

    /// What to do about a breach.
    public var remedy: String {
      switch self {
      case .works: "make the environment run without throwing"
      case .entryIsTrue: "correct the environment's registry entry"
      case .observationIsWritten: "write every value of the observation at each reset and step"
      case .observationIsFinite: "end the episode, or throw SimulatorFault, before a value overflows"
      case .observationIsInSpace: "widen observationSpace or clip the value"
      case .rewardIsFinite: "bound the reward"
      case .seedIsUsed: "begin reset with `if let seed { generator = NumPyGenerator(seed: seed) }`"
      case .resetRepeats: "set the whole state in reset and draw only from the environment's own generator"
      case .stepsRepeat: "keep no state over a reset and draw only from the environment's own generator"
      case .firstStepIsNotTruncated: "leave truncation to maximumEpisodeSteps, and raise it above 1"
      case .episodesEnd: "give maximumEpisodeSteps: an evaluation waits for the end of each episode"
      case .stateIsComplete: "save and restore every variable that a later step or reset reads"
      case .goalsAreRecomputed:
        "compute rewards and terminations of each row from its goals alone, by the lines that step uses"
      case .actionBoundsAreFinite: "give bounds: policies act in [−1, 1] and are scaled to them"
      case .actionBoundsAreUnit: "no need to act: policies act in [−1, 1] and are scaled to these bounds"
      }
    }
  }
}
