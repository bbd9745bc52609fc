// Program.swift — the whole program as a library: its commands, what they know, and how errors leave it.

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
  /// What the commands know beside their arguments. `main` sets it once, before there is a command: the parser makes the
  /// commands, so that nothing can be handed to them.
  private struct Knowledge {
    var environments = EnvironmentRegistry.standard
    var algorithms = AlgorithmRegistry.standard
    var allocationCount: @Sendable () -> Int? = { nil }
  }

  private static let knowledge = Mutex(Knowledge())

  static var environments: EnvironmentRegistry { knowledge.withLock { $0.environments } }
  static var algorithms: AlgorithmRegistry { knowledge.withLock { $0.algorithms } }
  static var allocationCount: @Sendable () -> Int? { knowledge.withLock { $0.allocationCount } }

  /// Runs the command that the process was called with. An error is printed in one line and ends the process.
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

/// What all commands are under.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "Learn control policies off-policy: \(Program.algorithms.entries.map(\.name).joined(separator: ", ")).",
    discussion: """
      Start with:  \(Program.name) train sac HalfCheetah-v5
      Then:        \(Program.name) evaluate runs/sac-HalfCheetah-v5-seed0
      """,
    version: "\(Program.name) \(programVersion)",
    subcommands: [
      Train.self, Resume.self, Evaluate.self, List.self, EnvironmentCommand.self, ConformanceCommand.self, Bench.self,
      Inspect.self, ReportCommand.self, PlotCommand.self, Collect.self, DatasetCommand.self, Value.self, Compare.self,
    ])

  /// Runs what the arguments say. Only a success returns.
  static func runAndExit() {
    var parsed: (any ParsableCommand)?
    do {
      try Processor.check()
      var command = try parseAsRoot()
      parsed = command
      try command.run()
    } catch {
      exit(withError: AdvisedError(error, in: parsed) ?? error)
    }
  }
}
