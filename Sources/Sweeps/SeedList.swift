// SeedList.swift — reads lists of seeds such as 0..9, 3, or 1,4,7..9.

/// A sweep that cannot be planned, in one line.
package struct SweepError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

package enum SeedList {
  /// The most runs of a sweep: more are taken for a typing error.
  static let maximum = 10_000

  /// Reads numbers and ranges, both ends included, with commas between them.
  package static func read(_ text: String) throws(SweepError) -> [UInt64] {
    var seeds: [UInt64] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let word = part.filter { $0 != " " }
      let ends = range(word)
      guard let ends, ends.0 <= ends.1 else {
        throw SweepError("seeds cannot be \(text.debugDescription): write them as 0..9, as 3, or as 1,4,7..9")
      }
      guard ends.1 - ends.0 < maximum, seeds.count + Int(ends.1 - ends.0) < maximum else {
        throw SweepError("seeds \(text) are more than \(maximum)")
      }
      for seed in ends.0...ends.1 {
        guard !seeds.contains(seed) else { throw SweepError("the seed \(seed) occurs twice in \(text)") }
        seeds.append(seed)
      }
    }
    return seeds
  }

  /// `3`, `0..9`, `0...9` or `0-9`.
  private static func range(_ word: String) -> (UInt64, UInt64)? {
    if let seed = UInt64(word) { return (seed, seed) }
    for separator in ["...", "..", "-"] {
      let parts = word.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, let first = UInt64(parts[0]), let last = UInt64(parts[1]) { return (first, last) }
    }
    return nil
  }
}
