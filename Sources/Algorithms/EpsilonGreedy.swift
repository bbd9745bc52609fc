// EpsilonGreedy.swift — ε-greedy exploration: a random action with probability ε, which falls linearly.

import Kernels

/// ε-greedy with a linear schedule, and where it stands.
struct EpsilonGreedy {
  private let start: Float
  private let end: Float
  private let length: Int
  let choices: Int
  private(set) var stream: RandomStream
  /// Actions chosen so far.
  private(set) var step = 0

  init(start: Float, end: Float, length: Int, choices: Int, stream: RandomStream) {
    (self.start, self.end, self.length) = (start, end, length)
    self.choices = choices
    self.stream = stream
  }

  /// ε in place of the schedule's; nil: the schedule holds.
  var fixed: Float?

  /// ε_t = ε₀ + min(1, t / n) (ε₁ − ε₀)
  var epsilon: Float {
    if let fixed { return fixed }
    return step >= length ? end : start + Float(Double(step) / Double(length)) * (end - start)
  }

  /// A uniformly random action with probability ε; nil: the greedy one.
  mutating func draw() -> Int? {
    let epsilon = epsilon
    step += 1
    return stream.uniform() < epsilon ? stream.index(below: choices) : nil
  }

  /// The actions chosen so far, and where the stream stands.
  mutating func codeProgress(_ coder: inout StateCoder) throws {
    try coder.code("epsilon_step", &step)
    try coder.code("acting_stream", &stream)
  }
}
