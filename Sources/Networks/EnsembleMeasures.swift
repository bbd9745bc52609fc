// EnsembleMeasures.swift — metrics and sums of an ensemble's last pass, read from the buffers of each network.

import Kernels

/// Q_j of J networks, each (B).
extension FixedArray where Element == Block {
  /// |Q_j − y|, the mean over j, of the first `rows` rows.
  borrowing func absoluteErrors(to targets: borrowing Block, into errors: borrowing Block, rows: Int) {
    let share = 1 / Float(count)
    for row in 0..<rows {
      var sum: Float = 0
      for j in 0..<count { sum += abs(self[j][row] - targets[row]) }
      errors[row] = sum * share
    }
  }

  /// The largest |Q_j| over the first `rows` rows; NaN if one of them is.
  borrowing func largestMagnitude(rows: Int) -> Double {
    var largest: Float = 0
    for j in 0..<count {
      for row in 0..<rows {
        let magnitude = abs(self[j][row])
        if magnitude > largest || magnitude.isNaN { largest = magnitude }
      }
    }
    return Double(largest)
  }
}

/// The gradients of J networks at the actions, each (B × A).
extension FixedArray where Element == Matrix {
  /// The sum over j, for some rows.
  borrowing func sum(into total: borrowing Matrix, rows: Range<Int>) {
    for row in rows {
      for i in 0..<total.columns {
        var sum: Float = 0
        for j in 0..<count { sum += self[j][row, i] }
        total[row, i] = sum
      }
    }
  }
}

/// The buffers of J networks.
extension FixedArray where Element == Activations {
  /// The share of hidden units that pass nothing back over the first `rows` rows of the last pass, the mean over the networks.
  borrowing func deadUnits(rows: Int) -> Double {
    var sum = 0.0
    for j in 0..<count { sum += self[j].deadUnits(rows: rows) }
    return sum / Double(max(1, count))
  }

  /// The distance of the last batch's means from the running means, in running deviations, the mean over the networks.
  borrowing func statisticsLag(_ networks: [Parameters]) -> Double {
    var sum = 0.0
    for j in 0..<count { sum += networks[j].statisticsLag(self[j]) }
    return sum / Double(max(1, count))
  }
}
