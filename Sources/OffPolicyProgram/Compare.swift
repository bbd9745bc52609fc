// Compare.swift — `offpolicy compare`: whether a new policy is better than an old one, with confidence intervals.

import ArgumentParser
import OffPolicy

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two policies: paired episodes, the performance-difference lemma, and its surrogate from data.",
    discussion: """
      Without --dataset both policies collect the data in turns, with noise 0.1 on their actions. Discrete actions have no noise: \
      there, episodes of random actions are added. Without --environment only the surrogate is estimated. Guides/PolicyValue.md \
      has the equations and the meaning of the numbers.
      """)

  @Argument(help: "The policy that runs today: the folder of a run, or a policy file.")
  var old: String

  @Argument(help: "The policy that may replace it: the folder of a run, or a policy file.")
  var new: String

  @Option(help: "Data from any policy: a run's folder, a folder of data, a .npz or a .hdf5 file.")
  var dataset: String?

  @Option(help: "Steps to collect without --dataset. Default: 50000.", transform: wholeNumber)
  var collect: Int?

  @OptionGroup var fitting: FittingOptions

  @Flag(
    help:
      "Exit with 0 only if the new policy is better, else with 3. Better: the lower bound of J(new) − J(old) is above 0."
  )
  var gate = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try (1000...Limits.collected.upperBound).check(collect, "--collect")
    if dataset != nil && collect != nil {
      throw ValidationError("--collect makes data and --dataset reads data: leave one out")
    }
    if dataset == nil && (fitting.timeouts != nil || fitting.observations != nil) {
      throw ValidationError("--timeouts and --observations say how to read --dataset: add it, or leave them out")
    }
    if dataset == nil && fitting.environment == nil {
      throw ValidationError("give --environment, --dataset, or both: without either there is nothing to compare on")
    }
    if gate && fitting.environment == nil {
      throw ValidationError("--gate needs --environment: only episodes in it show which policy is better")
    }
  }

  func run() throws {
    let episodes = fitting.episodes ?? FittingOptions.defaultEpisodes
    if gate && episodes < PolicyComparison.fewestGateEpisodes {
      throw ArgumentMismatch(
        "--gate needs at least --episodes \(PolicyComparison.fewestGateEpisodes): \(episodes) pairs of episodes are too few "
          + "to tell two policies apart")
    }
    let (before, after) = (try loadPolicy(old, best: fitting.best), try loadPolicy(new, best: fitting.best))
    try fitting.checkDistance(for: before)
    let settings = try fitting.settings(for: [before, after])
    guard settings.configuration.temperature == 0 else {
      throw ArgumentMismatch("compare values rewards alone: leave --set temperature out")
    }
    let task = try fitting.task(for: before, old)
    if let task {
      // a difference of returns has a meaning in one environment only
      let other = try fitting.environmentOptions.entry(task.id, over: [KeptOptions(after)])
      guard task.resolvedOptions == other.resolvedOptions else {
        throw ArgumentMismatch(
          "\(old) was trained with \(task.optionsText), \(new) with \(other.optionsText): set with --option "
            + "the environment to compare them in")
      }
      try after.check(fits: task, as: new)
    }
    let stop = StopSignal.listen("stopping: nothing is written")
    let data = try data(before, after, task, stop)
    try checkFits(before, old, data, dataset ?? "the data")
    try checkFits(after, new, data, dataset ?? "the data")
    var updates = WorkProgress(total: settings.updates, of: "updates")
    let total = 2 * settings.episodes
    let result = try stop.heed {
      try PolicyComparison(
        old: before, new: after, from: data, settings,
        environment: task.map { task in (task.id, { try task.makeEndless() }) },
        progress: { at in
          updates.show(at.update, "critic loss \(at.criticLoss.text(4))")
          return stop.wasReceived
        }, isCancelled: { stop.wasReceived },
        episodeEnded: { if $0 % max(1, total / 5) == 0 { Output.note("\($0) of \(total) episodes run") } })
    }
    updates.finish()
    if json { try Output.json(result) } else { show(result) }
    if gate && result.improves != true { throw ExitCode(3) }
  }

  private func data(
    _ before: Policy, _ after: Policy, _ task: EnvironmentEntry?, _ stop: StopSignal
  ) throws -> Dataset {
    if let dataset { return try DatasetFiles.read(dataset, try fitting.reading(before)) }
    guard let task else { throw ArgumentMismatch("without an environment the comparison needs data: give --dataset") }
    // discrete actions take no noise: random episodes, in turns with the policies', try other actions
    let chooses = before.description.choices != nil
    let actors =
      [before, after].map {
        Collector.Actor.policy($0, drawsActions: !fitting.deterministic, noise: chooses ? 0 : 0.1)
      } + (chooses ? [.random] : [])
    let collect = collect ?? 50_000
    var progress = WorkProgress(total: collect, of: "steps")
    let data = try Collector.collect(
      actors, in: try task.make(), of: task.id, steps: collect, seed: fitting.seed,
      source: chooses ? "both policies and random actions" : "both policies, noise 0.1"
    ) { step in
      if step % 64 == 0 { progress.show(step) }
      return stop.wasReceived
    }
    progress.finish()
    if stop.wasReceived { throw ExitCode(128 + stop.number) }
    return data
  }

  private func show(_ result: PolicyComparison) {
    if let returns = result.returns, let lemma = result.lemma {
      print(
        "J(old)         \(returns.old.text), \(returns.episodes.text) episodes of at most \(returns.horizon.text) steps"
      )
      print("J(new)         \(returns.new.text), from the same starts")
      print("(a) difference \(returns.difference.text), pair by pair")
      print("(b) lemma      \(lemma.text), the fitted advantage in the states that the new policy visits")
    }
    print("(c) surrogate  \(result.surrogate.text), the fitted advantage in the states of the data")
    for line in result.explanation { print("               \(line)") }
    for warning in result.warnings { print("warning        \(warning)") }
  }
}

extension StopSignal {
  /// Runs work that a signal may stop; it then ends the program as the signal would.
  func heed<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch is Cancelled { throw ExitCode(128 + number) }
  }
}
