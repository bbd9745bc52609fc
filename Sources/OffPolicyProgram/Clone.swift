// Clone.swift — `offpolicy clone`: copies a run and continues the copy, for more steps or with other values.

import ArgumentParser
import Foundation
import OffPolicy

struct Clone: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clone",
    abstract: "Copy a run and continue the copy, for more steps or with other values.",
    discussion: """
      offpolicy extend runs/sac-Hopper-v5-seed0 --by 100000
      offpolicy clone runs/sac-Hopper-v5-seed0 --steps 200000 --set discount=0.98

      The run stays as it is. The copy has the run's checkpoint and logs, and its run.json names the run as its parent. Values \
      set with --set hold from the next step on. `offpolicy resume` continues a run in its own folder; `offpolicy train --from` \
      begins a new run with the networks of another.
      """,
    aliases: ["extend"])

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var folder: String

  @Option(help: "Steps of the copy in all, including those of the run.", transform: wholeNumber)
  var steps: Int?

  @Option(help: "Steps to add to the run's number of steps, instead of --steps.", transform: wholeNumber)
  var by: Int?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change a hyperparameter from here on. May be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: "The folder of the copy; it must not exist. Default: the run's, followed by -clone.")
  var runDirectory: String?

  @Option(help: "The new path of the data that the run learns from, if they have moved.")
  var dataset: String?

  @Option(help: "Threads of an update; the result is the same. Default: as before.", transform: wholeNumber)
  var threads: Int?

  func validate() throws {
    try Limits.steps.check(steps, "--steps")
    try Limits.steps.check(by, "--by")
    try Limits.threads.check(threads, "--threads")
    if steps != nil && by != nil { throw ValidationError("--steps and --by exclude each other: leave one out") }
    if runDirectory?.isEmpty == true { throw ValidationError("--run-directory is empty: give a path") }
  }

  func run() throws {
    _ = StopSignal.listen()
    let run = try RunDirectory.describe(folder).run
    var total = steps
    if let by {
      let (sum, overflows) = run.steps.addingReportingOverflow(by)
      guard !overflows, Limits.steps.contains(sum) else { throw ArgumentMismatch("--by \(by) is too many steps") }
      total = sum
    }
    var continuation = Continuation(
      folder: folder, steps: total, settings: settings, dataset: dataset, threads: threads)
    // everything that can be refused is refused before anything is written
    let changed = try continuation.changed(run)
    let inspection = try RunInspection(RunDirectory.open(folder))
    if inspection.step >= changed.steps {
      throw ArgumentMismatch(
        total == nil
          ? "\(folder) is done at step \(inspection.step.text): add --by N or --steps N for the steps of the copy"
          : "\(folder) is at step \(inspection.step.text) already: its copy cannot end at step \(changed.steps.text); ask for "
            + "more steps")
    }
    let target = runDirectory ?? freeDirectory()
    try RunDirectory.copy(folder, to: target)
    Output.note("\(target) begins as a copy of \(folder) at step \(inspection.step.text)")
    continuation.folder = target
    try continuation.run()
  }

  private func freeDirectory() -> String {
    var base = folder
    while base.count > 1 && base.hasSuffix("/") { base.removeLast() }
    var path = base + "-clone"
    var number = 2
    while FileManager.default.fileExists(atPath: path) {
      path = "\(base)-clone-\(number)"
      number += 1
    }
    return path
  }
}
