// CHeader.swift — a policy as one C99 header: constant arrays, no memory but the stack, no library but <math.h>.

import Replay
import Training

/// Text of a header whose names begin with `prefix`.
struct CHeader {
  let policy: ExportedPolicy
  let prefix: String
  /// What the file is called.
  let file: String
  let version: String

  var text: String {
    """
    \(comment)
    #ifndef \(upper)_H
    #define \(upper)_H

    #include <math.h>
    #include <stddef.h>

    #define \(upper)_OBSERVATIONS \(policy.observationSize)
    \(policy.choices.map { "#define \(upper)_CHOICES \($0)" } ?? "#define \(upper)_ACTIONS \(policy.low.count)")
    \(policy.isStochastic ? "#define \(upper)_NOISE \(policy.noiseSize)\n" : "")
    \(arrays.map(Self.definition).joined(separator: "\n"))
    \(Self.dense(prefix))
    \(function)
    #endif

    """
  }

  private var upper: String { prefix.uppercased() }
  private var verb: String { policy.isStochastic ? "sample" : "act" }

  /// The function's declaration, without a semicolon.
  private var declaration: String {
    let noise = policy.isStochastic ? ", const float *noise" : ""
    return policy.choices == nil
      ? "static inline void \(prefix)_\(verb)(const float *observation\(noise), float *action)"
      : "static inline size_t \(prefix)_\(verb)(const float *observation\(noise))"
  }

  // MARK: arrays

  private struct FloatArray {
    let name: String
    let values: [Float]
    let summary: String
  }

  private var arrays: [FloatArray] {
    var arrays: [FloatArray] = []
    func add(_ name: String, _ values: [Float], _ summary: String) {
      arrays.append(FloatArray(name: "\(prefix)_\(name)", values: values, summary: summary))
    }
    if let normalization = policy.normalization {
      add("observation_mean", normalization.mean, "[\(normalization.mean.count)]")
      add("observation_scale", normalization.scale, "[\(normalization.scale.count)]")
    }
    for layer in policy.layers {
      add("\(layer.name)_weight", layer.transposed, "[\(layer.inputs)][\(layer.outputs)], a row for each input")
      add("\(layer.name)_bias", layer.bias, "[\(layer.outputs)]")
    }
    if policy.choices == nil {
      add("action_low", policy.low, "[\(policy.low.count)]")
      add("action_high", policy.high, "[\(policy.high.count)]")
      add("action_half_range", policy.halfRange, "[\(policy.low.count)]")
    }
    return arrays
  }

  private static func definition(_ array: FloatArray) -> String {
    var text = "static const float \(array.name)[\(array.values.count)] = {"
    for (index, value) in array.values.enumerated() {
      text += index % 8 == 0 ? "\n  " : " "
      text += "\(value)f,"
    }
    return text + "\n};\n"
  }

  // MARK: comment

  /// Floats that the function keeps on the stack.
  private var stackFloats: Int {
    2 * policy.widest + (policy.normalization == nil ? 0 : policy.observationSize)
      + policy.layers.dropFirst(policy.hidden.count).reduce(0) { $0 + $1.outputs }
  }

  private var comment: String {
    let width = max(24, arrays.map(\.name.count).max() ?? 0)
    func row(_ name: String, _ bytes: String, _ more: String = "") -> String {
      let name = name + String(repeating: " ", count: max(0, width - name.utf8.count))
      return " *   \(name) \(String(repeating: " ", count: max(0, 9 - bytes.count)))\(bytes)\(more)"
    }
    let constants = arrays.reduce(0) { $0 + $1.values.count }
    var lines = [
      "/* \(file): the policy of \(policy.summary).",
      " *",
      " * Written by swift-offpolicy \(version). C99, one header: constant arrays, no malloc, <math.h> alone.",
      " *",
      " *   \(declaration);",
      " *",
      " * observation has \(counted(policy.observationSize, "value")), as the environment gives them;"
        + " they are \(policy.normalization == nil ? "used as they are" : "normalised here").",
      " * An action is \(policy.actionSummary).",
    ]
    if policy.isStochastic { lines.append(" * noise has \(policy.noiseSummary).") }
    lines += [" *", row("array", "bytes")]
    lines += arrays.map { row($0.name, "\(4 * $0.values.count)", "  \($0.summary)") }
    lines += [
      row("all constants", "\(4 * constants)"), row("stack of one call, about", "\(4 * stackFloats)"), " */",
    ]
    return lines.joined(separator: "\n")
  }

  // MARK: code

  /// The inner loop runs over neighbouring outputs, which compilers turn into vectors.
  private static func dense(_ prefix: String) -> String {
    """
    /* y = b + W x; a zero in x costs nothing. */
    static inline void \(prefix)_layer(
        const float *weight, const float *bias, size_t inputs, size_t outputs, const float *x, float *y) {
      size_t i, j;
      for (j = 0; j < outputs; j++) y[j] = bias[j];
      for (i = 0; i < inputs; i++) {
        const float value = x[i];
        const float *row = weight + i * outputs;
        if (value == 0.0f) continue;
        for (j = 0; j < outputs; j++) y[j] += value * row[j];
      }
    }

    """
  }

  private func call(_ layer: ExportedPolicy.Layer, from input: String, to output: String) -> String {
    "  \(prefix)_layer(\(prefix)_\(layer.name)_weight, \(prefix)_\(layer.name)_bias, \(layer.inputs), "
      + "\(layer.outputs), \(input), \(output));\n"
  }

  private var function: String {
    let output = policy.output
    var code = "\(declaration) {\n"
    code += "  float a[\(policy.widest)], b[\(policy.widest)], z[\(output.outputs)];\n"
    if let head = policy.logDeviation { code += "  float log_deviation[\(head.outputs)];\n" }
    if policy.normalization != nil { code += "  float normalised[\(policy.observationSize)];\n" }
    code += "  size_t i\(policy.choices == nil ? "" : ", best = 0");\n"
    var input = "observation"
    if let normalization = policy.normalization {
      code += """
          for (i = 0; i < \(policy.observationSize); i++) {
            float x = (observation[i] - \(prefix)_observation_mean[i]) / \(prefix)_observation_scale[i];

        """
      if let clip = normalization.clip {
        code += "    x = x > \(clip)f ? \(clip)f : x < -\(clip)f ? -\(clip)f : x;\n"
      }
      code += "    normalised[i] = x;\n  }\n"
      input = "normalised"
    }
    for (index, layer) in policy.hidden.enumerated() {
      let result = index % 2 == 0 ? "a" : "b"
      code += call(layer, from: input, to: result)
      code += "  for (i = 0; i < \(layer.outputs); i++) \(result)[i] = \(activated("\(result)[i]"));\n"
      input = result
    }
    // the buffer that is free becomes nothing where there is one hidden layer
    if policy.hidden.count < 2 { code += "  (void)b;\n" }
    code += call(output, from: input, to: "z")
    return code + (policy.choices == nil ? actionCode(input) : choiceCode) + "}\n"
  }

  private func activated(_ x: String) -> String {
    switch policy.activation {
    case .relu: "\(x) < 0.0f ? 0.0f : \(x)"
    case .tanh: "tanhf(\(x))"
    case .elu: "\(x) > 0.0f ? \(x) : expm1f(\(x))"
    case .silu: "\(x) / (1.0f + expf(-\(x)))"
    }
  }

  private func actionCode(_ input: String) -> String {
    var code = ""
    if let head = policy.logDeviation {
      let bounds = ExportedPolicy.logDeviationBounds
      let (low, high) = ("\(bounds.lowerBound)f", "\(bounds.upperBound)f")
      code += call(head, from: input, to: "log_deviation")
      code += """
          for (i = 0; i < \(head.outputs); i++) {
            const float l = log_deviation[i];
            z[i] += expf(l > \(high) ? \(high) : l < \(low) ? \(low) : l) * noise[i];
          }

        """
    }
    return code + """
        for (i = 0; i < \(policy.low.count); i++) {
          const float low = \(prefix)_action_low[i], high = \(prefix)_action_high[i];
          const float value = low + (tanhf(z[i]) + 1.0f) * \(prefix)_action_half_range[i];
          action[i] = value < low ? low : value > high ? high : value;
        }

      """
  }

  private var choiceCode: String {
    let draw =
      policy.isStochastic ? "  for (i = 0; i < \(policy.noiseSize); i++) z[i] -= logf(-logf(noise[i]));\n" : ""
    return draw + """
        for (i = 1; i < \(policy.output.outputs); i++) {
          if (z[i] > z[best]) best = i;
        }
        return best;

      """
  }
}
