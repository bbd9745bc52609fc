// Advice.swift — adds the flag or the command that helps to an error of the library, which knows no command line.

import ArgumentParser
import Foundation
import OffPolicy

/// An error of the library with the program's advice, in one line.
struct AdvisedError: Error, CustomStringConvertible {
  let description: String

  /// - Parameter command: the command that failed: advice is only what that command takes.
  /// - Returns: nil where there is nothing to add.
  init?(_ error: any Error, in command: (any ParsableCommand)?) {
    guard let error = error as? any RemediableError else { return nil }
    let flags = error.remedies.compactMap { flag($0, in: command) }
    let commands = error.remedies.compactMap { otherCommand($0, in: command) }
    guard !flags.isEmpty || !commands.isEmpty else { return nil }
    var text = "\(error)"
    if !flags.isEmpty { text += " (\(flags.joined(separator: ", ")))" }
    for command in commands { text += (text.hasSuffix("?") ? " " : "; ") + command }
    description = text
  }
}

/// An error of the file system in plain words, without the domains and codes of the system's own text.
struct PlainError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// - Returns: nil where the error says itself what happened.
  init?(_ error: any Error) {
    guard let error = error as? CocoaError else { return nil }
    let path = error.filePath ?? error.url?.path
    description = (path.map { "\($0): " } ?? "") + FileAccess.reason(of: error)
  }
}

/// The flag to add; nil where the command does not have it.
private func flag(_ remedy: Remedy, in command: (any ParsableCommand)?) -> String? {
  // a run that is resumed keeps what it began with
  if command is Resume { return nil }
  return switch remedy {
  case .hyperparameter("bufferCapacity", _) where command is Bench: "--buffer N"
  case .hyperparameter(let name, let value) where command is Train || command is Bench: "--set \(name)=\(value)"
  case .runFolder where command is Train || command is Clone: "--run-directory PATH"
  case .environment where command is Train: nil
  case .environment: "--environment ID"
  case .timeouts(true): "--timeouts from-next-observations, --timeouts none or --timeouts \"every N\""
  case .timeouts(false): "--timeouts none or --timeouts \"every N\""
  case .layout: "--layout with one of \(DatasetLayout.allCases.map(\.rawValue).joined(separator: ", "))"
  case .hyperparameter, .runFolder, .resume, .list, .listOptions, .checkEnvironment, .fetchMuJoCo: nil
  }
}

/// Another command, and what it does.
private func otherCommand(_ remedy: Remedy, in command: (any ParsableCommand)?) -> String? {
  switch remedy {
  case .environment:
    (command as? Train).flatMap { train in
      train.dataset.map {
        "`\(Output.command) train \(shellWord(train.algorithm)) ENVIRONMENT --dataset \(shellWord($0))`"
      }
    }
  case .resume(let path): "`\(Output.command) resume \(shellWord(path))` goes on with it"
  case .list(let shown): "`\(Output.command) list` shows \(shown)"
  case .listOptions(let environment): "`\(Output.command) list \(shellWord(environment))` shows them"
  case .checkEnvironment(let id):
    "`\(Output.command) environment check \(id.map(shellWord) ?? "ENVIRONMENT")` does that"
  case .fetchMuJoCo: "`\(Output.command) fetch-mujoco` fetches it"
  case .hyperparameter, .runFolder, .timeouts, .layout: nil
  }
}
