// ModelCard.swift — a folder for a model hub: card, policy, what it was trained with, and an example that runs.

import Formats
import Kernels
import Training

/// The files of a card, as the hub's pages for reinforcement learning read them.
public struct ModelCard {
  /// What an evaluation gave.
  public struct Result: Sendable {
    /// Episodes that were run.
    public var episodes: Int
    /// Mean return.
    public var mean: Double
    /// Standard deviation of the returns.
    public var standardDeviation: Double

    /// A result of given numbers.
    public init(episodes: Int, mean: Double, standardDeviation: Double) {
      (self.episodes, self.mean, self.standardDeviation) = (episodes, mean, standardDeviation)
    }
  }

  let policy: Policy
  let result: Result?
  let run: JSONValue?
  let options: ExportOptions

  private var description: PolicyDescription { policy.description }

  /// Every file's name and content.
  func files(policyFile: SafeTensors) throws -> [(name: String, bytes: [UInt8])] {
    var files: [(name: String, bytes: [UInt8])] = [
      ("policy.safetensors", policyFile.encoded()),
      ("policy.onnx", try PolicyExport.encode(policy, as: .onnx, file: "policy.onnx", options)),
      ("policy.py", try PolicyExport.encode(policy, as: .numpy, file: "policy.py", options)),
      ("example.py", Array(example.utf8)),
      ("examples.json", Array((examples.text() + "\n").utf8)),
      ("config.json", Array((configuration.text(pretty: true) + "\n").utf8)),
    ]
    if let result {
      let text = JSONValue.object([
        "mean_reward": .number(result.mean), "std_reward": .number(result.standardDeviation),
        "is_deterministic": .bool(true), "n_eval_episodes": .number(Double(result.episodes)),
      ])
      files.append(("results.json", Array((text.text(pretty: true) + "\n").utf8)))
    }
    // last, so that a card speaks of files that are there
    files.append(("README.md", Array(readMe.utf8)))
    return files
  }

  // MARK: the card

  private var readMe: String {
    let description = description
    let clip = description.normalization?.clip.map { ", clipped at ±\($0)" } ?? ""
    let hasOptions = !description.environmentOptions.isEmpty
    let normalised = description.normalization == nil ? "" : ", normalised inside the policy" + clip
    return """
      \(frontMatter)
      # \(plain(description.algorithm)) on \(plain(description.environment))

      A policy that swift-offpolicy \(options.version) trained.

      | | |
      |---|---|
      | algorithm | \(plain(description.algorithm)) |
      | environment | \(plain(description.environment)) |
      | environment steps | \(description.step) |
      | observation | \(counted(description.observationSize, "value"))\(normalised) |
      | hidden layers | \(description.hiddenSizes.map(String.init).joined(separator: " × ")), \(description.activation.title) |
      | action | \(actionRow) |
      | return | \(returnRow) |

      ## Use

      `policy.py` needs NumPy alone. This is `example.py`:

      ```python
      \(example)```

      With the environment itself, where Gymnasium has it:

      ```python
      \(hasOptions ? "import json\n\n" : "")import gymnasium
      from policy import act

      \(hasOptions ? "options = json.load(open(\"config.json\"))[\"environmentOptions\"]\n" : "")\
      environment = gymnasium.make("\(plain(description.environment))"\(hasOptions ? ", **options" : ""))
      observation, _ = environment.reset(seed=0)
      total, ended = 0.0, False
      while not ended:
          observation, reward, terminated, truncated, _ = environment.step(act(observation))
          total, ended = total + float(reward), terminated or truncated
      print("return", total)
      ```

      | file | what |
      |---|---|
      | `policy.py` | the policy for NumPy |
      | `policy.onnx` | the policy for ONNX, opset \(options.opset): takes `observation`, batch × \(description.observationSize), gives `action` |
      | `policy.safetensors` | the weights, as swift-offpolicy reads them |
      | `examples.json` | observations, and the actions that swift-offpolicy takes on them |
      | `config.json` | sizes, bounds and settings |
      \(result == nil ? "" : "| `results.json` | the evaluation above |\n")
      Every file takes observations as the environment gives them and gives actions in the environment's units.

      """
  }

  private var actionRow: String {
    if let choices = description.choices { return "one of \(choices) choices" }
    let bounds = zip(description.actionLow, description.actionHigh).map { "[\($0), \($1)]" }
    return bounds.count > 8 ? "\(bounds.count) values within bounds of their own" : bounds.joined(separator: " × ")
  }

  private var returnRow: String {
    guard let result else { return "not evaluated" }
    let episodes = counted(result.episodes, "episode")
    return "\(rounded(result.mean)) ± \(rounded(result.standardDeviation)) over \(episodes)"
  }

  /// YAML; its strings are written as JSON writes them, which YAML reads.
  private var frontMatter: String {
    func quoted(_ text: String) -> String { JSONValue.string(text).text() }
    let (environment, algorithm) = (quoted(description.environment), quoted(description.algorithm))
    var text = """
      ---
      library_name: swift-offpolicy
      pipeline_tag: reinforcement-learning
      tags:
      - \(environment)
      - deep-reinforcement-learning
      - reinforcement-learning
      - swift-offpolicy

      """
    if let result {
      text += """
        model-index:
        - name: \(algorithm)
          results:
          - task:
              type: reinforcement-learning
              name: reinforcement-learning
            dataset:
              name: \(environment)
              type: \(environment)
            metrics:
            - type: mean_reward
              value: \(quoted("\(rounded(result.mean)) +/- \(rounded(result.standardDeviation))"))
              name: mean_reward
              verified: false

        """
    }
    return text + "---\n"
  }

  /// Two digits after the point.
  private func rounded(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let hundredths = Int((abs(value) * 100).rounded())
    let fraction = hundredths % 100
    return "\(value < 0 && hundredths > 0 ? "-" : "")\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  // MARK: the example

  private var example: String {
    """
    import json
    import pathlib

    import numpy as np

    from policy import act

    for example in json.loads((pathlib.Path(__file__).parent / "examples.json").read_text()):
        action = act(example["observation"])
        assert np.allclose(action, example["action"], atol=1e-4 * np.abs(example["action"]).max() + 1e-4)
        print(action)

    """
  }

  /// A few observations, ordinary and large, each with the action that the policy takes.
  private var examples: JSONValue {
    let size = description.observationSize
    var stream = RandomStream(seed: 0, purpose: "examples")
    func around(_ spread: Float) -> [Float] {
      (0..<size).map { i in
        let draw = spread * (2 * stream.uniform() - 1)
        return description.normalization.map { $0.mean[i] + draw * $0.scale[i] } ?? draw
      }
    }
    var observations = [[Float](repeating: 0, count: size)]
    for spread: Float in [1, 1, 1, 1, 10, 10, 100] { observations.append(around(spread)) }
    return .array(
      observations.map { observation in
        var action = [Float](repeating: 0, count: description.actionLow.count)
        var span = action.mutableSpan
        policy.act(observation.span, into: &span)
        let numbers = JSONValue.array(action.map { .number(Double($0)) })
        return .object([
          "observation": .array(observation.map { .number(Double($0)) }),
          "action": description.choices == nil ? numbers : .number(Double(action[0])),
        ])
      })
  }

  /// What the policy is, and what its run was told where that is known.
  private var configuration: JSONValue {
    func numbers(_ values: [Float]) -> JSONValue { .array(values.map { .number(Double($0)) }) }
    var members: [String: JSONValue] = [
      "algorithm": .string(description.algorithm), "environment": .string(description.environment),
      "step": .number(Double(description.step)), "observationSize": .number(Double(description.observationSize)),
      "hiddenSizes": .array(description.hiddenSizes.map { .number(Double($0)) }),
      "activation": .string(description.activation.name), "version": .string(options.version),
    ]
    if let choices = description.choices {
      members["choices"] = .number(Double(choices))
    } else {
      members["actionLow"] = numbers(description.actionLow)
      members["actionHigh"] = numbers(description.actionHigh)
    }
    if !description.environmentOptions.isEmpty {
      members["environmentOptions"] = try? JSONValue(encoding: description.environmentOptions)
    }
    if let run { members["run"] = run }
    return .object(members)
  }
}
