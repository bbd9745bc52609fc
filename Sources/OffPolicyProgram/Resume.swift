// Resume.swift — `offpolicy resume`: a run goes on as if it had never stopped.

import ArgumentParser
import OffPolicy

struct Resume: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Go on with a run exactly where it stopped.")

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"))
  var folder: String

  @Option(help: "Threads of an update; the result is the same. Default: as before.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256, not \(threads)") }
  }

  func run() throws {
    _ = StopSignal.listen()
    let described = try RunDirectory.describe(folder)
    let metrics = try Program.algorithms.entry(described.run.algorithm).metrics
    let directory = try RunDirectory.open(folder, metrics: metrics)
    try directory.lock()
    var configuration = directory.description.run
    if let threads { configuration.threads = threads }
    // the run's own sums, to the bit
    if !Processor.useMatrixUnit(directory.description.versions.matrixUnit ?? false) {
      Output.note("this run began on a matrix unit (AMX), which is not here: its numbers go on with other roundings")
    }
    let trainer = try makeTrainer(configuration)
    let restoration = try directory.restore(trainer)
    for problem in restoration.problems { Output.note("passed over: \(problem)") }
    for note in restoration.notes { Output.note(note) }
    Output.note("resuming \(directory.displayPath) at step \(trainer.step.text) of \(configuration.steps.text)")
    try drive(trainer, directory)
  }
}
