// OffPolicyCommand.swift — the program: its commands, and how errors leave it.

import ArgumentParser
import OffPolicy

@main
struct OffPolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "offpolicy",
    abstract: "Learn control policies off-policy: DDPG, TD3 and SAC.",
    discussion: """
      Start with:  offpolicy train sac HalfCheetah-v5
      Then:        offpolicy evaluate runs/sac-HalfCheetah-v5-seed0
      """,
    version: "offpolicy \(programVersion)",
    subcommands: [
      Train.self, Resume.self, Evaluate.self, List.self, EnvironmentCommand.self, ConformanceCommand.self, Bench.self,
      Inspect.self, Collect.self, DatasetCommand.self, Value.self, Compare.self,
    ])

  static func main() {
    do {
      try Processor.check()
      var command = try parseAsRoot()
      try command.run()
    } catch let error as CleanExit {
      exit(withError: error)
    } catch {
      exit(withError: error)
    }
  }
}
