// SwiftFile.swift — a policy as one Swift file for an app: no package, no import but the C library's mathematics.

import Replay
import Training

/// Text of a Swift file with an enum that acts.
struct SwiftFile {
  let policy: ExportedPolicy
  /// The enum's name.
  let type: String
  /// What the file is called.
  let file: String
  let version: String

  private var verb: String { policy.isStochastic ? "sample" : "act" }
  private var result: String { policy.choices == nil ? "[Float]" : "Int" }

  var text: String {
    let noise = policy.isStochastic ? ", noise: [Float]" : ""
    let noiseCheck =
      policy.isStochastic
      ? "    precondition(noise.count == \(policy.noiseSize), \"\\(noise.count) values of noise, not \(policy.noiseSize)\")\n"
      : ""
    return """
      // \(file) — the policy of \(policy.summary).
      //
      // Written by swift-offpolicy \(version). It needs no package: put it into an app and call \(type).\(verb).

      #if canImport(Darwin)
        import Darwin
      #elseif canImport(Glibc)
        import Glibc
      #elseif canImport(Musl)
        import Musl
      #elseif canImport(Android)
        import Android
      #elseif canImport(ucrt)
        import ucrt
      #endif

      public enum \(type) {
        public static let observationSize = \(policy.observationSize)
      \(policy.choices.map { "  public static let choices = \($0)" } ?? "  public static let actionSize = \(policy.low.count)")

        /// The action for an observation, which has \(counted(policy.observationSize, "value")) as the environment gives them.
        ///
      \(policy.isStochastic ? "  /// - Parameter noise: \(policy.noiseSummary).\n" : "")\
        /// - Returns: \(policy.actionSummary).
        public static func \(verb)(_ observation: [Float]\(noise)) -> \(result) {
          precondition(observation.count == observationSize, "\\(observation.count) values, not \\(observationSize)")
      \(noiseCheck)    var x = observation
      \(normalization)\(hidden)    \(policy.isStochastic ? "var" : "let") z = output(x)
      \(policy.choices == nil ? actions : choice)
        }

      \(layers)
        /// y = W x + b; a zero in x costs nothing.
        private struct Layer: Sendable {
          let weight: [Float]  // (inputs × outputs)
          let bias: [Float]  // (outputs)

          func callAsFunction(_ x: [Float]) -> [Float] {
            var y = bias
            for (i, value) in x.enumerated() where value != 0 {
              let start = i * y.count
              for j in y.indices { y[j] += value * weight[start + j] }
            }
            return y
          }
        }

      \(Self.decoder)
      }

      """
  }

  private var normalization: String {
    guard let normalization = policy.normalization else { return "" }
    let clip = normalization.clip.map { "\n      x[i] = x[i] > \($0) ? \($0) : x[i] < -\($0) ? -\($0) : x[i]" } ?? ""
    return """
          for i in x.indices {
            x[i] = (x[i] - observationMean[i]) / observationScale[i]\(clip)
          }

      """
  }

  private var hidden: String {
    "    for layer in [\(policy.hidden.map { name($0.name) }.joined(separator: ", "))] { x = layer(x).map { \(activated) } }\n"
  }

  private var activated: String {
    switch policy.activation {
    case .relu: "$0 < 0 ? 0 : $0"
    case .tanh: "tanh($0)"
    case .elu: "$0 > 0 ? $0 : expm1($0)"
    case .silu: "$0 / (1 + exp(-$0))"
    }
  }

  private var actions: String {
    let bounds = ExportedPolicy.logDeviationBounds
    let draw =
      policy.logDeviation == nil
      ? ""
      : """
          let logDeviations = logDeviation(x)
          for i in z.indices { z[i] += exp(min(\(bounds.upperBound), max(\(bounds.lowerBound), logDeviations[i]))) * noise[i] }

      """
    return draw + """
          return z.indices.map { i in
            let (low, high) = (actionLow[i], actionHigh[i])
            let value = low + (tanh(z[i]) + 1) * actionHalfRange[i]
            return value < low ? low : value > high ? high : value
          }
      """
  }

  private var choice: String {
    let draw = policy.isStochastic ? "    for i in z.indices { z[i] -= log(-log(noise[i])) }\n" : ""
    return draw + """
          var best = 0
          for i in z.indices where z[i] > z[best] { best = i }
          return best
      """
  }

  /// hidden_0 → hidden0, log_deviation → logDeviation
  private func name(_ layer: String) -> String {
    let parts = layer.split(separator: "_")
    return ([String(parts[0])] + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }).joined()
  }

  private var layers: String {
    var text = ""
    func array(_ values: [Float]) -> String {
      "decoded(\n    \"\"\"\n\(base64Lines(values).split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))\n    \"\"\")"
    }
    func add(_ name: String, _ value: String) { text += "  private static let \(name) = \(value)\n\n" }
    if let normalization = policy.normalization {
      add("observationMean", array(normalization.mean))
      add("observationScale", array(normalization.scale))
    }
    for layer in policy.layers {
      add(
        name(layer.name),
        "Layer(\n    weight: \(array(layer.transposed)),\n    bias: \(array(layer.bias)))")
    }
    if policy.choices == nil {
      add("actionLow", array(policy.low))
      add("actionHigh", array(policy.high))
      add("actionHalfRange", array(policy.halfRange))
    }
    return text
  }

  private static let decoder = """
      /// Little-endian Float values from base64.
      private static func decoded(_ text: String) -> [Float] {
        var values: [Float] = []
        var (bits, count, word, bytes): (UInt32, Int, UInt32, Int) = (0, 0, 0, 0)
        for letter in text.utf8 {
          let six: UInt8
          switch letter {
          case 65...90: six = letter - 65
          case 97...122: six = letter - 71
          case 48...57: six = letter + 4
          case 43: six = 62
          case 47: six = 63
          default: continue
          }
          bits = bits << 6 | UInt32(six)
          count += 6
          if count >= 8 {
            count -= 8
            word = word >> 8 | (bits >> UInt32(count) & 255) << 24
            bytes += 1
            if bytes % 4 == 0 { values.append(Float(bitPattern: word)) }
          }
        }
        return values
      }
    """
}
