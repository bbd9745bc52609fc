// FrameStore.swift — rows of floats in one large block of memory, touched when it is made.

import Intrinsics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@safe
package struct FrameStore: ~Copyable, @unchecked Sendable {
  package let count: Int
  package let width: Int
  private let pointer: UnsafeMutablePointer<Float>

  /// `count` rows of `width` zeros. Writing them makes the system give every page now, not hours later.
  package init(count: Int, width: Int) {
    precondition(count > 0 && width > 0, "\(count) frames of \(width) values")
    self.count = count
    self.width = width
    // whole cache lines past the end, so that a prefetch never leaves the block
    let total = count * width + 4 * panelWidth
    let bytes = total * MemoryLayout<Float>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.pageSize)
    #if os(Linux)
      // batches are drawn from all over the block: with large pages that costs one miss less for each row
      madvise(raw, bytes, 14)  // MADV_HUGEPAGE
    #endif
    pointer = raw.bindMemory(to: Float.self, capacity: total)
    pointer.initialize(repeating: 0, count: total)
  }

  deinit { pointer.deallocate() }

  /// A large page.
  private static let pageSize = 1 << 21

  package subscript(row: Int, column: Int) -> Float {
    get { pointer[offset(row, column)] }
    nonmutating set { pointer[offset(row, column)] = newValue }
  }

  private func offset(_ row: Int, _ column: Int) -> Int {
    precondition(row >= 0 && row < count && column >= 0 && column < width, "value (\(row), \(column))")
    return row &* width &+ column
  }

  /// Writes values into a row from a column on.
  package func write(_ values: Span<Float>, at row: Int, offset column: Int) {
    guard values.count > 0 else { return }
    precondition(column + values.count <= width, "\(values.count) values at \(column) of \(width)")
    let target = pointer + offset(row, column)
    values.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      target.update(from: base, count: source.count)
    }
  }

  /// Copies as many values as a matrix has columns, from a column of a row on, into a row of the matrix.
  package func read(at row: Int, offset column: Int, into matrix: borrowing Matrix, row target: Int) {
    guard matrix.columns > 0 else { return }
    precondition(column + matrix.columns <= width, "\(matrix.columns) values at \(column) of \(width)")
    precondition(target >= 0 && target < matrix.rows, "row \(target) of \(matrix.rows)")
    matrix.copyRow(target, from: pointer + offset(row, column))
  }

  /// Asks for the cache lines that a row begins with, and those of the next row behind it: they will be read soon.
  ///
  /// Of long rows only the beginning: the processor sees by itself how they go on.
  package func prefetch(_ row: Int) {
    precondition(row >= 0 && row < count, "row \(row) of \(count)")
    let first = pointer + row &* width
    let lines = min(8, 2 &* width / panelWidth &+ 1)
    for line in 0..<lines { Intrinsics.prefetch(first + line &* panelWidth) }
  }

  /// Reads one column of many rows. The reads do not wait for each other, so their cache misses overlap.
  package func read(column: Int, rows: borrowing RowIndices, into values: borrowing Block) {
    precondition(column >= 0 && column < width, "column \(column) of \(width)")
    precondition(values.count >= rows.count, "\(rows.count) rows into \(values.count) values")
    rows.check(0..<rows.count, below: count)
    for i in 0..<rows.count { values.pointer[i] = pointer[Int(rows.pointer[i]) &* width &+ column] }
  }

  /// Copies the values of some rows out, row after row.
  package func values(of rows: Range<Int>) -> [Float] {
    guard !rows.isEmpty else { return [] }
    precondition(rows.upperBound <= count, "rows \(rows) of \(count)")
    return Array(UnsafeBufferPointer(start: pointer + offset(rows.lowerBound, 0), count: rows.count * width))
  }
}
