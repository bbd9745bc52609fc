// Value.swift — `offpolicy value`: what a policy is worth, from data and in its environment.

import ArgumentParser
import OffPolicy

struct Value: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimate a policy's value from data of any policy, and compare it with the environment if there is one.",
    discussion:
      "Fitted Q evaluation with several critics; Guides/PolicyValue.md has the equations and what the numbers mean.")

  @Argument(help: "The folder of a run, or a policy file.")
  var policy: String

  @Option(help: "Data from any policy: a run's folder, a folder of data, a .npz or a .hdf5 file.")
  var dataset: String

  @OptionGroup var fitting: FittingOptions

  @Flag(help: "Value with the entropy term, α log π backed up: for SAC's policies.")
  var entropy = false

  @Option(help: "α of the entropy term. Default: the policy's own.")
  var temperature: Float?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let policy = try loadPolicy(policy, best: fitting.best)
    var settings = try fitting.settings()
    if entropy {
      guard policy.isStochastic, !fitting.deterministic else {
        throw ArgumentMismatch("--entropy needs a policy that draws its actions: a deterministic one has no log π")
      }
      guard let alpha = temperature ?? policy.description.unscaledTemperature.map({ Float($0) }) else {
        throw ArgumentMismatch("\(self.policy) does not say its temperature: give α with --temperature")
      }
      guard alpha >= 0, alpha.isFinite else { throw ArgumentMismatch("--temperature must not be negative") }
      settings.configuration.temperature = alpha
    } else if temperature != nil {
      throw ArgumentMismatch("--temperature is α of the entropy term: add --entropy")
    }
    try fitting.checkDistance(for: policy)
    let task = try fitting.task(for: policy, self.policy)
    let data = try DatasetFiles.read(dataset, try fitting.reading(policy))
    try checkFits(policy, self.policy, data, dataset)
    let stop = StopSignal.listen("stopping: nothing is written")
    var updates = WorkProgress(total: settings.updates, of: "updates")
    let total = settings.episodes
    let value = try stop.heed {
      try PolicyValue(
        policy, from: data, settings, environment: task.map { task in (task.id, { try task.makeEndless() }) },
        progress: { at in
          updates.show(at.update, "critic loss \(at.criticLoss.text(4))")
          return stop.wasReceived
        }, isCancelled: { stop.wasReceived },
        episodeEnded: { if $0 % max(1, total / 5) == 0 { Output.note("\($0) of \(total) episodes of the policy run") } }
      )
    }
    updates.finish()
    if json { return try Output.json(value) }
    show(value)
  }

  private func show(_ value: PolicyValue) {
    print(
      "value        \(value.fitted.text), from \(value.fitted.count.text) starts of the \(value.startsFrom == "task" ? "environment" : value.startsFrom), "
        + "discount "
        + "\(value.discount.shortest)")
    print(
      "critics      \(value.critics.map { $0.text(2) }.joined(separator: "  ")), standard deviation "
        + value.criticSpread.text(2))
    if value.temperature > 0 { print("entropy      backed up with α = \(value.temperature.text(4))") }
    if let monteCarlo = value.monteCarlo, let error = value.criticError, let horizon = value.horizon {
      print("measured     \(monteCarlo.text), \(monteCarlo.count.text) episodes of at most \(horizon.text) steps")
      print("critic error \(error.text), start by start")
    }
    let nearest = value.nearestActions
    print(
      "data         \((100 * nearest.shareOutside).text()) % of \(nearest.statesAsked.text) states have no action within "
        + "\(nearest.distance.shortest) of the policy's among the \(nearest.neighbours) nearest states")
    print("learned      \(value.updates.text) updates, critic loss \(value.criticLoss.text(4))")
    for warning in value.warnings { print("warning      \(warning)") }
  }
}

/// Throws when a policy cannot have acted in data.
func checkFits(_ policy: Policy, _ argument: String, _ data: borrowing Dataset, _ path: String) throws {
  let (description, own) = (data.description, policy.description)
  guard own.choices == description.choices else {
    func text(_ choices: Int?) -> String { choices.map { "one of \($0) choices" } ?? "real values" }
    throw DatasetError(
      path,
      "has \(text(description.choices)) for an action, \(argument) gives \(text(own.choices)): they are of different "
        + "environments")
  }
  guard own.observationSize == description.observationSize, own.actionLow.count == description.actionSize else {
    throw DatasetError(
      path,
      "has \(description.observationSize) observations and \(description.actionSize) actions, \(argument) takes "
        + "\(own.observationSize) and gives \(own.actionLow.count): they are of different environments")
  }
  guard own.actionLow == description.actionLow, own.actionHigh == description.actionHigh else {
    throw DatasetError(
      path,
      "has actions in \(description.actionLow) to \(description.actionHigh), \(argument) acts in \(own.actionLow) to "
        + "\(own.actionHigh): they are of different environments")
  }
}

/// What fitting a value needs, for `value` and `compare`.
struct FittingOptions: ParsableArguments {
  @Option(help: "The environment to compare the value with. Without it only the data are used.")
  var environment: String?

  @OptionGroup var environmentOptions: EnvironmentOptionArguments

  @Option(help: "How data without time-outs are read: from-next-observations, none, or \"every N\".")
  var timeouts: String?

  @Option(help: .observations)
  var observations: String?

  @Option(help: "Independent critics; their spread shows how uncertain the value is.", transform: wholeNumber)
  var critics: Int?

  @Option(help: "Updates of the critics.", transform: wholeNumber)
  var updates: Int = 100_000

  @Option(help: "Soft targets: the share τ that they move at each update. Default: 0.005.")
  var soft: Float?

  @Option(help: "Hard targets: copied at every n-th update.", transform: wholeNumber)
  var hard: Int?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Set a hyperparameter of fqe. May be repeated.", valueName: "key=value"))
  var settingsText: [String] = []

  @Flag(help: "A SAC policy is valued by its mean action, or its likeliest choice; else by its draws.")
  var deterministic = false

  @Flag(help: "Use the run's best policy, not its last.")
  var best = false

  @Option(help: "Episodes in the environment. Default: 100.", transform: wholeNumber)
  var episodes: Int?

  @Option(help: "Distance from which an action of the data counts as far, root mean square of [−1, 1].")
  var distance = NearestActions.defaultDistance

  @Option(help: "Seed of starts, critics and draws.", transform: seedNumber)
  var seed: UInt64 = 0

  @Option(
    help: "Threads of an update; the result is the same. Default: the machine's cores, at most 4.",
    transform: wholeNumber)
  var threads: Int?

  static let defaultEpisodes = 100

  func validate() throws {
    try Limits.steps.check(updates, "--updates")
    // an interval needs two
    try (2...1_000_000).check(episodes, "--episodes")
    if soft != nil && hard != nil { throw ValidationError("targets are --soft or --hard, not both") }
    if !(distance > 0 && distance <= 2) {
      throw ValidationError("--distance must be above 0, at most 2, the width of [−1, 1], not \(distance)")
    }
    try Limits.threads.check(threads, "--threads")
  }

  func checkDistance(for policy: Policy) throws {
    guard policy.description.choices != nil, distance >= 1 else { return }
    throw ArgumentMismatch("--distance must be below 1 for choices: two of them are the same, or 1 apart")
  }

  func settings() throws -> PolicyValueSettings {
    var assignments = settingsText
    if let critics { assignments.append("critics=\(critics)") }
    if let soft { assignments.append("targetTracking.soft.rate=\(soft)") }
    if let hard { assignments.append("targetTracking.hard.every=\(hard)") }
    let configuration = try FittedQEvaluation.Configuration().setting(assignments)
    guard configuration.discount < 1 else {
      throw ArgumentMismatch("discount must be below 1: a value without a discount has no horizon here")
    }
    var settings = PolicyValueSettings(configuration: configuration)
    (settings.updates, settings.episodes, settings.seed) = (updates, episodes ?? Self.defaultEpisodes, seed)
    (settings.threads, settings.distance) = (threads ?? min(4, Processor.coreCount), distance)
    settings.drawsActions = !deterministic
    return settings
  }

  func task(for policy: Policy, _ argument: String) throws -> EnvironmentEntry? {
    guard let environment else {
      try environmentOptions.refuseAny()
      if episodes != nil { throw ArgumentMismatch("--episodes are run in an environment: name it with --environment") }
      return nil
    }
    let task = try environmentOptions.entry(environment, over: [KeptOptions(policy)])
    try policy.check(fits: task, as: argument)
    return task
  }

  func reading(_ policy: Policy) throws -> DatasetReading {
    var reading = DatasetReading(
      timeouts: try TimeoutReading.argument(timeouts),
      bounds: (policy.description.actionLow, policy.description.actionHigh))
    reading.observations = DatasetReading.parts(observations)
    reading.choices = policy.description.choices
    return reading
  }
}

extension Estimate {
  /// The mean with its interval: `-12.30 [-13.10, -11.50]`.
  var text: String { "\(mean.text(2)) [\(low.text(2)), \(high.text(2))]" }
}

extension Double {
  /// Without zeros that say nothing: a `Float`'s shortest text.
  fileprivate var shortest: String { "\(Float(self))" }
}
