// Resume.swift — `offpolicy resume`: continues a run as if it had never stopped, if asked for more steps or with other values.

import ArgumentParser
import Foundation
import OffPolicy

struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Continue a run exactly where it stopped, with more steps or other values if asked.",
    discussion: """
      A run continued with --steps has the same bits as one that had so many steps from the start. Values set with --set hold \
      from the next step on, and run.json keeps them with that step.
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var folder: String

  @Option(help: "Steps of the run in all, including those it has taken. Default: as before.", transform: wholeNumber)
  var steps: Int?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change a hyperparameter from here on. May be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: "The new path of the data that the run learns from, if they have moved.")
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
