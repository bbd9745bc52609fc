// RowMinimum.swift — the smallest of several values that each row has, such as the critics' Q_j(s, a).

/// The smallest of a row's J values; NaN if one of them is, which `Swift.min` would hide.
@inlinable
package func rowMinimum(of values: borrowing FixedArray<Block>, at row: Int) -> Float {
  var minimum = values[0][row]
  for j in 1..<max(1, values.count) {
    let value = values[j][row]
    if value < minimum || value.isNaN { minimum = value }
  }
  return minimum
}

/// Divides the first `rows` rows among J owners: a row goes to the j whose value is the smallest there, the first of equals.
///
/// Writes each owner's rows to `owners[j]`, in order, and how many they are to `counts[j]`. Which of two values is the smaller
/// is a coin's toss to the processor, so nothing branches on it.
package func gatherSmallest(
  of values: borrowing FixedArray<Block>, rows: Int, into owners: borrowing FixedArray<RowIndices>,
  counts: borrowing RowIndices
) {
  precondition(values.count > 0 && owners.count == values.count && counts.count == values.count, "owners of values")
  for j in 0..<values.count {
    precondition(rows <= values[j].count && rows <= owners[j].count, "\(rows) rows of \(values[j].count)")
    counts.pointer[j] = 0
  }
  for row in 0..<rows {
    var smallest: Int32 = 0
    var minimum = values[0].pointer[row]
    for j in 1..<max(1, values.count) {
      let value = values[j].pointer[row]
      smallest = value < minimum ? Int32(truncatingIfNeeded: j) : smallest
      minimum = value < minimum ? value : minimum
    }
    // written for every owner, kept for one
    for j in 0..<values.count {
      owners[j].pointer[Int(counts.pointer[j])] = Int32(truncatingIfNeeded: row)
      counts.pointer[j] &+= j == Int(smallest) ? 1 : 0
    }
  }
}
