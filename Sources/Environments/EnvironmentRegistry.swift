// EnvironmentRegistry.swift — which environments there are, by id.

import Platform

/// The environments that a program knows.
///
/// Adding an environment is one entry:
///
///     let registry = EnvironmentRegistry(
///       EnvironmentRegistry.builtIn.entries + [
///         EnvironmentEntry(
///           id: "DoubleIntegrator-v0", summary: "push a mass to the origin", observationSize: 2,
///           actionSpace: .box(Box(low: -1, high: 1, count: 1)), maximumEpisodeSteps: 100
///         ) { DoubleIntegrator() }
///       ])
public struct EnvironmentRegistry: Sendable {
  /// All of them, in the order in which `list` shows them.
  public let entries: [EnvironmentEntry]

  /// - Precondition: no id occurs twice.
  public init(_ entries: [EnvironmentEntry]) {
    var ids: Set<String> = []
    for entry in entries {
      precondition(ids.insert(entry.id).inserted, "two environments are called \(entry.id)")
    }
    self.entries = entries
  }

  /// The environments that need no simulator.
  public static let builtIn = EnvironmentRegistry([
    Acrobot.entry,
    CartPole.entry,
    MountainCar.entry,
    MountainCarContinuous.entry,
    MultiGoal.entry,
    Pendulum.entry,
    PointReach.entry,
    PointReach.onceEntry,
  ])

  /// The environment called `id`; without a version (`Pendulum`) the highest there is.
  public func entry(_ id: String) throws(UnknownEnvironment) -> EnvironmentEntry {
    if let entry = entries.first(where: { $0.id == id }) { return entry }
    // differs: no warning here, and none for an old version; namespaces are part of the name
    let versions = entries.filter { EnvironmentID($0.id).name == id && EnvironmentID($0.id).version != nil }
    if let highest = versions.max(by: { EnvironmentID($0.id).version! < EnvironmentID($1.id).version! }) {
      return highest
    }
    throw UnknownEnvironment(id: id, known: entries.map(\.id))
  }

  /// A new instance of an environment, within its time limit.
  public func make(_ id: String) throws -> any Environment {
    try entry(id).make()
  }
}

/// An environment that can be made by name.
public struct EnvironmentEntry: Sendable {
  /// Name and version as Gymnasium writes them: `HalfCheetah-v5`.
  public let id: String
  /// One line for `list`.
  public let summary: String
  /// Observation size S with the options as they are, known without making the environment.
  public private(set) var observationSize: Int
  /// Action values A with their bounds, or the number of choices, for `list`.
  public let actionSpace: Space
  /// Control steps after which an episode is truncated; nil: never.
  public private(set) var maximumEpisodeSteps: Int?
  /// Mean return at which the environment counts as solved, where its authors give one, with its default options.
  public let rewardThreshold: Double?
  /// Environment steps of a run that suit the environment.
  public let suggestedSteps: Int
  /// Uniformly random first steps that suit the environment; nil: the algorithm's default.
  public let suggestedRandomSteps: Int?
  /// Where the goals are in an observation; nil where the environment has none.
  public let goals: GoalLayout?
  /// What can be set: the environment's own options, then `max_episode_steps`.
  public let options: [EnvironmentOption]
  /// What was set; all else is as declared.
  public private(set) var givenOptions = EnvironmentOptions()
  /// Every option with its value.
  public private(set) var resolvedOptions: EnvironmentOptions
  private var limitsItself = false
  private let size: @Sendable (EnvironmentOptions) -> Int
  /// What a run in it can promise when it goes on from a checkpoint.
  public private(set) var resumePromise = ResumePromise.exact
  /// Makes environments that step together in their own way; nil: they are made one by one, and `EnvironmentLanes` steps them.
  public private(set) var makeVector: (@Sendable (_ count: Int) throws -> any VectorEnvironment)?
  /// Of an environment whose options only its makers know.
  private var reconfigure: (@Sendable (EnvironmentOptions) throws -> EnvironmentEntry)?
  /// Makes the environment without its time limit.
  private let makeUnlimited: @Sendable (EnvironmentOptions) throws -> any Environment

  /// An environment without options of its own.
  public init(
    id: String, summary: String, observationSize: Int, actionSpace: Space, maximumEpisodeSteps: Int?,
    rewardThreshold: Double? = nil, suggestedSteps: Int = 1_000_000,
    suggestedRandomSteps: Int? = nil, goals: GoalLayout? = nil, make: @escaping @Sendable () throws -> any Environment
  ) {
    self.init(
      id: id, summary: summary, options: [], observationSize: { _ in observationSize }, actionSpace: actionSpace,
      maximumEpisodeSteps: maximumEpisodeSteps, rewardThreshold: rewardThreshold, suggestedSteps: suggestedSteps,
      suggestedRandomSteps: suggestedRandomSteps, goals: goals
    ) { _ in try make() }
  }

  /// An environment with options.
  ///
  /// - Parameters:
  ///   - observationSize: S for a value of each option.
  ///   - make: makes the environment for a value of each option.
  /// - Precondition: no option is declared twice, and `max_episode_steps` is left to the entry.
  public init(
    id: String, summary: String, options: [EnvironmentOption],
    observationSize: @escaping @Sendable (EnvironmentOptions) -> Int, actionSpace: Space, maximumEpisodeSteps: Int?,
    rewardThreshold: Double? = nil, suggestedSteps: Int = 1_000_000,
    suggestedRandomSteps: Int? = nil, goals: GoalLayout? = nil,
    make: @escaping @Sendable (EnvironmentOptions) throws -> any Environment
  ) {
    let options = options + [.stepLimit(maximumEpisodeSteps)]
    var defaults = EnvironmentOptions()
    for option in options {
      precondition(defaults[option.name] == nil, "\(id) declares the option \(option.name) twice")
      defaults[option.name] = option.defaultValue
    }
    self.id = id
    self.summary = summary
    self.observationSize = observationSize(defaults)
    self.actionSpace = actionSpace
    self.maximumEpisodeSteps = maximumEpisodeSteps
    self.rewardThreshold = rewardThreshold
    self.suggestedSteps = suggestedSteps
    self.suggestedRandomSteps = suggestedRandomSteps
    self.goals = goals
    self.options = options
    self.resolvedOptions = defaults
    self.size = observationSize
    self.makeUnlimited = make
  }

  /// An environment from outside the process, with its options set: it keeps its time limit itself.
  package init(
    outside id: String, summary: String, observationSize: Int, actionSpace: Space, maximumEpisodeSteps: Int?,
    rewardThreshold: Double?, suggestedSteps: Int, suggestedRandomSteps: Int?, goals: GoalLayout?,
    givenOptions: EnvironmentOptions, resumePromise: ResumePromise,
    make: @escaping @Sendable () throws -> any Environment,
    makeVector: @escaping @Sendable (_ count: Int) throws -> any VectorEnvironment,
    configured: @escaping @Sendable (EnvironmentOptions) throws -> EnvironmentEntry
  ) {
    self.id = id
    self.summary = summary
    self.observationSize = observationSize
    self.actionSpace = actionSpace
    self.maximumEpisodeSteps = maximumEpisodeSteps
    self.rewardThreshold = rewardThreshold
    self.suggestedSteps = suggestedSteps
    self.suggestedRandomSteps = suggestedRandomSteps
    self.goals = goals
    self.givenOptions = givenOptions
    self.resumePromise = resumePromise
    self.makeVector = makeVector
    options = []
    resolvedOptions = givenOptions
    reconfigure = configured
    size = { _ in observationSize }
    makeUnlimited = { _ in try make() }
    limitsItself = true
  }

  /// This environment with some of its options set, in place of those set before: sizes and limit are as they are then.
  ///
  /// - Throws: `EnvironmentOptionError` for an option that the environment does not have, or a value that it refuses.
  public func configured(_ given: EnvironmentOptions) throws -> EnvironmentEntry {
    if let reconfigure { return given == givenOptions ? self : try reconfigure(given) }
    var entry = self
    entry.resolvedOptions = try options.completing(given, for: id)
    entry.givenOptions = given
    entry.observationSize = size(entry.resolvedOptions)
    let limit = entry.resolvedOptions.whole(EnvironmentOption.stepLimitName)
    entry.maximumEpisodeSteps = limit == -1 ? nil : limit
    return entry
  }

  /// A new instance without its time limit: an episode ends only where the environment does.
  public func makeEndless() throws -> any Environment { try makeUnlimited(resolvedOptions) }

  /// A new instance, within its time limit.
  public func make() throws -> any Environment {
    let environment = try makeEndless()
    guard let maximumEpisodeSteps, !limitsItself else { return environment }
    return TimeLimit(environment, maximumEpisodeSteps: maximumEpisodeSteps)
  }
}

/// An id taken apart: `HalfCheetah-v5` is version 5 of `HalfCheetah`.
struct EnvironmentID {
  let name: String
  let version: Int?

  init(_ id: String) {
    if let dash = id.lastIndex(of: "-"), id[dash...].hasPrefix("-v"), let version = Int(id[dash...].dropFirst(2)),
      version >= 0
    {
      self.name = String(id[..<dash])
      self.version = version
    } else {
      self.name = id
      self.version = nil
    }
  }
}

/// There is no environment with this id.
public struct UnknownEnvironment: Error, RemediableError, Equatable, CustomStringConvertible {
  /// The id that was asked for.
  public let id: String
  /// The versions there are of an environment with this very name.
  public let versions: [String]
  /// Up to three ids that look like it, nearest first.
  public let nearest: [String]

  init(id: String, known: [String]) {
    self.id = id
    let wanted = EnvironmentID(id)
    versions = known.filter { EnvironmentID($0).name == wanted.name }
    let distances = known.map { candidate in
      // version numbers are compared only where both have one
      let name = wanted.version == nil ? EnvironmentID(candidate).name : candidate
      return (id: candidate, distance: editDistance(id.lowercased(), name.lowercased()))
    }
    let limit = max(2, id.count / 3)
    nearest = distances.filter { $0.distance <= limit }.sorted { $0.distance < $1.distance }.prefix(3).map(\.id)
  }

  /// The id, and what it probably meant, in one line.
  public var description: String {
    let hint =
      if !versions.isEmpty {
        "there is \(versions.joined(separator: ", "))"
      } else if !nearest.isEmpty {
        "did you mean \(nearest.joined(separator: " or "))?"
      } else {
        "no id is like it"
      }
    return "no environment is called \(id.debugDescription): \(hint)"
  }

  package var remedies: [Remedy] { [.list(shows: "all environments")] }
}

/// Insertions, deletions and replacements that turn one string into the other (Levenshtein).
package func editDistance(_ first: String, _ second: String) -> Int {
  let second = Array(second)
  var row = Array(0...second.count)
  for (i, character) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in 0..<second.count {
      let replaced = diagonal + (character == second[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[second.count]
}
