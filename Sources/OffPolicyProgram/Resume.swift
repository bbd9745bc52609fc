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

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change a hyperparameter from here on. May be repeated.", valueName: "key=value"))
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
    try Continuation(
      folder: folder, steps: steps, settings: settings, dataset: dataset, threads: threads, python: python
    ).run()
  }
}
