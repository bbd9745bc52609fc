// Space.swift — the sets that observations and actions come from.

/// A box in Rⁿ: each value has a lower and an upper bound, which may be infinite.
public struct Box: Sendable, Equatable {
  /// The least of each value.
  public let low: [Float]  // (n)
  /// The greatest of each value.
  public let high: [Float]  // (n)

  /// - Precondition: as many lower as upper bounds, none of them NaN, `low ≤ high`.
  public init(low: [Float], high: [Float]) {
    precondition(low.count == high.count, "\(low.count) lower bounds, \(high.count) upper bounds")
    for (i, (low, high)) in zip(low, high).enumerated() {
      precondition(low <= high, "bounds of value \(i) are [\(low), \(high)]")
    }
    self.low = low
    self.high = high
  }

  /// A box with the same bounds for each value.
  public init(low: Float, high: Float, count: Int) {
    self.init(low: Array(repeating: low, count: count), high: Array(repeating: high, count: count))
  }

  /// The number of values.
  public var count: Int { low.count }

  /// Whether every value is within its bounds; NaN is not.
  public func contains(_ values: Span<Float>) -> Bool {
    guard values.count == count else { return false }
    for i in 0..<count where !(low[i] <= values[i] && values[i] <= high[i]) { return false }
    return true
  }
}

/// A number of choices, 0 ..< count.
public struct Discrete: Sendable, Equatable {
  /// The number of choices.
  public let count: Int

  /// Choices 0 to `count` − 1.
  public init(_ count: Int) {
    precondition(count > 0, "a discrete space needs at least one choice, got \(count)")
    self.count = count
  }
}

/// Where actions come from.
public enum Space: Sendable, Equatable {
  /// Real-valued: every value within bounds.
  case box(Box)
  /// One of some choices.
  case discrete(Discrete)

  /// Values in one action: A for a box, 1 for a discrete space.
  public var count: Int {
    switch self {
    case .box(let box): box.count
    case .discrete: 1
    }
  }

  /// The number of choices of a discrete space; nil for a box.
  public var choices: Int? {
    switch self {
    case .box: nil
    case .discrete(let discrete): discrete.count
    }
  }

  /// Draws an action: uniform between two bounds, exponential from one, normal where there is none.
  public func sample(into action: inout MutableSpan<Float>, using generator: inout NumPyGenerator) {
    precondition(action.count == count, "an action has \(count) values, the buffer \(action.count)")
    switch self {
    case .discrete(let choices):
      action[0] = Float(generator.integers(below: choices.count))
    case .box(let box):
      // differs: values are drawn in their order, not grouped by kind of bounds
      for i in 0..<box.count {
        let (low, high) = (Double(box.low[i]), Double(box.high[i]))
        // rounding to Float may reach past a bound
        let value =
          switch (low.isFinite, high.isFinite) {
          case (true, true): generator.uniform(low, high)
          case (true, false): low + generator.standardExponential()
          case (false, true): high - generator.standardExponential()
          case (false, false): generator.standardNormal()
          }
        action[i] = min(max(Float(value), box.low[i]), box.high[i])
      }
    }
  }
}
