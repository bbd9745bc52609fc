// PolicyArgument.swift — the policy that an argument means: a file, or a run's last or best.

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
  guard isFolder else { return policy }
  _ = try RunDirectory.describe(policy)
  let file = "\(policy)/\(best ? "policy-best" : "policy").safetensors"
  guard FileManager.default.fileExists(atPath: file) else {
    throw RunDirectoryError("\(file) does not exist yet: the run has not reached a checkpoint or an evaluation")
  }
  return file
}

extension Policy {
  /// Throws when the policy does not fit an environment.
  func check(fits task: EnvironmentEntry, as argument: String) throws {
    let sizes = (task.observationSize, task.actionSpace.count)
    guard sizes == (description.observationSize, description.actionLow.count) else {
      throw RunDirectoryError(
        "\(argument) takes \(description.observationSize) observations and gives \(description.actionLow.count) "
          + "actions; \(task.id)\(task.optionsSuffix) has \(sizes.0) and \(sizes.1)")
    }
  }
}

/// Arguments that do not go together, told in one line.
struct ArgumentMismatch: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
