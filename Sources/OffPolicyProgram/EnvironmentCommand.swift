// EnvironmentCommand.swift — `offpolicy environment`: checks an environment's contract, replays actions, measures its speed.

import ArgumentParser
import OffPolicy

struct EnvironmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "environment", abstract: "Check an environment, replay given actions in it, or measure its speed.",
    subcommands: [Check.self, RolloutCommand.self, Speed.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check that an environment keeps the contract: determinism, finite values, exact saving and restoring.")

    @Argument(help: "The environment's id.")
    var environment: String

    @OptionGroup var environmentOptions: EnvironmentOptionArguments

    @Option(help: "Steps of the longest determinism check.", transform: wholeNumber)
    var steps: Int = 1000

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
      try (1...1_000_000_000).check(steps, "--steps")
    }

    func run() throws {
      let task = try environmentOptions.entry(environment)
      // an environment that cannot be made at all is an error of its own
      _ = try task.make()
      let report = EnvironmentChecker.check(task, steps: steps)
      if json {
        try Output.json(report)
      } else {
        for finding in report.findings { print(finding.description) }
        print("\(task.id): \(report.isValid ? "keeps the contract" : "breaks the contract")")
      }
      if !report.isValid { throw ExitCode.failure }
    }
  }

  struct Speed: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measure steps per second with random actions, in one or several environments.")

    @Argument(help: "The environment's id.")
    var environment: String

    @OptionGroup var environmentOptions: EnvironmentOptionArguments

    @Option(help: "Environments that are stepped at once.", transform: wholeNumber)
    var environments: Int = 1

    @Option(help: "Threads that step them.", transform: wholeNumber)
    var threads: Int = 1

    @Option(help: "Seconds to measure for.")
    var seconds = 2.0

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
      try Limits.environments.check(environments, "--environments")
      try Limits.threads.check(threads, "--threads")
      if !(seconds > 0 && seconds <= 3600) { throw ValidationError("--seconds must be above 0, at most 3600") }
    }

    func run() throws {
      let speed = try EnvironmentSpeed(
        of: try environmentOptions.entry(environment), count: environments, threads: threads, seconds: seconds)
      if json { return try Output.json(speed) }
      print(
        "\(speed.stepsPerSecond.text(0)) steps/s in \(environments.text) environment\(environments == 1 ? "" : "s") on "
          + "\(threads) thread\(threads == 1 ? "" : "s")")
    }
  }

  struct RolloutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rollout",
      abstract: "Reset an environment with a seed, replay actions, and write observations, rewards and ends.",
      discussion: """
        ACTIONS is a safetensors file with `actions` [T, A] in the environment's units; they are not clipped. OUT gets
        observations [n+1, S], rewards [n] (float64), terminated [n] and truncated [n] (uint8).
        """)

    @Argument(help: "The environment's id.")
    var environment: String

    @OptionGroup var environmentOptions: EnvironmentOptionArguments

    @Option(help: "Seed of the reset.", transform: seedNumber)
    var seed: UInt64 = 0

    @Argument(help: "The file with the actions.")
    var actions: String

    @Argument(help: "The file to write.")
    var out: String

    func run() throws {
      let task = try environmentOptions.entry(environment)
      let file = try SafeTensors(contentsOf: actions)
      try Rollout.run(try task.make(), of: task.id, seed: seed, file).write(to: out)
    }
  }
}
