// Export.swift — `offpolicy export`: writes a policy for machines without this program.

import ArgumentParser
import OffPolicy

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a policy as ONNX, C, NumPy or Swift, as a folder for a model hub, or for Stable-Baselines3.",
    discussion: """
      onnx      a graph, for any ONNX runtime
      c         one C99 header: constant arrays, no malloc
      numpy     one Python file that needs NumPy alone
      swift     one Swift file for an app
      card      a folder with a model card, the policy and an example that runs
      sb3       a run as a model file of Stable-Baselines3: sac, td3, ddpg, dqn
      sb3-logs  a run's logs as Stable-Baselines3 writes them, for its plots and its zoo's

      Each of them contains the normalisation of observations and the scaling of actions to their bounds; see Guides/Export.md.
      """)

  @Argument(help: "The folder of a run, or a policy file.")
  var policy: String

  @Option(help: ArgumentHelp("What to write: onnx, c, numpy, swift, card, sb3 or sb3-logs.", valueName: "format"))
  var format: String

  @Option(
    help:
      "Where to. Default: policy.onnx, policy.h, policy.py, policy.swift, ALGORITHM-ENVIRONMENT, model.zip, or sb3-logs/ALGORITHM/ENVIRONMENT_SEED."
  )
  var out: String?

  @Flag(
    help: "Export a policy that draws its actions from noise given by the caller. Default: its deterministic action.")
  var stochastic = false

  @Option(help: "The version of ONNX's operator set, 17 to 28. Default: 17.")
  var opset: Int?

  @Flag(help: "Use the run's best policy, not its last.")
  var best = false

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let format = try parsedFormat()
    if opset != nil && format != .onnx {
      throw ArgumentMismatch("--opset is for --format onnx: leave it out with --format \(format.rawValue)")
    }
    if format.needsRun { return try exportRun(format) }
    let path = try policyPath(policy, best: best)
    let policy = try PolicyFile.load(path)
    var options = ExportOptions(version: programVersion)
    options.isStochastic = stochastic
    options.opset = opset ?? options.opset
    let out = out ?? defaultPath(format, policy.description)
    let bytes: Int
    if format == .card {
      let known = try KnownRun(self.policy, best: best, step: policy.description.step)
      bytes = try PolicyExport.writeCard(
        policy, to: out, policyFile: SafeTensors(contentsOf: path), result: known.result, run: known.run, options)
    } else {
      bytes = try PolicyExport.write(policy, as: format, to: out, options)
    }
    let of = policy.description
    try tell(out, format, bytes, "\(of.algorithm) on \(of.environment), step \(of.step.text)")
  }

  /// What needs more of a run than its policy.
  private func exportRun(_ format: ExportFormat) throws {
    guard !stochastic else {
      throw ArgumentMismatch("--stochastic is for a policy: leave it out with --format \(format.rawValue)")
    }
    let run = try RunDirectory.open(policy)
    let of = "\(run.description.run.algorithm) on \(run.description.run.environment)"
    if format == .sb3Logs {
      guard !best else { throw ArgumentMismatch("--format sb3-logs writes no policy: leave out --best") }
      let logs = try SB3Logs(run)
      let out = out ?? logs.usualPath
      let bytes = try logs.write(to: out)
      if logs.hasMeansOnly {
        Output.note("\(policy) does not tell single episodes of its evaluations: evaluations.npz repeats their means")
      }
      return try tell(out, format, bytes, of)
    }
    let bestPolicy = try best ? PolicyFile.load(policyPath(policy, best: true)) : nil
    let model = try SB3Model(run, best: bestPolicy, observations: observationSpace(run.description.run))
    let out = out ?? "model.zip"
    let bytes = try PolicyExport.write(model, to: out)
    if best { Output.note("the policy is the best one; critics are the run's last, and optimisers begin anew") }
    try tell(out, format, bytes, of)
  }

  /// The bounds of the environment's observations, as Stable-Baselines3 compares them with those of an environment; nil where the
  /// environment cannot be made here.
  private func observationSpace(_ run: RunConfiguration) -> SB3Space? {
    let entry = try? Program.environment(run.environment, run.environmentOptions ?? [:])
    guard let box = try? entry?.make().observationSpace else { return nil }
    // Gymnasium's environments of MuJoCo give float64
    let id = run.environment.hasPrefix("gym:") ? String(run.environment.dropFirst("gym:".count)) : run.environment
    return SB3Space(box, isDouble: MuJoCoTasks.entries.contains { $0.id == id })
  }

  private func tell(_ out: String, _ format: ExportFormat, _ bytes: Int, _ of: String) throws {
    if json {
      return try Output.json(Report(path: out, format: format.rawValue, bytes: bytes, stochastic: stochastic))
    }
    print("\(out)  \(format.rawValue), \(bytes.text) bytes, \(oneLine(of))")
  }

  private func parsedFormat() throws -> ExportFormat {
    if let format = ExportFormat(rawValue: format) { return format }
    throw ArgumentMismatch(
      "--format must be one of \(ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")), "
        + "not \(format.debugDescription)")
  }

  private func defaultPath(_ format: ExportFormat, _ description: PolicyDescription) -> String {
    if let ending = format.fileExtension { return "policy.\(ending)" }
    // an id with a namespace has a slash
    return "\(description.algorithm)-\(description.environment)".split(separator: "/").joined(separator: "-")
  }

  private struct Report: Encodable {
    let path: String
    let format: String
    let bytes: Int
    let stochastic: Bool
  }
}

/// The evaluation and settings of a policy's run; nothing where a policy file alone is given.
private struct KnownRun {
  var result: ModelCard.Result?
  var run: JSONValue?

  init(_ argument: String, best: Bool, step: Int) throws {
    guard FileAccess.isFolder(argument) else { return }
    run = try JSONValue(encoding: RunDirectory.describe(argument).run)
    // only an evaluation at the policy's own step is one of this policy
    for row in try RunDirectory.open(argument).rows("evaluations.csv")
    where row.count >= 4 && Int(row[0]) == step {
      guard let episodes = Int(row[1]), let mean = Double(row[2]), let deviation = Double(row[3]) else { continue }
      result = ModelCard.Result(episodes: episodes, mean: mean, standardDeviation: deviation)
    }
  }
}
