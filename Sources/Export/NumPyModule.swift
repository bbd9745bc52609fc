// NumPyModule.swift — a policy as one Python file that needs NumPy alone: the weights are in it, as base64.

import Replay
import Training

/// Text of a Python module with a function `act`, or `sample` for a policy that draws.
struct NumPyModule {
  let policy: ExportedPolicy
  /// What the file is called.
  let file: String
  let version: String

  private var verb: String { policy.isStochastic ? "sample" : "act" }
  private var parameters: String { policy.isStochastic ? "observation, noise" : "observation" }

  var text: String {
    let result =
      policy.choices == nil
      ? "The action is \(policy.actionSummary)." : "The action is \(policy.actionSummary): an int, or an array of them."
    let noise = policy.isStochastic ? "\nnoise has \(policy.noiseSummary) for each action." : ""
    return """
      \"\"\"\(file): the policy of \(policy.summary).

      Written by swift-offpolicy \(version). It needs NumPy alone.

          from \(file.hasSuffix(".py") ? String(file.dropLast(3)) : file) import \(verb)
          action = \(verb)(\(parameters))

      observation has \(counted(policy.observationSize, "value")), as the environment gives them, or is a batch of such rows.
      \(result)\(noise)
      \"\"\"

      import base64

      import numpy as np

      OBSERVATION_SIZE = \(policy.observationSize)
      \(policy.choices.map { "CHOICES = \($0)" } ?? "ACTION_SIZE = \(policy.low.count)")


      def \(verb)(\(parameters)):
          \"\"\"The action for an observation, or a row of actions for each row of observations.\"\"\"
          x = np.asarray(observation, np.float32)
          if x.shape[-1:] != (OBSERVATION_SIZE,):
              raise ValueError(f"an observation has {OBSERVATION_SIZE} values; the shape given is {x.shape}")
      \(normalization)\(hidden)    z = x @ _weights["output_weight"].T + _weights["output_bias"]
      \(policy.choices == nil ? actions : choice)

      \(weights)
      """
  }

  private var normalization: String {
    guard let normalization = policy.normalization else { return "" }
    var code = "    x = (x - _weights[\"observation_mean\"]) / _weights[\"observation_scale\"]\n"
    if let clip = normalization.clip { code += "    x = np.clip(x, np.float32(-\(clip)), np.float32(\(clip)))\n" }
    return code
  }

  private var hidden: String {
    """
        for k in range(\(policy.hidden.count)):
            x = x @ _weights[f"hidden_{k}_weight"].T + _weights[f"hidden_{k}_bias"]
            x = \(activated)

    """
  }

  private var activated: String {
    switch policy.activation {
    case .relu: "np.maximum(x, 0)"
    case .tanh: "np.tanh(x)"
    case .elu: "np.where(x > 0, x, np.expm1(np.minimum(x, 0)))"
    // 1 / (1 + e⁻ˣ) as tanh, which does not overflow
    case .silu: "x * (np.tanh(x / 2) + 1) / 2"
    }
  }

  private var actions: String {
    var code = ""
    if policy.logDeviation != nil {
      let bounds = ExportedPolicy.logDeviationBounds
      code += """
            deviation = np.exp(np.clip(x @ _weights["log_deviation_weight"].T + _weights["log_deviation_bias"], \(bounds.lowerBound), \(bounds.upperBound)))
            z = z + deviation * np.asarray(noise, np.float32)

        """
    }
    return code + """
          low, high = _weights["action_low"], _weights["action_high"]
          return np.clip(low + (np.tanh(z) + 1) * _weights["action_half_range"], low, high)
      """
  }

  private var choice: String {
    let draw = policy.isStochastic ? "    z = z - np.log(-np.log(np.asarray(noise, np.float32)))\n" : ""
    return draw + """
          best = np.argmax(z, axis=-1)
          return int(best) if best.ndim == 0 else best
      """
  }

  /// The tensors, one behind the other, and how they are cut out.
  private var weights: String {
    var shapes: [String] = []
    var values: [Float] = []
    func add(_ name: String, _ shape: [Int], _ floats: [Float]) {
      shapes.append("    \"\(name)\": (\(shape.map { "\($0)," }.joined(separator: " "))),")
      values += floats
    }
    if let normalization = policy.normalization {
      add("observation_mean", [normalization.mean.count], normalization.mean)
      add("observation_scale", [normalization.scale.count], normalization.scale)
    }
    for layer in policy.layers {
      add("\(layer.name)_weight", [layer.outputs, layer.inputs], layer.weight)
      add("\(layer.name)_bias", [layer.outputs], layer.bias)
    }
    if policy.choices == nil {
      add("action_low", [policy.low.count], policy.low)
      add("action_high", [policy.high.count], policy.high)
      add("action_half_range", [policy.low.count], policy.halfRange)
    }
    return """

      def _cut(text, shapes):
          \"\"\"Little-endian float32 numbers, one array behind the other.\"\"\"
          values, arrays, start = np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32), {}, 0
          for name, shape in shapes.items():
              count = int(np.prod(shape))
              arrays[name] = values[start : start + count].reshape(shape)
              start += count
          return arrays


      _SHAPES = {
      \(shapes.joined(separator: "\n"))
      }

      _weights = _cut(\"\"\"
      \(base64Lines(values))
      \"\"\", _SHAPES)

      """
  }
}
