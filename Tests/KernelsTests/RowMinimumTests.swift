import Kernels
import Testing

@Suite struct RowMinimumTests {
  /// J columns of values, some equal to their neighbour's.
  private func columns(_ count: Int, rows: Int) -> [[Float]] {
    (0..<count).map { j in numbers(rows, seed: j).enumerated().map { $0 % 5 == 0 ? 0.25 : $1 } }
  }

  @Test(arguments: 1...4)
  func `the minimum of a row is its smallest value`(count: Int) {
    let columns = columns(count, rows: 40)
    let values = FixedArray(count: count) { Block(columns[$0]) }
    for row in 0..<40 { #expect(rowMinimum(of: values, at: row) == columns.map { $0[row] }.min()) }
  }

  @Test func `one value that is not a number is a row's minimum, wherever it stands`() {
    for place in 0..<3 {
      let values = FixedArray(count: 3) { Block([$0 == place ? .nan : Float($0)]) }
      #expect(rowMinimum(of: values, at: 0).isNaN, "value \(place)")
    }
  }

  @Test(arguments: 1...4)
  func `each row goes to the first of those with the smallest value, in order, and nothing past the rows is read`(
    count: Int
  ) {
    let columns = columns(count, rows: 40)
    let values = FixedArray(count: count) { Block(columns[$0]) }
    let owners = FixedArray(count: count) { _ in RowIndices(count: 40) }
    let counts = RowIndices(count: count)
    for rows in [40, 0, 1, 17] {
      var expected = [[Int]](repeating: [], count: count)
      for row in 0..<rows {
        let smallest = columns.map { $0[row] }.min()
        expected[columns.firstIndex { $0[row] == smallest } ?? 0].append(row)
      }
      gatherSmallest(of: values, rows: rows, into: owners, counts: counts)
      for j in 0..<count {
        #expect((0..<counts[j]).map { owners[j][$0] } == expected[j], "\(rows) rows, owner \(j)")
      }
    }
  }

  @Test func `more rows than there are values trap instead of being read`() async {
    await #expect(processExitsWith: .failure) {
      let values = FixedArray(count: 2) { _ in Block(count: 4) }
      let owners = FixedArray(count: 2) { _ in RowIndices(count: 8) }
      gatherSmallest(of: values, rows: 5, into: owners, counts: RowIndices(count: 2))
    }
  }
}
