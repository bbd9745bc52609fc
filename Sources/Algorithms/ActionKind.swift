// ActionKind.swift — which actions an algorithm chooses, and whether a task has them.

import Environments
import Platform
import Replay

/// What an algorithm's actions are.
public enum ActionKind: String, Codable, Sendable {
  /// A real values in [−1, 1], which the trainer scales to the task's box.
  case continuous
  /// One of A choices; the action is one value, its index.
  case discrete

  /// The kind that a space has.
  public init(_ space: Space) {
    switch space {
    case .box: self = .continuous
    case .discrete: self = .discrete
    }
  }

  /// Values that one action takes in a batch and in the buffer.
  ///
  /// - Parameter actionSize: A, values of a continuous action or the number of choices.
  public func width(actionSize: Int) -> Int { self == .continuous ? actionSize : 1 }
}

extension AlgorithmEntry {
  /// Throws when a task has other actions than this algorithm chooses.
  ///
  /// - Parameter registry: where the error looks for algorithms that can.
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

/// An algorithm cannot choose a task's actions.
public struct UnfitAlgorithm: Error, RemediableError, Equatable, CustomStringConvertible {
  /// The algorithm's name.
  public let algorithm: String
  /// The task's id.
  public let task: String
  /// The environment's actions.
  public let space: Space
  /// The algorithms that can.
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
