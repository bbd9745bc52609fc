// PolicyArgument.swift — finds the policy that an argument names: a file, or the last or best policy of a run.

import Foundation
import OffPolicy

/// Reads the policy that `argument` names: a policy file, or the folder of a run.
func loadPolicy(_ argument: String, best: Bool = false) throws -> Policy {
  try PolicyFile.load(policyPath(argument, best: best))
}

/// The path of the policy that `argument` names.
func policyPath(_ policy: String, best: Bool) throws -> String {
  guard FileManager.default.fileExists(atPath: policy) else {
    throw RunDirectoryError("\(policy) does not exist; give a run's folder or a policy file")
  }
  let isFolder = (try? URL(fileURLWithPath: policy).resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
  guard isFolder else {
    if best { throw ArgumentMismatch("--best needs a run's folder, and \(policy) is a policy file: leave out --best") }
    return policy
  }
  _ = try RunDirectory.describe(policy)
  let file = "\(policy)/\(best ? "policy-best" : "policy").safetensors"
  guard FileManager.default.fileExists(atPath: file) else {
    throw RunDirectoryError("\(file) does not exist yet: the run has not reached a checkpoint or an evaluation")
  }
  return file
}

/// Reads the networks that a new run begins with: those of a run, or of a policy file.
func loadWeights(_ argument: String) throws -> InitialWeights {
  let path = URL(fileURLWithPath: argument).standardizedFileURL.path
  let isFolder = (try? URL(fileURLWithPath: path).resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
  return isFolder
    ? try InitialWeights(RunDirectory.open(path)) : InitialWeights(try loadPolicy(argument), path: path)
}

extension Policy {
  /// Throws when the policy does not fit an environment.
  func check(fits task: EnvironmentEntry, as argument: String) throws {
    let sizes = (task.observationSize, task.actionSpace.count)
    let choices = task.actionSpace.choices
    guard choices == description.choices else {
      func text(_ choices: Int?) -> String { choices.map { "one of \($0) choices" } ?? "real-valued actions" }
      throw RunDirectoryError("\(argument) gives \(text(description.choices)); \(task.id) takes \(text(choices))")
    }
    guard sizes == (description.observationSize, description.actionLow.count) else {
      throw RunDirectoryError(
        "\(argument) takes \(description.observationSize) observations and gives \(description.actionLow.count) "
          + "actions; \(task.id)\(task.optionsSuffix) has \(sizes.0) and \(sizes.1)")
    }
  }
}

/// Arguments that do not go together; the description is one line.
struct ArgumentMismatch: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
