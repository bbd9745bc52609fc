// EnvironmentReport.swift — what the checker found, and what to do about it.

/// Everything that `EnvironmentChecker` found wrong with a task.
public struct EnvironmentReport: Sendable, Equatable, Codable {
  /// The task's id.
  public let environment: String
  public internal(set) var findings: [Finding] = []

  /// Whether the task can be learned from; warnings do not stand in the way.
  public var isValid: Bool { !findings.contains { $0.severity == .error } }

  public struct Finding: Sendable, Equatable, Codable, CustomStringConvertible {
    public let severity: Severity
    public let rule: Rule
    /// What was seen.
    public let what: String
    /// Where in the check.
    public let place: String
    /// What to do next.
    public let remedy: String

    public var description: String { "\(severity.rawValue): \(what), \(place); \(remedy)" }
  }

  public enum Severity: String, Sendable, Codable {
    case error, warning
  }

  /// What a task has to keep to.
  public enum Rule: String, Sendable, Codable, CaseIterable {
    case works
    case entryIsTrue
    case observationIsWritten
    case observationIsFinite
    case observationIsInSpace
    case rewardIsFinite
    case seedIsUsed
    case resetRepeats
    case stepsRepeat
    case firstStepIsNotTruncated
    case episodesEnd
    case stateIsComplete
    case goalsAreRecomputed
    case actionBoundsAreFinite
    case actionBoundsAreUnit

    public var severity: Severity {
      switch self {
      case .actionBoundsAreFinite, .actionBoundsAreUnit, .episodesEnd: .warning
      default: .error
      }
    }

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
