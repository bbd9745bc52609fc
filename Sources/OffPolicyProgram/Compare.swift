// Compare.swift — `offpolicy compare`: is the new policy better than the one that runs today, and how sure is that?

import ArgumentParser
import OffPolicy

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two policies: paired episodes, the performance-difference lemma, and its surrogate from data.",
    discussion: """
      Without --dataset the data are collected here, by both policies in turns with noise 0.1; policies of choices take turns \
      with random actions instead. Without --environment only the surrogate is known. Guides/PolicyValue.md has the equations and what the numbers mean.
      """)

  @Argument(help: "The policy that runs today: the folder of a run, or a policy file.")
  var old: String

  @Argument(help: "The policy that is to replace it.")
  var new: String

  @Option(help: "Data from any policy: a run's folder, a folder of data, a .npz or a .hdf5 file.")
  var dataset: String?

  @Option(help: "Steps to collect where there is no --dataset. Default: 50000.", transform: wholeNumber)
  var collect: Int?

  @OptionGroup var fitting: FittingOptions

  @Flag(
    help:
      "Exit with 0 only if the new policy is better: the lower bound of J(new) − J(old) above 0, of 10 episodes or more."
  )
  var gate = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try (1000...Limits.collected.upperBound).check(collect, "--collect")
    if dataset != nil && collect != nil {
      throw ValidationError("--collect is for where there are no data: leave out either it or --dataset")
    }
    if dataset == nil && (fitting.timeouts != nil || fitting.observations != nil) {
      throw ValidationError("--timeouts and --observations are how data are read: without --dataset there are none")
    }
    if dataset == nil && fitting.environment == nil {
      throw ValidationError("give --environment, --dataset, or both: without either there is nothing to compare on")
    }
    if gate && fitting.environment == nil {
      throw ValidationError("--gate needs --environment: without the environment nobody can say which policy is better")
    }
  }

  func run() throws {
    let episodes = fitting.episodes ?? FittingOptions.defaultEpisodes
    if gate && episodes < PolicyComparison.fewestGateEpisodes {
      throw ArgumentMismatch(
        "--gate needs --episodes \(PolicyComparison.fewestGateEpisodes) at least: \(episodes) pairs of episodes do "
          + "not tell two policies apart")
    }
    let (before, after) = (try loadPolicy(old, best: fitting.best), try loadPolicy(new, best: fitting.best))
    try fitting.checkDistance(for: before)
    let settings = try fitting.settings()
    let task = try fitting.task(for: before, old)
    if let task {
      // a difference of returns has a meaning in one environment only
      let other = try fitting.environmentOptions.entry(task.id, over: [KeptOptions(after)])
      guard task.resolvedOptions == other.resolvedOptions else {
        throw ArgumentMismatch(
          "\(old) was trained with the options \(task.optionsText), \(new) with \(other.optionsText): say with --option "
            + "in which environment they are compared")
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
    guard let task else { throw ArgumentMismatch("without an environment there must be data: give --dataset") }
    // choices take no noise: random episodes, in turns with the policies', try the others
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
      print("(b) lemma      \(lemma.text), the fitted advantage where the new policy goes")
    }
    print("(c) surrogate  \(result.surrogate.text), the fitted advantage in the data's states")
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
