// ActionScaling.swift — between the algorithm's actions, in [−1, 1], and the task's box. The only place that knows both.

import Environments

/// A task whose actions the algorithms cannot give.
public struct UnsupportedActions: Error, CustomStringConvertible {
  public let description: String
}

/// a_task = low + (a + 1) / 2 · (high − low), for each value of the box, asymmetric bounds included.
public struct ActionScaling: Sendable {
  public let low: [Float]  // (A)
  public let high: [Float]  // (A)

  public init(_ space: Space, of task: String) throws {
    switch space {
    case .discrete(let choices):
      throw UnsupportedActions(
        description: "\(task) has \(choices.count) discrete actions, but ddpg, td3 and sac choose real-valued ones: "
          + "pick a task with a box of actions from `offpolicy list`")
    case .box(let box):
      for (i, (low, high)) in zip(box.low, box.high).enumerated() where !low.isFinite || !high.isFinite || low == high {
        throw UnsupportedActions(
          description:
            "\(task): action[\(i)] has bounds [\(low), \(high)]; finite, distinct bounds are needed to scale "
            + "actions")
      }
      (low, high) = (box.low, box.high)
    }
  }

  public init(low: [Float], high: [Float]) {
    precondition(low.count == high.count, "\(low.count) lower bounds, \(high.count) upper bounds")
    (self.low, self.high) = (low, high)
  }

  public var count: Int { low.count }

  /// Turns a normalised action into the task's.
  public func denormalize(_ action: inout MutableSpan<Float>) {
    precondition(action.count == count, "\(action.count) actions for \(count) bounds")
    for i in 0..<count {
      let value = low[i] + (action[i] + 1) / 2 * (high[i] - low[i])
      // clipped: rounding must not leave the box; NaN stays NaN, for the task's guard to find
      action[i] = value < low[i] ? low[i] : value > high[i] ? high[i] : value
    }
  }
}
