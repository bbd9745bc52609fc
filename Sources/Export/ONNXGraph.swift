// ONNXGraph.swift — a policy as an ONNX graph: observations in, actions in the environment's units out.
//
// The operators and the versions that opset 17 gives them: Sub-14, Div-14, Clip-13, Gemm-13, Relu-14, Elu-6, Sigmoid-13, Tanh-13, Exp-13,
// Log-13, Neg-13, Add-14, Mul-14, Max-13, Min-13, ArgMax-13. Later opsets change none of what is used of them.

import Kernels
import Replay
import Training

extension ONNXModel {
  /// The opsets that can be written: from the one that Debian's and older runtimes know to the newest that was tried.
  static let opsets = 17...28

  /// - Parameters:
  ///   - opset: the version of the operators, in `opsets`.
  ///   - version: that of this program.
  init(_ policy: ExportedPolicy, opset: Int, version: String) {
    // ONNX 1.12 brought IR version 8 and opset 17; IR version 10 is that of opset 21
    self.init(
      irVersion: opset < 21 ? 8 : 10, opset: opset, producerVersion: version, graphName: "policy",
      metadata: Self.metadata(policy))
    inputs = [ONNXValue(name: "observation", type: .float, sizes: [.named("batch"), .fixed(policy.observationSize)])]
    if policy.isStochastic {
      inputs.append(ONNXValue(name: "noise", type: .float, sizes: [.named("batch"), .fixed(policy.noiseSize)]))
    }
    var state = "observation"
    if let normalization = policy.normalization { state = addNormalization(normalization, to: state) }
    for layer in policy.hidden {
      state = addLayer(layer, to: state)
      state = addActivation(policy.activation, to: state, as: layer.name)
    }
    let outputs = addLayer(policy.output, to: state)
    if policy.choices != nil {
      addChoice(outputs, isStochastic: policy.isStochastic)
    } else {
      addActions(outputs, state, policy)
    }
  }

  private mutating func addActivation(_ activation: Activation, to state: String, as name: String) -> String {
    switch activation {
    case .relu: add("Relu", [state], as: name)
    case .tanh: add("Tanh", [state], as: name)
    case .elu: add("Elu", [state], as: name)
    case .silu: add("Mul", [state, add("Sigmoid", [state], as: name + "_sigmoid")], as: name)
    }
  }

  /// clip((s − mean) / scale, ±clip)
  private mutating func addNormalization(_ normalization: ObservationNormalization, to state: String) -> String {
    let size = normalization.mean.count
    var result = add(
      "Sub", [state, constant("observation_mean", normalization.mean, [size])], as: "centred_observation")
    result = add(
      "Div", [result, constant("observation_scale", normalization.scale, [size])], as: "scaled_observation")
    guard let clip = normalization.clip else { return result }
    return add(
      "Clip", [result, constant("observation_least", [-clip], []), constant("observation_greatest", [clip], [])],
      as: "normalised_observation")
  }

  /// The index of the greatest output, or of the greatest z − log(−log ε).
  private mutating func addChoice(_ values: String, isStochastic: Bool) {
    var values = values
    if isStochastic {
      let logarithm = add("Log", ["noise"], as: "log_noise")
      let negative = add("Neg", [logarithm], as: "negative_log_noise")
      values = add("Sub", [values, add("Log", [negative], as: "log_negative_log_noise")], as: "drawn_values")
    }
    nodes.append(
      ONNXNode(
        operation: "ArgMax", inputs: [values], output: "action",
        attributes: [("axis", 1), ("keepdims", 0), ("select_last_index", 0)]))
    outputs = [ONNXValue(name: "action", type: .int64, sizes: [.named("batch")])]
  }

  /// low + (tanh(z) + 1) · (high − low) / 2, within the bounds.
  private mutating func addActions(_ mean: String, _ state: String, _ policy: ExportedPolicy) {
    let size = policy.low.count
    var drawn = mean
    if let head = policy.logDeviation {
      let bounds = ExportedPolicy.logDeviationBounds
      let logDeviation = add(
        "Clip",
        [
          addLayer(head, to: state), constant("log_deviation_least", [bounds.lowerBound], []),
          constant("log_deviation_greatest", [bounds.upperBound], []),
        ], as: "log_deviation")
      let deviation = add("Exp", [logDeviation], as: "deviation")
      drawn = add("Add", [mean, add("Mul", [deviation, "noise"], as: "scaled_noise")], as: "drawn")
    }
    let squashed = add("Tanh", [drawn], as: "squashed")
    let shifted = add("Add", [squashed, constant("one", [1], [1])], as: "shifted")
    let scaled = add("Mul", [shifted, constant("action_half_range", policy.halfRange, [size])], as: "scaled")
    let low = constant("action_low", policy.low, [size])
    let unbounded = add("Add", [scaled, low], as: "unbounded")
    // rounding must not leave the bounds
    let bounded = add("Max", [unbounded, low], as: "bounded_below")
    _ = add("Min", [bounded, constant("action_high", policy.high, [size])], as: "action")
    outputs = [ONNXValue(name: "action", type: .float, sizes: [.named("batch"), .fixed(size)])]
  }

  private mutating func addLayer(_ layer: ExportedPolicy.Layer, to state: String) -> String {
    let weight = constant("\(layer.name)_weight", layer.weight, [layer.outputs, layer.inputs])
    let bias = constant("\(layer.name)_bias", layer.bias, [layer.outputs])
    let output = "\(layer.name)_linear"
    nodes.append(
      ONNXNode(operation: "Gemm", inputs: [state, weight, bias], output: output, attributes: [("transB", 1)]))
    return output
  }

  private mutating func add(_ operation: String, _ inputs: [String], as output: String) -> String {
    nodes.append(ONNXNode(operation: operation, inputs: inputs, output: output))
    return output
  }

  private mutating func constant(_ name: String, _ values: [Float], _ shape: [Int]) -> String {
    constants.append(ONNXConstant(name: name, shape: shape, values: values))
    return name
  }

  private static func metadata(_ policy: ExportedPolicy) -> [String: String] {
    let description = policy.description
    var metadata = [
      "algorithm": description.algorithm, "environment": description.environment, "step": "\(description.step)",
    ]
    if let choices = description.choices {
      metadata["choices"] = "\(choices)"
    } else {
      metadata["action_low"] = description.actionLow.map { "\($0)" }.joined(separator: ",")
      metadata["action_high"] = description.actionHigh.map { "\($0)" }.joined(separator: ",")
    }
    if policy.isStochastic { metadata["noise"] = policy.noiseSummary }
    return metadata
  }
}
