// LaneActions.swift — the actions of all lanes in one round: at random, by the policy, or those that somebody else took.

import Algorithms
import Kernels
import Replay

/// N actions of A values, in [−1, 1] for the buffer and in the environment's units for the step.
struct LaneActions: ~Copyable {
  let scaling: ActionScaling
  /// Of the actions at random.
  var stream: RandomStream
  /// (N × A), in [−1, 1]; of choices their indices.
  private(set) var stored: [Float]
  /// (N × A), in the environment's units.
  private(set) var given: [Float]
  private let chosen: Matrix  // (N × A)
  private var action: [Float]  // (A), of one lane

  init(_ scaling: ActionScaling, lanes: Int, stream: RandomStream) {
    (self.scaling, self.stream) = (scaling, stream)
    stored = [Float](repeating: 0, count: lanes * scaling.count)
    given = stored
    chosen = Matrix(rows: lanes, columns: scaling.count)
    action = [Float](repeating: 0, count: scaling.count)
  }

  /// Where a lane's values are.
  func range(lane: Int) -> Range<Int> { (lane * scaling.count)..<((lane + 1) * scaling.count) }

  /// Draws every action uniformly.
  mutating func drawUniformly() {
    // out of the structure and back: a span may not lie beside another access to it
    let scaling = scaling
    var stream = stream
    defer { self.stream = stream }
    for lane in 0..<chosen.rows {
      var span = action.mutableSpan
      scaling.drawUniformly(into: &span, using: &stream)
      for i in 0..<scaling.count { stored[lane * scaling.count + i] = action[i] }
    }
  }

  /// Takes the policy's actions, with exploration, for some observations (N × S).
  mutating func choose(_ algorithm: any Algorithm, _ observations: borrowing Matrix) {
    algorithm.act(observations, rows: chosen.rows, explore: true, into: chosen)
    for lane in 0..<chosen.rows {
      for i in 0..<scaling.count { stored[lane * scaling.count + i] = chosen[lane, i] }
    }
  }

  /// Brings what was chosen into the environment's units.
  ///
  /// - Throws: `DivergedPolicy` when one is not finite.
  mutating func finish(step: Int) throws {
    let scaling = scaling
    for lane in 0..<chosen.rows {
      for i in 0..<scaling.count {
        let value = stored[lane * scaling.count + i]
        guard value.isFinite else { throw DivergedPolicy(step: step, index: i, value: value) }
        action[i] = value
      }
      var span = action.mutableSpan
      scaling.denormalize(&span)
      for i in 0..<scaling.count { given[lane * scaling.count + i] = action[i] }
    }
  }

  /// Takes actions (N × A) that the environments were really given, in their units.
  ///
  /// - Throws: `DivergedPolicy` when one is not finite.
  mutating func replace(by actions: Span<Float>, step: Int) throws {
    precondition(actions.count == stored.count, "\(actions.count) values for \(stored.count) of all actions")
    for i in 0..<actions.count {
      let value = actions[i]
      guard value.isFinite else { throw DivergedPolicy(step: step, index: i % scaling.count, value: value) }
      given[i] = value
      let scaled = scaling.normalizedInDouble(value, at: i % scaling.count)
      stored[i] = scaling.choices == nil ? min(1, max(-1, scaled)) : value
    }
  }
}
