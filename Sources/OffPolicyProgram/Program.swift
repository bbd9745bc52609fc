// Program.swift — the whole program as a library: its commands, the environments and algorithms they know, and its errors.

import ArgumentParser
import Foundation
import OffPolicy
import Synchronization

/// The program `offpolicy`, for a package with environments or algorithms of its own.
///
/// An executable's `main.swift`, whole:
///
///     import OffPolicyProgram
///
///     Program.main(environments: [Cart.entry], algorithms: [MyTD3.entry])
///
/// Every command then knows them beside the package's own: `swift run -c release cart train sac Cart-v0`, `resume`,
/// `evaluate`, `list`, `environment check` and the rest.
public enum Program {
  /// What the commands know besides their arguments. `main` sets it once, before there is a command: the parser makes the
  /// commands, so `main` cannot hand them anything.
  private struct Knowledge {
    var environments = EnvironmentRegistry.standard
    var algorithms = AlgorithmRegistry.standard
    var python = PythonSettings()
    var allocationCount: @Sendable () -> Int? = { nil }
  }

  private static let knowledge = Mutex(Knowledge())

  static var environments: EnvironmentRegistry { knowledge.withLock { $0.environments } }
  /// The environment of a name: one that the program knows, or `gym:ID` and `python:FILE:FUNCTION`.
  static func environment(_ id: String, _ options: EnvironmentOptions = [:]) throws -> EnvironmentEntry {
    guard PythonBridge.isReference(id) else {
      do { return try environments.entry(id).configured(options) } catch let unknown as UnknownEnvironment {
        throw ForeignEnvironment(unknown)
      }
    }
    // Gymnasium's environment takes the suggested settings of the built-in one with the same name
    let known = id.hasPrefix("gym:") ? try? environments.entry(String(id.dropFirst("gym:".count))) : nil
    return try PythonBridge.entry(PythonBridge.absolute(id), options, settings: python, like: known)
  }

  /// How Python environments are run, from the arguments.
  static var python: PythonSettings {
    get { knowledge.withLock { $0.python } }
    set { knowledge.withLock { $0.python = newValue } }
  }

  static var algorithms: AlgorithmRegistry { knowledge.withLock { $0.algorithms } }
  static var allocationCount: @Sendable () -> Int? { knowledge.withLock { $0.allocationCount } }

  /// Runs the command that the process was started with. An error is printed in one line and ends the process.
  ///
  /// - Parameters:
  ///   - environments: environments beside those of `EnvironmentRegistry.standard`.
  ///   - algorithms: algorithms beside those of `AlgorithmRegistry.standard`.
  ///   - allocationCount: allocations of the process so far, for `bench`; nil where they are not counted.
  /// - Precondition: no id and no name occurs twice.
  public static func main(
    environments: [EnvironmentEntry] = [], algorithms: [AlgorithmEntry] = [],
    allocationCount: @escaping @Sendable () -> Int? = { nil }
  ) {
    // before anything is opened
    StandardStreams.reserve()
    StopSignal.prepare()
    knowledge.withLock {
      $0.environments = EnvironmentRegistry(EnvironmentRegistry.standard.entries + environments)
      $0.algorithms = AlgorithmRegistry(AlgorithmRegistry.standard.entries + algorithms)
      $0.allocationCount = allocationCount
    }
    RootCommand.runAndExit()
  }

  /// The name of the executable, as usage lines and lines to paste say it.
  static let name = CommandLine.arguments.first.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "offpolicy"
}

/// The program itself, with all commands as subcommands.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "Learn control policies off-policy: \(Program.algorithms.entries.map(\.name).joined(separator: ", ")).",
    discussion: """
      Start with:  \(Output.command) train sac Pendulum-v1 --steps 10000
      Then:        \(Output.command) evaluate runs/sac-Pendulum-v1-seed0
      Help:        \(Output.command) help train
      """,
    version: "\(Program.name) \(programVersion)",
    subcommands: [
      Train.self, Resume.self, Clone.self, SweepCommand.self, Evaluate.self, List.self, EnvironmentCommand.self,
      ConformanceCommand.self, Bench.self, Inspect.self, ReportCommand.self, PlotCommand.self, CompareRuns.self,
      Collect.self, DatasetCommand.self, Value.self, Compare.self, ExportCommand.self, Record.self, Doctor.self,
      FetchMuJoCo.self,
    ])

  /// Runs what the arguments say. Only a success returns.
  static func runAndExit() {
    var parsed: (any ParsableCommand)?
    let arguments = Arguments.joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst()))
    do {
      try Processor.check()
      if let complaint = Arguments.complaint(ofHelp: arguments) {
        Output.note("Error: " + complaint)
        exit(withError: ExitCode.validationFailure)
      }
      var command = try parseAsRoot(arguments)
      parsed = command
      #if DEBUG
        Output.note("this is a debug build, some 50 times slower than a release build: swift build -c release")
      #endif
      for note in Arguments.overridden(in: arguments) { Output.note(oneLine(note)) }
      try command.run()
      try Output.finish()
    } catch {
      // help and the version are output too
      if exitCode(for: error) == .success {
        let text = fullMessage(for: error)
        if !text.isEmpty { print(text) }
        do { try Output.finish() } catch { exit(withError: error) }
        exit(withError: ExitCode.success)
      }
      // no arguments at all, and requests for help, are answered at length
      if exitCode(for: error) == .validationFailure && !arguments.isEmpty {
        Output.note("Error: " + Arguments.complaint(message(for: error), about: arguments))
        exit(withError: ExitCode.validationFailure)
      }
      if let complaint = Arguments.complaint(ofEmpty: arguments, beside: message(for: error)) {
        Output.note("Error: " + complaint)
        exit(withError: ExitCode.validationFailure)
      }
      let advised = AdvisedError(error, in: parsed) ?? PlainError(error) ?? error
      // a name out of a file may hold anything, line feeds and the terminal's own commands included
      let text = message(for: advised)
      let line = oneLine(text, limit: 10_000)
      if exitCode(for: error) == .failure, line != text { exit(withError: PlainError(line)) }
      exit(withError: advised)
    }
  }
}
