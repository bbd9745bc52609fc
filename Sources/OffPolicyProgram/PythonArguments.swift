// PythonArguments.swift — `--python`, `--workers`, `--step-limit`, `--on-fault`: how environments in Python are run.

import ArgumentParser
import Foundation
import OffPolicy

struct PythonArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The Python interpreter of gym:ID and python:FILE:FUNCTION. Default: OFFPOLICY_PYTHON, an active virtual environment's, "
        + "or python3.", valueName: "path"))
  var python: String?

  @Option(
    help:
      "Processes that run the environments in Python. Default: one for each environment, at most one for each core.",
    transform: wholeNumber)
  var workers: Int?

  @Option(help: "Seconds that a step or a reset in Python may take. Default: 60.")
  var stepLimit: Double?

  @Option(
    help:
      "When a Python environment fails: stop ends the run; restart makes the environment anew and counts a fault. Default: stop."
  )
  var onFault: PythonSettings.OnFault?

  func validate() throws {
    if let workers, !(1...4096).contains(workers) {
      throw ValidationError("--workers must be 1 to 4096, not \(workers)")
    }
    if let stepLimit, !(stepLimit > 0 && stepLimit <= 1e6) {
      throw ValidationError("--step-limit must be above 0 and at most 1,000,000 seconds, not \(stepLimit)")
    }
  }

  var isGiven: Bool { python != nil || workers != nil || stepLimit != nil || onFault != nil }

  /// Applies the arguments to all environments in Python that are made from now on.
  ///
  /// - Parameter id: the environment; options of Python are refused for one that is not in Python.
  func apply(to id: String?) throws {
    if isGiven, let id, !PythonBridge.isReference(id) {
      throw ArgumentMismatch(
        "--python, --workers, --step-limit and --on-fault are for gym:ID and python:FILE:FUNCTION, not \(id)")
    }
    var settings = Program.python
    // a path means the same when the run is resumed in another folder; a bare name is looked for
    if let python { settings.interpreter = python.contains("/") ? URL(fileURLWithPath: python).path : python }
    if let workers { settings.workers = workers }
    if let stepLimit { settings.stepLimit = stepLimit }
    if let onFault { settings.onFault = onFault }
    Program.python = settings
  }
}

extension PythonSettings.OnFault: ExpressibleByArgument {}

/// The error for an id that is not built in: it suggests Gymnasium's environment of that name.
struct ForeignEnvironment: Error, RemediableError, CustomStringConvertible {
  let unknown: UnknownEnvironment

  init(_ unknown: UnknownEnvironment) { self.unknown = unknown }

  var description: String {
    // either a typing error, or an environment of another package
    guard unknown.versions.isEmpty, unknown.nearest.isEmpty || unknown.id.contains("-v") else {
      return unknown.description
    }
    return "\(unknown.description); one that Gymnasium makes is gym:\(unknown.id)"
  }

  var remedies: [Remedy] { unknown.remedies }
}
