// Sampler.swift — the protocol of samplers, which choose the rows of a batch, and the state that a sampler saves.

import Environments
import Kernels

/// Chooses the rows of a batch from a replay buffer.
///
/// An update asks it three times:
///
///     sampler.draw(batch, from: buffer, using: &stream)  // slots and weights
///     buffer.gather(batch, returns: returns, workers: workers)
///     try sampler.relabel(batch, from: buffer, using: &stream)  // goals, rewards, d
///     metrics = try algorithm.update(batch)  // errors
///     sampler.learned(from: batch)  // priorities
///
/// Nothing may be added to the buffer from `draw` to `learned`. A sampler runs on one thread, so its bits are the same for
/// any number of them, and none of the three allocates.
package protocol Sampler: AnyObject {
  /// Chooses the slots of a batch, and the weights of its rows where they are not 1.
  ///
  /// - Precondition: the buffer is not empty.
  func draw(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream)

  /// Changes the rows that the buffer has gathered, before anything normalises them.
  ///
  /// - Throws: what the environment throws, and `SamplerError.recomputedReward`.
  func relabel(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream) throws

  /// Takes note of an update: `batch.errors` are those of the slots last drawn.
  ///
  /// - Precondition: the errors are finite, as those of an update that did not throw.
  func learned(from batch: borrowing Batch)

  /// Everything that later draws depend on, beside the buffer and the stream.
  var state: SamplerState { get }
  /// Goes on from a saved state, with the buffer that was saved with it, restored by the numbers of its frames.
  ///
  /// - Throws: `SamplerError.foreignState` for a state that this sampler cannot have saved.
  func restore(_ state: SamplerState) throws
}

extension Sampler {
  package func relabel(
    _ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream
  ) throws {}
  package func learned(from batch: borrowing Batch) {}

  package var state: SamplerState { SamplerState() }
  package func restore(_ state: SamplerState) throws {
    if !state.isEmpty { throw SamplerError.foreignState("numbers where this sampler keeps none") }
  }
}

/// What a sampler saves, by name. All numbers are to be kept to the bit.
package struct SamplerState: Sendable, Equatable {
  package var numbers: [String: Double]
  package var arrays: [String: [Double]]

  package init(numbers: [String: Double] = [:], arrays: [String: [Double]] = [:]) {
    (self.numbers, self.arrays) = (numbers, arrays)
  }

  package var isEmpty: Bool { numbers.isEmpty && arrays.isEmpty }

  func number(_ name: String) throws(SamplerError) -> Double {
    guard let number = numbers[name], number.isFinite else { throw .foreignState("no number \(name)") }
    return number
  }

  func array(_ name: String) throws(SamplerError) -> [Double] {
    guard let array = arrays[name] else { throw .foreignState("no list \(name)") }
    return array
  }

  /// A list of whole numbers that are not below 0 and were kept exactly.
  func counts(_ name: String) throws(SamplerError) -> [UInt64] {
    var counts: [UInt64] = []
    for number in try array(name) {
      guard let count = UInt64(exactly: number), count < 1 << 53 else { throw .foreignState("\(number) in \(name)") }
      counts.append(count)
    }
    return counts
  }
}

/// Every transition alike, with replacement.
package final class UniformSampler: Sampler {
  package init() {}

  package func draw(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream) {
    buffer.drawUniformly(batch, using: &stream)
  }
}
