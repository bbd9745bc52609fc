// Export.swift — `offpolicy export`: a policy for a machine that has none of this program.

import ArgumentParser
import OffPolicy

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a policy as ONNX, C, NumPy or Swift, or as a folder for a model hub.",
    discussion: """
      onnx   a graph, for any ONNX runtime
      c      one C99 header: constant arrays, no malloc
      numpy  one Python file that needs NumPy alone
      swift  one Swift file for an app
      card   a folder with a model card, the policy and an example that runs

      Normalisation, scaling of actions and bounds are inside each; see Guides/Export.md.
      """)

  @Argument(help: "The folder of a run, or a policy file.")
  var policy: String

  @Option(help: ArgumentHelp("What to write: onnx, c, numpy, swift or card.", valueName: "format"))
  var format: String

  @Option(help: "Where to. Default: policy.onnx, policy.h, policy.py, policy.swift, or ALGORITHM-ENVIRONMENT.")
  var out: String?

  @Flag(
    help: "Export a policy that draws its actions from noise given by the caller. Default: its deterministic action.")
  var stochastic = false

  @Option(help: "The version of ONNX's operators, 17 to 28.")
  var opset = 17

  @Flag(help: "Use the run's best policy, not its last.")
  var best = false

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let format = try parsedFormat()
    let path = try policyPath(policy, best: best)
    let policy = try PolicyFile.load(path)
    var options = ExportOptions(version: programVersion)
    options.isStochastic = stochastic
    options.opset = opset
    let out = out ?? defaultPath(format, policy.description)
    let bytes: Int
    if format == .card {
      let known = try KnownRun(self.policy, best: best, step: policy.description.step)
      bytes = try PolicyExport.writeCard(
        policy, to: out, policyFile: SafeTensors(contentsOf: path), result: known.result, run: known.run, options)
    } else {
      bytes = try PolicyExport.write(policy, as: format, to: out, options)
    }
    if json {
      return try Output.json(Report(path: out, format: format.rawValue, bytes: bytes, stochastic: stochastic))
    }
    let of = policy.description
    print(
      "\(out)  \(format.rawValue), \(bytes.text) bytes, \(of.algorithm) on \(oneLine(of.environment)), step \(of.step.text)"
    )
  }

  private func parsedFormat() throws -> ExportFormat {
    if let format = ExportFormat(rawValue: format) { return format }
    if format == "sb3" {
      throw ArgumentMismatch(
        "the Python package writes the zip of Stable-Baselines3: offpolicy.SAC.load(\"RUN\").save_sb3(\"model.zip\")")
    }
    throw ArgumentMismatch(
      "--format must be one of \(ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")), "
        + "not \(format.debugDescription)")
  }

  private func defaultPath(_ format: ExportFormat, _ description: PolicyDescription) -> String {
    if let ending = format.fileExtension { return "policy.\(ending)" }
    // an id of a namespace has a slash
    return "\(description.algorithm)-\(description.environment)".split(separator: "/").joined(separator: "-")
  }

  private struct Report: Encodable {
    let path: String
    let format: String
    let bytes: Int
    let stochastic: Bool
  }
}

/// What the folder of a run tells of its policy; of a policy file alone nothing is known.
private struct KnownRun {
  var result: ModelCard.Result?
  var run: JSONValue?

  init(_ argument: String, best: Bool, step: Int) throws {
    guard FileAccess.isFolder(argument) else { return }
    run = try JSONValue(encoding: RunDirectory.describe(argument).run)
    // the evaluation at the policy's own step: a checkpoint later than that has another policy
    for row in try RunDirectory.open(argument).rows("evaluations.csv")
    where row.count >= 4 && Int(row[0]) == step {
      guard let episodes = Int(row[1]), let mean = Double(row[2]), let deviation = Double(row[3]) else { continue }
      result = ModelCard.Result(episodes: episodes, mean: mean, standardDeviation: deviation)
    }
  }
}
