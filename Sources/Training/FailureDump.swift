// FailureDump.swift — the file that is written when training stops at NaN or infinity: enough to see where it came from.

import Algorithms
import Environments
import Formats
import Kernels
import Networks
import Replay

/// A small file to look at, and to repeat the failure from: batch and networks, or the environment's state and action.
///
/// Tensors: `batch.…` and the networks' parameters after an update that diverged; `trainer.observation`, `trainer.action`
/// (in [−1, 1]), `task.action`, `task.observation` and `environment.…` after a step that the environment or its simulator broke.
public struct FailureDump: Sendable {
  static let format = "swift-offpolicy dump"
  static let version = 1

  /// The tensors and metadata that are written.
  public private(set) var file = SafeTensors()

  /// - Parameter reason: the error, in one line.
  init(step: Int, updates: Int, reason: String) {
    file.metadata = [
      "format": Self.format, "version": "\(Self.version)", "step": "\(step)", "updates": "\(updates)", "reason": reason,
    ]
  }

  mutating func add(_ batch: borrowing Batch) {
    for tensor in batch.tensors { add(tensor) }
  }

  mutating func add(_ tensor: Tensor) { file.add(tensor.name, floats: tensor.values, shape: tensor.shape) }

  mutating func add(_ name: String, _ values: [Float]) { file.add(name, floats: values, shape: [values.count]) }

  mutating func add(_ environment: EnvironmentState) {
    file.add("environment.values", doubles: environment.values, shape: [environment.values.count])
    let words = environment.generator.words
    file.add("environment.generator", uint64s: words, shape: [words.count])
  }
}

extension Tensor {
  /// Where the first number is that is not finite, and what it is: `critic.0.layer.1.weight[12, 3] is nan`.
  var firstNonFinite: String? {
    guard let place = values.firstIndex(where: { !$0.isFinite }) else { return nil }
    var index: [Int] = []
    var rest = place
    for size in shape.reversed() {
      index.insert(rest % max(1, size), at: 0)
      rest /= max(1, size)
    }
    return "\(name)\(index) is \(values[place])"
  }
}

extension Batch {
  /// The batch as tensors `batch.…`, rows first.
  var tensors: [Tensor] {
    var columns: [(String, [Int], [Float])] = []
    func flat(_ matrix: borrowing Matrix) -> [Float] {
      var values: [Float] = []
      for row in 0..<count { for column in 0..<matrix.columns { values.append(matrix[row, column]) } }
      return values
    }
    columns.append(("observations", [count, observations.columns], flat(observations)))
    columns.append(("actions", [count, actions.columns], flat(actions)))
    columns.append(("rewards", [count], rewards.values(0..<count)))
    columns.append(("next_observations", [count, nextObservations.columns], flat(nextObservations)))
    columns.append(("terminated", [count], terminated.values(0..<count)))
    columns.append(("discounts", [count], discounts.values(0..<count)))
    columns.append(("weights", [count], weights.values(0..<count)))
    return columns.map { Tensor(name: "batch.\($0.0)", shape: $0.1, values: $0.2) }
  }
}
