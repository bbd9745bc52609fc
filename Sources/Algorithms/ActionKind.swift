// ActionKind.swift — the kind of actions that an algorithm chooses, and the check that an environment has that kind.

import Environments
import Platform
import Replay

/// The kind of actions that an algorithm chooses.
public enum ActionKind: String, Codable, Sendable {
  /// A real values in [−1, 1], which the trainer scales to the environment's box.
  case continuous
  /// One of A choices; the action is one value, its index.
  case discrete

  /// The kind of a space of actions.
  public init(_ space: Space) {
    switch space {
    case .box: self = .continuous
    case .discrete: self = .discrete
    }
  }

  /// The number of values that one action has in a batch and in the buffer.
  ///
  /// - Parameter actionSize: A, the values of a continuous action or the number of choices.
  public func width(actionSize: Int) -> Int { self == .continuous ? actionSize : 1 }
}

extension AlgorithmEntry {
  /// Throws if the environment's actions are not of this kind.
  ///
  /// - Parameter registry: the algorithms among which the error names those that fit.
  public func checkActions(
    _ space: Space, of task: String, among registry: AlgorithmRegistry = .standard
  ) throws(UnfitAlgorithm) {
    if ActionKind(space) != actions {
      throw UnfitAlgorithm(
        algorithm: name, task: task, space: space,
        fitting: registry.entries.filter { $0.actions == ActionKind(space) && $0.source == source }.map(\.name))
    }
  }
}

/// The error for an algorithm that cannot choose an environment's actions.
public struct UnfitAlgorithm: Error, RemediableError, Equatable, CustomStringConvertible {
  /// The algorithm's name.
  public let algorithm: String
  /// The environment's id.
  public let task: String
  /// The environment's actions.
  public let space: Space
  /// The algorithms that fit these actions.
  public let fitting: [String]

  public var description: String {
    let (has, chooses) =
      switch space {
      case .discrete(let choices): ("\(choices.count) discrete actions", "real-valued ones")
      case .box: ("real-valued actions", "one of several discrete ones")
      }
    let names =
      fitting.count < 2 ? fitting.joined() : fitting.dropLast().joined(separator: ", ") + " or \(fitting.last!)"
    return "\(task) has \(has), but \(algorithm) chooses \(chooses): use \(names), or another environment"
  }

  package var remedies: [Remedy] { [.list(shows: "all of them")] }
}
