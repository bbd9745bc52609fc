// Collect.swift — `offpolicy collect`: steps in an environment, kept as a data set.

import ArgumentParser
import Foundation
import OffPolicy

struct Collect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take steps in an environment and keep them as data.",
    discussion: "OUT is a .npz file, a .hdf5 file or, without an extension, a folder; see Guides/Datasets.md.")

  @Argument(help: "A policy file, the folder of a run, or `random`.")
  var policy: String

  @Argument(help: "The environment's id.")
  var environment: String

  @OptionGroup var environmentOptions: EnvironmentOptionArguments

  @Option(help: "Environment steps.", transform: wholeNumber)
  var steps: Int

  @Option(help: "Standard deviation of normal noise on the policy's actions, in units of [−1, 1].")
  var noise = 0.0

  @Flag(help: "Act by the mean of a stochastic policy, or its likeliest choice. Default: draw the actions.")
  var deterministic = false

  @Flag(help: "Use the run's best policy, not its last.")
  var best = false

  @Option(help: "Seed of the environment, the draws and the noise.", transform: seedNumber)
  var seed: UInt64 = 0

  @Option(help: "What to write; it must not exist.")
  var out: String

  @Option(help: .layout)
  var layout: DatasetLayout?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try Limits.collected.check(steps, "--steps")
    if out.isEmpty { throw ValidationError("--out is empty: give a path") }
    if !(noise >= 0 && noise <= 10) { throw ValidationError("--noise must be 0 to 10, not \(noise)") }
  }

  func run() throws {
    try DatasetFiles.refuseUnwritable(out, as: layout)
    let task: EnvironmentEntry
    let actor: Collector.Actor
    let source: String
    if policy == "random" {
      if noise > 0 || deterministic || best {
        throw ArgumentMismatch("--noise, --deterministic and --best need a policy: leave them out with random actions")
      }
      task = try environmentOptions.entry(environment)
      (actor, source) = (.random, "random actions" + task.optionsSuffix)
    } else {
      let given = try loadPolicy(policy, best: best)
      task = try environmentOptions.entry(environment, over: [KeptOptions(given)])
      try given.check(fits: task, as: policy)
      actor = .policy(given, drawsActions: !deterministic, noise: noise)
      source =
        "\(given.description.algorithm) after \(given.description.step) steps, noise \(noise)\(task.optionsSuffix)"
    }
    try DatasetFiles.checkSpace(
      steps: steps, observationSize: task.observationSize, actionSize: task.actionSpace.count, at: out,
      available: DiskSpace.available(at: out))
    let stop = StopSignal.listen("stopping: writing the steps that were taken …")
    var progress = WorkProgress(total: steps, of: "steps")
    let dataset = try Collector.collect(
      [actor], in: try task.make(), of: task.id, steps: steps, seed: seed, source: source
    ) { step in
      if step % 64 == 0 { progress.show(step) }
      return stop.wasReceived
    }
    progress.finish()
    try DatasetFiles.write(dataset, to: out, as: layout)
    try DatasetReport(dataset, path: out).show(json: json)
    if dataset.count < steps && stop.wasReceived {
      Output.note("stopped after \(dataset.count.text) of \(steps.text) steps, which are in \(out)")
      throw ExitCode(128 + stop.number)
    }
  }
}
