// Value.swift — `offpolicy value`: estimates the value of a policy from data, and measures it in its environment.

import ArgumentParser
import OffPolicy

struct Value: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimate a policy's value from data of any policy, and compare it with episodes in the environment.",
    discussion:
      "Fitted Q evaluation with several critics. Guides/PolicyValue.md has the equations and the meaning of the numbers."
  )

  @Argument(help: "The folder of a run, or a policy file.")
  var policy: String

  @Option(help: "Data from any policy: a run's folder, a folder of data, a .npz or a .hdf5 file.")
  var dataset: String

  @OptionGroup var fitting: FittingOptions

  @Flag(help: "Add the entropy term −α log π to the value: for policies of SAC.")
  var entropy = false

  @Option(help: "α of the entropy term. Default: the policy's own.")
  var temperature: Float?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let policy = try loadPolicy(policy, best: fitting.best)
    var settings = try fitting.settings(for: [policy])
    if entropy {
      try refuseTwice(temperature == nil ? "--entropy" : "--temperature", "temperature", fitting.settingsText)
      guard policy.isStochastic, !fitting.deterministic else {
        throw ArgumentMismatch("--entropy needs a policy that draws its actions: a deterministic one has no log π")
      }
      guard let alpha = temperature ?? policy.description.unscaledTemperature.map({ Float($0) }) else {
        throw ArgumentMismatch("\(self.policy) does not say its temperature: give α with --temperature")
      }
      guard alpha >= 0, alpha.isFinite else { throw ArgumentMismatch("--temperature must be finite and not negative") }
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

/// Throws when a policy and data cannot be of the same environment.
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

/// The options of fitting a value, for `value` and `compare`.
struct FittingOptions: ParsableArguments {
  @Option(help: "The environment for episodes that measure the value. Without it only the data are used.")
  var environment: String?

  @OptionGroup var environmentOptions: EnvironmentOptionArguments

  @Option(help: .timeouts)
  var timeouts: String?

  @Option(help: .observations)
  var observations: String?

  @Option(help: "Independent critics; their spread shows how uncertain the value is.", transform: wholeNumber)
  var critics: Int?

  @Option(help: "Updates of the critics.", transform: wholeNumber)
  var updates: Int = 100_000

  @Option(help: "Soft targets: the rate τ of their tracking at each update. Default: 0.005.")
  var soft: Float?

  @Option(help: "Hard targets: a copy of the critics at every n-th update.", transform: wholeNumber)
  var hard: Int?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Set a hyperparameter of fqe. May be repeated.", valueName: "key=value"))
  var settingsText: [String] = []

  @Flag(help: "Let a stochastic policy act by its mean, or its likeliest choice. Default: draw the actions.")
  var deterministic = false

  @Flag(help: "Use the run's best policy, not its last.")
  var best = false

  @Option(help: "Episodes in the environment. Default: 100.", transform: wholeNumber)
  var episodes: Int?

  @Option(
    help:
      "An action of the data counts as far from the policy's above this distance: root mean square, in units of [−1, 1]."
  )
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

  func settings(for policies: [Policy]) throws -> PolicyValueSettings {
    for (flag, name, isGiven) in [
      ("--critics", "critics", critics != nil), ("--soft", "targetTracking", soft != nil),
      ("--hard", "targetTracking", hard != nil),
    ] where isGiven { try refuseTwice(flag, name, settingsText) }
    var assignments = settingsText
    if let critics { assignments.append("critics=\(critics)") }
    if let soft { assignments.append("targetTracking.soft.rate=\(soft)") }
    if let hard { assignments.append("targetTracking.hard.every=\(hard)") }
    let configuration = try FittedQEvaluation.Configuration().setting(assignments)
    if assignments.contains(where: { $0.hasPrefix("policyActivation") }) {
      throw ArgumentMismatch("policyActivation is that of the policy, which is known: leave it out")
    }
    if configuration.temperature > 0 && (deterministic || !policies.allSatisfy(\.isStochastic)) {
      throw ArgumentMismatch(
        "temperature weighs the entropy of a policy that draws its actions, and a deterministic one has none: leave it out"
      )
    }
    guard configuration.discount < 1 else {
      throw ArgumentMismatch("discount must be below 1: fitted Q evaluation needs a discount")
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
      if episodes != nil { throw ArgumentMismatch("--episodes needs an environment: name it with --environment") }
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
  /// The shortest text that reads back as the same `Float`.
  fileprivate var shortest: String { "\(Float(self))" }
}
