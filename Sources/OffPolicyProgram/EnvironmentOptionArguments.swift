// EnvironmentOptionArguments.swift — `--option key=value`: options of the environment, for every command that makes one.

import ArgumentParser
import OffPolicy

struct EnvironmentOptionArguments: ParsableArguments {
  @Option(
    name: .customLong("option"),
    help: ArgumentHelp(
      "Set an option of the environment, such as max_episode_steps=500. May be repeated; see `offpolicy list ID`.",
      valueName: "key=value")
  )
  var assignments: [String] = []

  @OptionGroup var python: PythonArguments

  /// The options that were typed; if one was typed twice, its last value.
  func options() throws -> EnvironmentOptions {
    var options = EnvironmentOptions()
    for assignment in assignments {
      guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
        throw ArgumentMismatch(
          "--option \(assignment.debugDescription) is not key=value, such as max_episode_steps=500")
      }
      let text = String(assignment[assignment.index(after: equals)...])
      options[String(assignment[..<equals])] = EnvironmentOptions.Value(text: text)
    }
    return options
  }

  /// The environment called `id`. Options that were typed win over those that a policy or data were made with.
  func entry(_ id: String, over kept: [KeptOptions] = []) throws -> EnvironmentEntry {
    try python.apply(to: id)
    let name = PythonBridge.isReference(id) ? PythonBridge.absolute(id) : try Program.environment(id).id
    let base = kept.last { $0.environment == name }?.options ?? EnvironmentOptions()
    return try Program.environment(id, base.merging(try options()))
  }

  /// Throws for any option: a command without an environment has none to set.
  func refuseAny() throws {
    if !assignments.isEmpty { throw ArgumentMismatch("--option sets options of an environment: name the environment") }
    if python.isGiven {
      throw ArgumentMismatch(
        "--python, --workers, --step-limit and --on-fault run an environment: name the environment")
    }
  }
}

/// The options that a policy or a run was made with, and their environment.
struct KeptOptions {
  let environment: String
  let options: EnvironmentOptions

  init(_ policy: Policy) {
    (environment, options) = (policy.description.environment, policy.description.environmentOptions)
  }

  init(_ run: RunConfiguration) {
    (environment, options) = (run.environment, run.environmentOptions ?? EnvironmentOptions())
  }
}

extension EnvironmentEntry {
  /// Throws where episodes were set to have no limit, but a command needs whole episodes.
  func requireLimit(for what: String) throws {
    if maximumEpisodeSteps == nil && givenOptions["max_episode_steps"] != nil {
      throw ArgumentMismatch(
        "\(what) needs episodes that end, and with max_episode_steps=-1 those of \(id) may not: give a number of steps")
    }
  }

  /// The options in words.
  var optionsText: String { givenOptions.isEmpty ? "the default options" : "\(givenOptions)" }

  /// The options in words, behind a comma; nothing where there are none.
  var optionsSuffix: String { givenOptions.isEmpty ? "" : ", \(givenOptions)" }
}
