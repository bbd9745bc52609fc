// SB3Space.swift — the spaces of Gymnasium as a model file of Stable-Baselines3 has them: as text, and as a pickle.

import Environments
import Formats

/// Where observations or actions come from, in Gymnasium's words.
public enum SB3Space: Sendable, Equatable {
  /// Numbers of the type "float32" or "float64" within bounds, which may be infinite.
  case box(low: [Float], high: [Float], type: String = "float32")
  /// A number of choices.
  case discrete(Int)

  /// Numbers without bounds.
  static func unbounded(count: Int) -> SB3Space {
    .box(low: Array(repeating: -.infinity, count: count), high: Array(repeating: .infinity, count: count))
  }

  /// The bounds of an environment's observations.
  ///
  /// - Parameter isDouble: Gymnasium's environment gives float64, as those of MuJoCo do.
  public init(_ box: Box, isDouble: Bool) {
    self = .box(low: box.low, high: box.high, type: isDouble ? "float64" : "float32")
  }

  /// The number of values; 1 for choices.
  var count: Int {
    switch self {
    case .box(let low, _, _): low.count
    case .discrete: 1
    }
  }

  /// Its entry in `data`: the type, a text to read, and the pickle that Stable-Baselines3 makes the space of.
  var entry: JSONValue {
    var members: [String: JSONValue] = [":serialized:": .string(pickle.base64)]
    switch self {
    case .box(let low, let high, let type):
      members[":type:"] = .string("<class 'gymnasium.spaces.box.Box'>")
      func text(_ values: [Float]) -> JSONValue { .string("[" + values.map { "\($0)" }.joined(separator: " ") + "]") }
      (members["low"], members["high"]) = (text(low), text(high))
      (members["_shape"], members["dtype"]) = (.array([.number(Double(low.count))]), .string(type))
    case .discrete(let count):
      members[":type:"] = .string("<class 'gymnasium.spaces.discrete.Discrete'>")
      (members["n"], members["start"]) = (.string("\(count)"), .string("0"))
    }
    return .object(members)
  }

  /// A call of the space's constructor.
  private var pickle: PickleValue {
    switch self {
    case .box(let low, let high, let type):
      func array(_ values: [Float]) -> PickleValue {
        .call(.name("numpy", "array"), [.list(values.map { .number(Double($0)) }), .text(type)])
      }
      return .call(
        .name("gymnasium.spaces.box", "Box"),
        [array(low), array(high), .tuple([.whole(low.count)]), .name("numpy", type)])
    case .discrete(let count):
      return .call(.name("gymnasium.spaces.discrete", "Discrete"), [.whole(count), .none, .whole(0)])
    }
  }
}
