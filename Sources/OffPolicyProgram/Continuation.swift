// Continuation.swift — a run goes on from its newest checkpoint: what `resume` and `clone` share.

import ArgumentParser
import Foundation
import OffPolicy

/// How a run goes on; what is nil stays as it was.
struct Continuation {
  var folder: String
  var steps: Int? = nil
  var settings: [String] = []
  var dataset: String? = nil
  var threads: Int? = nil
  var python: String? = nil

  /// The run with these changes, before anything is written.
  func changed(_ run: RunConfiguration) throws -> RunConfiguration {
    try run.changed(
      steps: steps, settings: settings, dataset: dataset.map { URL(fileURLWithPath: $0).standardizedFileURL.path },
      in: Program.algorithms)
  }

  /// Restores the run and trains to its last step.
  func run() throws {
    let described = try RunDirectory.describe(folder)
    let metrics = try Program.algorithms.entry(described.run.algorithm).metrics
    let directory = try RunDirectory.open(folder, metrics: metrics)
    try directory.lock()
    let before = directory.description.run
    let changed = try changed(before)
    if python != nil && !PythonBridge.isReference(before.environment) {
      throw ArgumentMismatch("--python is for gym:ID and python:FILE:FUNCTION, not \(before.environment): leave it out")
    }
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
