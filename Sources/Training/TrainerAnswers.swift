// TrainerAnswers.swift — what may be asked of a run beside its loop, without touching anything that training depends on.

import Algorithms
import Kernels
import Networks
import Replay

extension Trainer {
  /// Writes the policy's actions (n × A), in the environment's units, for some observations (n × S).
  ///
  /// - Parameter stream: what actions are drawn from; nil: the policy's best guess.
  public func act(
    _ observations: Span<Float>, rows: Int, drawingFrom stream: inout RandomStream?,
    into actions: inout MutableSpan<Float>
  ) {
    let (size, width) = (buffer.observationSize, scaling.count)
    precondition(
      observations.count == rows * size && actions.count == rows * width,
      "\(observations.count) and \(actions.count) values for \(rows) observations of \(size) and actions of \(width)")
    var action = [Float](repeating: 0, count: width)
    for row in 0..<rows {
      var span = action.mutableSpan
      evaluated.act(
        algorithm, observations.extracting((row * size)..<((row + 1) * size)), drawingFrom: &stream, into: &span)
      scaling.denormalize(&span)
      for i in 0..<width { actions[row * width + i] = action[i] }
    }
  }

  /// Writes what the critics say, Q (n), of some observations (n × S) and actions (n × A) in the environment's units.
  public func values(
    _ observations: Span<Float>, _ actions: Span<Float>, rows: Int, into values: inout MutableSpan<Float>
  ) {
    let (size, width) = (buffer.observationSize, scaling.count)
    precondition(
      observations.count == rows * size && actions.count == rows * width && values.count == rows,
      "\(observations.count), \(actions.count) and \(values.count) values for \(rows) rows of \(size) and \(width)")
    var action = [Float](repeating: 0, count: width)
    for row in 0..<rows {
      for i in 0..<width {
        let value = actions[row * width + i]
        action[i] = scaling.choices == nil ? scaling.normalizedInDouble(value, at: i) : value
      }
      let value = evaluated.value(
        of: algorithm, observations.extracting((row * size)..<((row + 1) * size)), action.span)
      values[row] = Float(normalization.divisor * value)
    }
  }

  /// Normalises what the run sees from now on by statistics that its caller keeps: the lanes' observations, and each batch. What
  /// `act` and `values` are given is normalised already. Nil: nothing is.
  ///
  /// - Precondition: as many means as an observation has values.
  /// - Throws: where the run's settings normalise, too.
  public func normalize(by given: GivenNormalization?) throws {
    let expected = buffer.observationSize
    precondition(given?.mean.count ?? expected == expected, "\(given?.mean.count ?? 0) means for \(expected) values")
    try normalization.use(given)
  }

  /// The actions that were chosen last (N × A), in the environment's units.
  public var lastActions: [Float] { actions.given }

  /// The means of the updates since this was last called. The run's logs have windows of their own.
  public func means() -> MetricsRecord { learner.means(step: step) }

  /// Parameters, moments and counts of the algorithm.
  public var algorithmState: AlgorithmState { algorithm.state }

  /// Sets some of the algorithm's tensors, numbers and counts by name; all others stay.
  ///
  /// - Throws: what does not fit: an unknown name, another shape, a value that is not finite.
  public func replace(_ given: AlgorithmState) throws {
    var state = algorithm.state
    for tensor in given.tensors {
      guard let i = state.tensors.firstIndex(where: { $0.name == tensor.name }) else {
        throw MismatchedRun("\(run.algorithm) has no tensor \(tensor.name)")
      }
      let (expected, actual) = (state.tensors[i].shape, tensor.shape)
      guard expected == actual else {
        throw MismatchedRun("\(tensor.name) has the shape \(actual), the run's has \(expected)")
      }
      if let place = tensor.firstNonFinite, tensor.name != "log_temperature" { throw MismatchedRun(place) }
      state.tensors[i] = tensor
      // what is kept in full beside its rounded tensor
      if let value = tensor.values.first, state.numbers[tensor.name] != nil {
        state.numbers[tensor.name] = Double(value)
      }
    }
    for (name, value) in given.numbers {
      guard state.numbers[name] != nil, !value.isNaN else { throw MismatchedRun("\(name) = \(value) does not fit") }
      state.numbers[name] = value
    }
    for (name, value) in given.counts {
      guard state.counts[name] != nil, value < 1 << 53 else { throw MismatchedRun("\(name) = \(value) does not fit") }
      state.counts[name] = value
    }
    try algorithm.restore(state)
  }

  /// Makes every lane one whose episode has ended, without a word: what was restored does not fit together.
  package func forgetEpisodes() {
    for lane in lanes.indices { forgetEpisode(lane: lane) }
  }

  /// Goes on from a saved state. Where the buffer's frames are not those that belong to it, its sampler begins anew.
  package func restore(_ state: TrainerState, of progress: RunProgress) throws {
    var state = state
    let frames = lanes.indices.map { buffer.frameRange(lane: $0) }
    if frames != progress.replay.map(\.frames) { state.sampler = learner.sampler.state }
    try restore(state)
  }
}
