// StateCoder.swift — writes and reads an algorithm's state through one list of names.

import Kernels
import Networks

/// Writes an algorithm's state, or reads it. The list of names is the same for both.
public struct StateCoder {
  /// The state written so far; empty while reading.
  package private(set) var written = AlgorithmState()
  /// The names of the random streams among the counts written so far.
  private var streams: [String] = []
  /// What is read; nil while writing.
  private let saved: AlgorithmState?
  private let find: (String) throws -> Tensor

  private init(reading saved: AlgorithmState?, _ find: @escaping (String) throws -> Tensor) {
    (self.saved, self.find) = (saved, find)
  }

  /// What a list writes.
  static func write(_ list: (inout StateCoder) throws -> Void) -> AlgorithmState { after(list).written }

  /// What a list writes, with all its random streams at their start.
  static func writeWithStreamsAtTheirStart(_ list: (inout StateCoder) throws -> Void) -> AlgorithmState {
    let coder = after(list)
    var state = coder.written
    for name in coder.streams { state.counts[name] = 0 }
    return state
  }

  private static func after(_ list: (inout StateCoder) throws -> Void) -> StateCoder {
    var coder = StateCoder(reading: nil) { throw MissingState(name: $0) }
    do { try list(&coder) } catch { preconditionFailure("a state could not be written: \(error)") }
    return coder
  }

  /// Gives a list tensors by their names, and the numbers and counts of a state.
  ///
  /// - Throws: `MissingState` where something is not there, `TensorMismatch` where a tensor has another shape.
  static func read(
    _ saved: AlgorithmState = AlgorithmState(), from find: (String) throws -> Tensor,
    _ list: (inout StateCoder) throws -> Void
  ) throws {
    try withoutActuallyEscaping(find) { find in
      var coder = StateCoder(reading: saved, find)
      try list(&coder)
    }
  }

  // MARK: what can be kept

  /// Tensors: written as they are, or read by name.
  public mutating func code(
    _ tensors: @autoclosure () -> [Tensor], reading: ((String) throws -> Tensor) throws -> Void
  ) throws {
    if saved == nil { written.tensors += tensors() } else { try reading(find) }
  }

  /// A network's parameters, `name.layer.K.…`.
  public mutating func code(_ name: String, _ network: Parameters) throws {
    try code(network.tensors(name)) { try network.load(name, from: $0) }
  }

  /// The parameters of several networks of one layout, `name.J.layer.K.…`.
  public mutating func code(_ name: String, _ networks: some Ensemble) throws {
    try code(networks.tensors(name)) { try networks.load(name, from: $0) }
  }

  /// An optimiser's moments, `name.J.first.…` and `name.J.second.…`, and its count `name.steps`.
  public mutating func code(_ name: String, _ optimizer: Adam) throws {
    var steps = optimizer.steps
    try code("\(name).steps", &steps)
    try code(optimizer.tensors(name)) { try optimizer.load(name, steps: steps, from: $0) }
  }

  /// A count that is not negative.
  public mutating func code(_ name: String, _ count: inout Int) throws {
    if let saved { count = try saved.count(name) } else { written.counts[name] = UInt64(count) }
  }

  /// A number in double precision.
  public mutating func code(_ name: String, _ number: inout Double) throws {
    if let saved { number = try saved.number(name) } else { written.numbers[name] = number }
  }

  /// The position of a random stream.
  public mutating func code(_ name: String, _ stream: inout RandomStream) throws {
    if let saved {
      stream.position = try saved.position(name)
    } else {
      written.counts[name] = stream.position
      streams.append(name)
    }
  }
}

extension Algorithm {
  /// The learned parameters and their targets, named as `conformance` names them.
  public var parameters: [Tensor] { StateCoder.write(codeParameters).tensors }

  /// Loads parameters and targets by the names of `parameters`.
  ///
  /// - Throws: where one is missing or has another shape.
  public func loadParameters(from find: (String) throws -> Tensor) throws {
    try StateCoder.read(from: find, codeParameters)
  }

  /// Everything that `update` and `act` depend on: parameters, moments, temperature, streams, counts.
  public var state: AlgorithmState { StateCoder.write(codeAll) }

  /// Puts every random stream at its start, and changes nothing else.
  public func restartStreams() throws { try restore(StateCoder.writeWithStreamsAtTheirStart(codeAll)) }

  private func codeAll(_ coder: inout StateCoder) throws {
    try codeParameters(&coder)
    try codeProgress(&coder)
  }

  /// Restores a state that `state` returned. All following updates have the same bits as after the original.
  ///
  /// - Throws: where something is missing or has another shape.
  public func restore(_ state: AlgorithmState) throws {
    try StateCoder.read(state, from: state.finder(), codeAll)
  }
}
