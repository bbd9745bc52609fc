// Evaluate.swift — `offpolicy evaluate`: how good a policy is on fresh episodes.

import ArgumentParser
import OffPolicy

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Run episodes without exploration on fresh seeds, and show mean, standard deviation and range of the return.")

  @Argument(help: "The folder of a run, or a policy file.")
  var policy: String

  @Option(help: "Episodes to run. Default: 20.", transform: wholeNumber)
  var episodes: Int?

  @Option(help: "Seed of the first episode; the next ones follow. Default: 1000000.", transform: seedNumber)
  var seed: UInt64?

  @Flag(
    help: "Repeat an evaluation of the run: as many episodes, on the same seeds. The return is the logged one.")
  var asInRun = false

  @Option(help: "The environment's id. Default: the one the policy was trained on.")
  var environment: String?

  @OptionGroup var environmentOptions: EnvironmentOptionArguments

  @Flag(help: "Use the run's best policy, not its last.")
  var best = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try Limits.episodes.check(episodes, "--episodes")
  }

  func run() throws {
    var (episodes, seed) = (self.episodes ?? 20, self.seed ?? 1_000_000)
    if asInRun {
      guard self.episodes == nil, self.seed == nil, environment == nil, environmentOptions.assignments.isEmpty else {
        throw ArgumentMismatch(
          "--as-in-run takes episodes, seeds and environment from the run: leave out --episodes, --seed, --environment and "
            + "--option")
      }
      let run = try RunDirectory.describe(self.policy).run
      (episodes, seed) = (run.evaluationEpisodes, run.evaluationSeed)
    }
    let policy = try loadPolicy(policy, best: best)
    let id = environment ?? policy.description.environment
    if id.isEmpty { throw RunDirectoryError("\(self.policy) does not say its environment: name it with --environment") }
    let task = try environmentOptions.entry(id, over: [KeptOptions(policy)])
    try task.requireLimit(for: "an evaluation")
    let environment = ContractGuard(try task.make(), name: task.id)
    let given = policy.description
    let sizes = (environment.observationSpace.count, environment.actionSpace.count)
    guard sizes == (given.observationSize, given.actionLow.count), given.choices == environment.actionSpace.choices
    else {
      throw RunDirectoryError(
        "\(self.policy) takes \(given.observationSize) observations and gives "
          + "\(given.choices.map { "one of \($0) choices" } ?? "\(given.actionLow.count) actions"); "
          + "\(task.id)\(task.optionsSuffix) has \(sizes.0) and \(environment.actionSpace.choices.map { "\($0) choices" } ?? "\(sizes.1)")"
      )
    }
    let stop = StopSignal.listen("stopping: the episodes that have ended count …")
    var progress = WorkProgress(total: episodes, of: "episodes")
    let result = try Evaluator(environment).run(
      episodes: episodes, firstSeed: seed, isCancelled: { stop.wasReceived }, ended: { progress.show($0) }
    ) { policy.act($0, into: &$1) }
    progress.finish()
    let isBroken = result.episodes < episodes
    if isBroken { Output.note("stopped after \(result.episodes.text) of \(episodes.text) episodes") }
    guard result.episodes > 0 else { throw ExitCode(128 + stop.number) }
    if json {
      try Output.json(
        Report(
          environment: task.id, step: policy.description.step, episodes: result.episodes, returnMean: result.mean,
          returnSd: result.standardDeviation, returnMin: result.minimum, returnMax: result.maximum,
          lengthMean: result.meanLength, firstSeed: seed, returns: result.returns,
          options: task.givenOptions.isEmpty ? nil : task.givenOptions))
    } else {
      print(
        "policy       \(given.algorithm) after \(given.step.text) steps"
          + (given.step == 0 ? ": it has learned nothing yet" : ""))
      print(
        "environment  \(task.id), \(result.episodes) episodes, seeds \(seed) to "
          + "\(seed &+ UInt64(result.episodes) &- 1)")
      if !task.givenOptions.isEmpty { print("options      \(task.givenOptions)") }
      print("return       \(result.mean.text(2)) ± \(result.standardDeviation.text(2))")
      print("least        \(result.minimum.text(2))")
      print("greatest     \(result.maximum.text(2))")
      print("length       \(result.meanLength.text())")
    }
    if isBroken { throw ExitCode(128 + stop.number) }
  }

  private struct Report: Encodable {
    let environment: String
    let step: Int
    let episodes: Int
    let returnMean: Double
    let returnSd: Double
    let returnMin: Double
    let returnMax: Double
    let lengthMean: Double
    let firstSeed: UInt64
    let returns: [Double]
    let options: EnvironmentOptions?
  }
}
