// ActionScaling.swift — converts actions between the algorithms' range, [−1, 1], and the bounds of an environment's box.
// A discrete action is an index on both sides.
//
// There are two conversions, and they round differently:
// - acting: `denormalize`, in Float, clipped to the box. Each step of a run uses it, so its bits are the run's bits.
// - data: `normalizedInDouble` and `denormalizedInDouble`. A data file is read and written once, so each value is computed
//   in Double and rounded once. They do not clip.

import Environments
import Kernels

/// An environment whose actions the algorithms cannot give.
public struct UnsupportedActions: Error, CustomStringConvertible {
  /// The environment, its actions and what can be given, in one line.
  public let description: String
}

/// a_task = low + (a + 1) / 2 · (high − low), for each value of the box, asymmetric bounds included.
public struct ActionScaling: Sendable {
  /// The lower bounds, in the environment's units.
  public let low: [Float]  // (A)
  /// The upper bounds, in the environment's units.
  public let high: [Float]  // (A)
  /// The number of choices; nil for a box.
  public let choices: Int?

  /// The scaling to a space of actions; `task` is what the error calls the environment.
  ///
  /// - Throws: `UnsupportedActions` for bounds that are not finite.
  public init(_ space: Space, of task: String) throws {
    switch space {
    case .discrete(let discrete):
      (low, high, choices) = ([0], [Float(discrete.count - 1)], discrete.count)
    case .box(let box):
      for (i, (low, high)) in zip(box.low, box.high).enumerated() where !low.isFinite || !high.isFinite || low == high {
        throw UnsupportedActions(
          description:
            "\(task): action[\(i)] has bounds [\(low), \(high)]; finite, distinct bounds are needed to scale "
            + "actions")
      }
      (low, high, choices) = (box.low, box.high, nil)
    }
  }

  /// The scaling to given bounds; with `choices` an action is an index and stays as it is.
  public init(low: [Float], high: [Float], choices: Int? = nil) {
    precondition(low.count == high.count, "\(low.count) lower bounds, \(high.count) upper bounds")
    (self.low, self.high, self.choices) = (low, high, choices)
  }

  /// Values in one action: A, or 1 for an index.
  public var count: Int { low.count }

  /// What the networks are made for: A values, or the number of choices.
  public var actionSize: Int { choices ?? count }

  /// Draws one of the algorithm's actions, uniformly.
  public func drawUniformly(into action: inout MutableSpan<Float>, using stream: inout RandomStream) {
    if let choices {
      action[0] = Float(stream.index(below: choices))
    } else {
      for i in 0..<action.count { action[i] = 2 * stream.uniform() - 1 }
    }
  }

  /// Converts an action from [−1, 1] to the units of the box, in Float, for acting. An index stays as it is.
  public func denormalize(_ action: inout MutableSpan<Float>) {
    precondition(action.count == count, "\(action.count) actions for \(count) bounds")
    guard choices == nil else { return }
    for i in 0..<count {
      let value = low[i] + (action[i] + 1) / 2 * (high[i] - low[i])
      // clipped: rounding must not leave the box; NaN stays NaN, for the environment's guard to find
      action[i] = value < low[i] ? low[i] : value > high[i] ? high[i] : value
    }
  }

  /// Converts value `i` of an action from the units of the box to [−1, 1], in Double, for data.
  package func normalizedInDouble(_ value: Float, at i: Int) -> Float {
    if choices != nil || low[i] == -1 && high[i] == 1 { return value }
    let (low, high) = (Double(low[i]), Double(high[i]))
    return Float(2 * (Double(value) - low) / (high - low) - 1)
  }

  /// Converts value `i` of an action from [−1, 1] to the units of the box, in Double, for data.
  package func denormalizedInDouble(_ value: Float, at i: Int) -> Float {
    if choices != nil || low[i] == -1 && high[i] == 1 { return value }
    let (low, high) = (Double(low[i]), Double(high[i]))
    return Float(low + (Double(value) + 1) / 2 * (high - low))
  }
}
