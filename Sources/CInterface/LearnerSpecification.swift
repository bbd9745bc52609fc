// LearnerSpecification.swift — what `offpolicy_learner_make` is told, read and checked.

import OffPolicy

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

struct LearnerSpecification: Decodable {
  var algorithm: String
  var configuration: JSONValue?
  var seed: UInt64?
  var threads: Int?
  var environments: Int?
  var environment: String?
  var builtIn: Bool?
  var environmentOptions: EnvironmentOptions?
  var observationSize: Int?
  var actions: Actions?
  var goals: Goals?
  var steps: Int?
  var updatesBeforeFirstBatch: Bool?

  struct Actions: Decodable {
    var low: [Float]?
    var high: [Float]?
    var choices: Int?
  }

  struct Goals: Decodable {
    var observationSize: Int
    var goalSize: Int
  }

  /// Steps of a run whose end is not known: more than any takes.
  static let endless = 1 << 40
  private static let keys = [
    "algorithm", "configuration", "seed", "threads", "environments", "environment", "builtIn", "environmentOptions",
    "observationSize", "actions", "goals", "steps", "updatesBeforeFirstBatch",
  ]

  init(json: Data) throws {
    do {
      self = try JSONDecoder().decode(Self.self, from: json)
    } catch let error as DecodingError {
      throw Refusal("a learner's description cannot be read: \(reason(error))")
    }
    try checkKeys(of: json, Self.keys, "a learner's description")
    try check(environments, "environments", 1...65_536)
    try check(threads, "threads", 1...256)
    try check(steps, "steps", 1...Self.endless)
    try check(observationSize, "observationSize", 1...(1 << 20))
    try check(actions?.choices, "actions.choices", 1...65_536)
    try check(goals?.observationSize, "goals.observationSize", 0...(1 << 20))
    try check(goals?.goalSize, "goals.goalSize", 1...(1 << 20))
  }

  /// The environment that the learner is to step itself; nil: its caller steps one.
  func builtInEnvironment() throws -> EnvironmentEntry? {
    guard builtIn == true else {
      if environmentOptions != nil { throw Refusal("environmentOptions are for a built-in environment") }
      return nil
    }
    for (name, isGiven) in [
      ("observationSize", observationSize != nil), ("actions", actions != nil), ("goals", goals != nil),
    ] where isGiven {
      throw Refusal("\(name) is known of a built-in environment: leave it out, or set builtIn to false")
    }
    return try EnvironmentRegistry.standard.entry(environment ?? "").configured(environmentOptions ?? [:])
  }

  func run(_ task: EnvironmentEntry?) throws -> RunConfiguration {
    let entry = try AlgorithmRegistry.standard.entry(algorithm)
    guard entry.source == .task else {
      throw Refusal("\(entry.name) learns from fixed data, not from an environment")
    }
    var given = configuration ?? .object([:])
    if case .object(var members) = given, members["randomSteps"] == nil, let steps = task?.suggestedRandomSteps {
      members["randomSteps"] = .number(Double(steps))
      given = .object(members)
    }
    var run = RunConfiguration(
      algorithm: entry.name, environment: task?.id ?? environment ?? "",
      configuration: try entry.configuration(given).values,
      steps: steps ?? Self.endless, seed: seed ?? 0, threads: threads ?? min(4, Processor.coreCount), evaluateEvery: 0,
      evaluationEpisodes: 0, checkpointEvery: nil)
    if let task, !task.givenOptions.isEmpty { run.environmentOptions = task.givenOptions }
    if let environments, environments > 1 { run.environments = environments }
    return run
  }

  func outsideLanes() throws -> OutsideLanes {
    guard let observationSize else { throw Refusal("a learner needs its observationSize") }
    guard let actions else { throw Refusal("a learner needs its actions: {\"low\", \"high\"} or {\"choices\"}") }
    var layout: GoalLayout?
    if let goals {
      layout = GoalLayout(observationSize: goals.observationSize, goalSize: goals.goalSize)
      guard layout?.count == observationSize else {
        throw Refusal(
          "goals of \(goals.goalSize) values and \(goals.observationSize) others make \(layout?.count ?? 0) values, not "
            + "observationSize \(observationSize)")
      }
    }
    return OutsideLanes(
      count: environments ?? 1, observationSize: observationSize, actionSpace: try actions.space(), goals: layout)
  }
}

extension LearnerSpecification.Actions {
  func space() throws -> Space {
    switch (low, high, choices) {
    case (nil, nil, let choices?): return .discrete(Discrete(choices))
    case (let low?, let high?, nil):
      guard low.count == high.count, !low.isEmpty, low.count <= 1 << 20 else {
        throw Refusal("actions have \(low.count) lower and \(high.count) upper bounds; expected as many, at least one")
      }
      for i in low.indices where !low[i].isFinite || !high[i].isFinite || low[i] >= high[i] {
        throw Refusal("actions have bounds [\(low[i]), \(high[i])] of value \(i); expected finite ones, low < high")
      }
      return .box(Box(low: low, high: high))
    default: throw Refusal("actions are {\"low\": [A], \"high\": [A]} or {\"choices\": count}")
    }
  }
}

private func check(_ value: Int?, _ name: String, _ range: ClosedRange<Int>) throws {
  guard let value, !range.contains(value) else { return }
  throw Refusal("\(name) is \(value); expected \(range.lowerBound) to \(range.upperBound)")
}

/// Throws at a key that means nothing: what is given is obeyed or refused.
func checkKeys(of json: Data, _ known: [String], _ what: String) throws {
  guard case .object(let members) = try JSONDecoder().decode(JSONValue.self, from: json) else {
    throw Refusal("\(what) is a JSON object")
  }
  if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
    throw Refusal("\(what) has the key \(unknown.debugDescription); expected \(known.joined(separator: ", "))")
  }
}

/// What JSON is wrong about, in a sentence's end.
func reason(_ error: DecodingError) -> String {
  switch error {
  case .keyNotFound(let key, _): "\(key.stringValue) is missing"
  case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
    ([context.codingPath.map(\.stringValue).joined(separator: "."), context.debugDescription].filter { !$0.isEmpty })
      .joined(separator: ": ")
  @unknown default: "\(error)"
  }
}
