// Sampler.swift — the protocol of samplers, which choose the rows of a batch, and their saved state.

import Environments
import Kernels

/// Chooses the rows of a batch from a replay buffer.
///
/// An update calls it three times:
///
///     sampler.draw(batch, from: buffer, using: &stream)  // slots and weights
///     buffer.gather(batch, returns: returns, workers: workers)
///     try sampler.relabel(batch, from: buffer, using: &stream)  // goals, rewards, d
///     metrics = try algorithm.update(batch)  // errors
///     sampler.learned(from: batch)  // priorities
///
/// Nothing may be added to the buffer between `draw` and `learned`. A sampler runs on one thread, so its bits are the same for
/// any number of threads. None of the three calls allocates memory.
package protocol Sampler: AnyObject {
  /// Chooses the slots of a batch, and writes the weights of its rows if they are not 1.
  ///
  /// - Precondition: the buffer is not empty.
  func draw(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream)

  /// Changes the rows that the buffer has gathered, before they are normalised.
  ///
  /// - Throws: errors of the environment, and `SamplerError.recomputedReward`.
  func relabel(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream) throws

  /// Learns the errors of an update: `batch.errors` belong to the slots drawn last.
  ///
  /// - Precondition: the errors are finite. They are, unless the update throws.
  func learned(from batch: borrowing Batch)

  /// Everything that later draws depend on, besides the buffer and the stream.
  var state: SamplerState { get }
  /// Restores a saved state. The buffer is the one saved with it, restored with the same frame numbers.
  ///
  /// - Throws: `SamplerError.foreignState` for a state that another sampler saved.
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

/// The saved state of a sampler, by name. All numbers must be kept to the bit.
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

  /// A list of whole numbers from 0 up, small enough for `Double` to hold them exactly.
  func counts(_ name: String) throws(SamplerError) -> [UInt64] {
    var counts: [UInt64] = []
    for number in try array(name) {
      guard let count = UInt64(exactly: number), count < 1 << 53 else { throw .foreignState("\(number) in \(name)") }
      counts.append(count)
    }
    return counts
  }
}

/// Draws every transition with the same probability, with replacement.
package final class UniformSampler: Sampler {
  package init() {}

  package func draw(_ batch: borrowing Batch, from buffer: borrowing ReplayBuffer, using stream: inout RandomStream) {
    buffer.drawUniformly(batch, using: &stream)
  }
}
