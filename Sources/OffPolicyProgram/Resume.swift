// Resume.swift — `offpolicy resume`: a run goes on as if it had never stopped, for longer or with other settings if asked to.

import ArgumentParser
import Foundation
import OffPolicy

struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Go on with a run exactly where it stopped, or for more steps than it was to have.",
    discussion: """
      With --steps a run gives the same bits as one that always had so many. What --set changes holds from the next step on; \
      run.json keeps it with that step.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var folder: String

  @Option(help: "Steps of the whole run, those it has taken included. Default: as before.", transform: wholeNumber)
  var steps: Int?

  @Option(name: .customLong("set"), help: "Change a hyperparameter from here on: key=value. May be repeated.")
  var settings: [String] = []

  @Option(help: "Where the data are that the run learns from, if they have moved.")
  var dataset: String?

  @Option(help: "Threads of an update; the result is the same. Default: as before.", transform: wholeNumber)
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "The Python interpreter of a run in gym:ID or python:FILE:FUNCTION. Default: as before.", valueName: "path"))
  var python: String?

  func validate() throws {
    try Limits.steps.check(steps, "--steps")
    try Limits.threads.check(threads, "--threads")
  }

  func run() throws {
    _ = StopSignal.listen()
    let described = try RunDirectory.describe(folder)
    let metrics = try Program.algorithms.entry(described.run.algorithm).metrics
    let directory = try RunDirectory.open(folder, metrics: metrics)
    try directory.lock()
    let before = directory.description.run
    let changed = try before.changed(
      steps: steps, settings: settings, dataset: dataset.map { URL(fileURLWithPath: $0).standardizedFileURL.path },
      in: Program.algorithms)
    var configuration = changed
    if let python { configuration.python = python }
    if let threads { configuration.threads = threads }
    // the run's own sums, to the bit
    if !Processor.useMatrixUnit(directory.description.versions.matrixUnit ?? false) {
      Output.note("this run began on a matrix unit (AMX), which is not here: its numbers go on with other roundings")
    }
    let trainer = try makeTrainer(configuration)
    let restoration = try directory.restore(trainer, writtenBy: before)
    for problem in restoration.problems { Output.note("passed over: \(problem)") }
    for note in restoration.notes { Output.note(note) }
    guard trainer.step <= changed.steps || changed.steps == before.steps else {
      throw ArgumentMismatch(
        "\(directory.displayPath) is at step \(trainer.step.text) already: it cannot end at step \(changed.steps.text)")
    }
    for loss in try changed.losses(extending: before, trainer, in: Program.algorithms) {
      Output.note("the run goes on, but not with the bits of one that always had \(changed.steps.text) steps: \(loss)")
    }
    if changed.steps > before.steps {
      try RunDirectory.checkSpace(for: trainer, at: folder, available: DiskSpace.available(at: folder))
    }
    try directory.change(to: changed, at: trainer.step)
    Output.note("resuming \(directory.displayPath) at step \(trainer.step.text) of \(configuration.steps.text)")
    if trainer.step >= configuration.steps && steps == nil {
      Output.note(
        "it is done: `\(Output.command) resume \(shellWord(directory.displayPath)) --steps N` goes on to step N")
    }
    try drive(trainer, directory)
  }
}
