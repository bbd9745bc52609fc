// Matrix.swift — memory for numbers: a matrix in panels of 16 columns, and a flat block.
//
// Both own their memory and cannot be copied by accident. Writes do not need `var`: workers write disjoint rows of one
// matrix at the same time, and the worker pool's barriers order their reads after those writes. That discipline, not the
// type system, is what makes `@unchecked Sendable` true; it is kept in the few phases of each algorithm's update.

/// Columns in a panel: the values in one vector.
@inlinable package var panelWidth: Int { 16 }

/// B rows of n columns, element (row, column) at `column / 16 · stride + row · 16 + column % 16`.
///
/// The columns past the last one are zero and stay zero. Rows are padded so that no stride is a power of two.
@safe
public struct Matrix: ~Copyable, @unchecked Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  package let panels: Int
  /// Values from one panel to the next.
  @usableFromInline package let stride: Int
  @usableFromInline package let pointer: UnsafeMutablePointer<Float>

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix of \(rows) rows and \(columns) columns")
    self.rows = rows
    self.columns = columns
    panels = (columns + panelWidth - 1) / panelWidth
    stride = ((rows + 1) | 1) * panelWidth
    pointer = allocateZeros(max(1, panels * stride))
  }

  deinit { pointer.deallocate() }

  /// Where an element is; the caller has checked that there is one.
  @inline(__always)
  func place(_ row: Int, _ column: Int) -> Int {
    column / panelWidth &* stride &+ row &* panelWidth &+ column % panelWidth
  }

  /// The panel of `column` at `row`.
  func at(_ row: Int, panel: Int = 0) -> UnsafeMutablePointer<Float> {
    pointer + (panel &* stride &+ row &* panelWidth)
  }

  /// One element.
  ///
  /// - Precondition: both are within the matrix.
  @inlinable
  public subscript(row: Int, column: Int) -> Float {
    get { pointer[offset(row, column)] }
    nonmutating set { pointer[offset(row, column)] = newValue }
  }

  @inlinable
  func offset(_ row: Int, _ column: Int) -> Int {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns,
      "element (\(row), \(column)) of a \(rows) × \(columns) matrix")
    return column / panelWidth * stride + row * panelWidth + column % panelWidth
  }

  /// Writes one row from `columns` values.
  public func setRow(_ row: Int, to values: Span<Float>) {
    precondition(values.count == columns, "expected \(columns) columns, got \(values.count)")
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    values.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      copyRow(row, from: base)
    }
  }

  /// Reads one row into `columns` values.
  public func copyRow(_ row: Int, into values: inout MutableSpan<Float>) {
    precondition(values.count == columns, "expected \(columns) columns, got \(values.count)")
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    for column in 0..<columns { values[column] = pointer[offset(row, column)] }
  }

  /// Copies a row to a row of a matrix of as many columns.
  package func copyRow(_ row: Int, to other: borrowing Matrix, row target: Int) {
    precondition(columns == other.columns, "\(columns) columns into \(other.columns)")
    precondition(row >= 0 && row < rows && target >= 0 && target < other.rows, "row \(row) to row \(target)")
    for panel in 0..<panels {
      let lanes = UnsafeRawPointer(at(row, panel: panel)).load(as: SIMD16<Float>.self)
      UnsafeMutableRawPointer(other.at(target, panel: panel)).storeBytes(of: lanes, as: SIMD16<Float>.self)
    }
  }

  /// Copies some rows to the same rows of a matrix of as many columns.
  package func copy(_ rows: Range<Int>, to other: borrowing Matrix) {
    precondition(columns == other.columns, "\(columns) columns into \(other.columns)")
    check(rows, min(self.rows, other.rows))
    for panel in 0..<panels {
      other.at(rows.lowerBound, panel: panel).update(
        from: at(rows.lowerBound, panel: panel), count: rows.count * panelWidth)
    }
  }

  /// Writes one value into some rows.
  package func fill(_ value: Float, rows: Range<Int>) {
    check(rows, self.rows)
    for panel in 0..<panels {
      let count = min(panelWidth, columns - panel * panelWidth)
      for row in rows { at(row, panel: panel).update(repeating: value, count: count) }
    }
  }

  /// Writes a row from `columns` values in memory.
  func copyRow(_ row: Int, from source: UnsafePointer<Float>) {
    var column = 0
    var target = at(row)
    while column < columns {
      target.update(from: source + column, count: min(panelWidth, columns - column))
      column += panelWidth
      target += stride
    }
  }
}

/// A flat block of values, its length rounded up to whole vectors with zeros.
@safe
public struct Block: ~Copyable, @unchecked Sendable {
  /// The number of values.
  public let count: Int
  @usableFromInline package let pointer: UnsafeMutablePointer<Float>

  /// A block of zeros.
  public init(count: Int) {
    precondition(count >= 0, "a block of \(count) values")
    self.count = count
    pointer = allocateZeros(max(1, count))
  }

  deinit { pointer.deallocate() }

  /// One value.
  ///
  /// - Precondition: the index is within the block.
  @inlinable
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "value \(index) of \(count)")
      return pointer[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "value \(index) of \(count)")
      pointer[index] = newValue
    }
  }

  /// The values of a range, copied.
  public func values(_ range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "values \(range) of \(count)")
    return Array(UnsafeBufferPointer(start: pointer + range.lowerBound, count: range.count))
  }

  /// All values, copied.
  public var values: [Float] { values(0..<count) }

  /// Writes values from `start` on.
  public func set(_ values: [Float], at start: Int = 0) {
    precondition(start >= 0 && start + values.count <= count, "\(values.count) values at \(start) of \(count)")
    values.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      (pointer + start).update(from: base, count: source.count)
    }
  }

  /// Writes one value into a range.
  package func fill(_ value: Float, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "values \(range) of \(count)")
    (pointer + range.lowerBound).update(repeating: value, count: range.count)
  }

  /// Copies every value of a block of the same length.
  public func copy(_ other: borrowing Block) {
    precondition(other.count == count, "\(other.count) values into \(count)")
    pointer.update(from: other.pointer, count: count)
  }

  /// Copies `count` values of another block.
  package func copy(_ other: borrowing Block, from source: Int, to target: Int, count: Int) {
    precondition(count >= 0 && source >= 0 && source + count <= other.count, "\(count) values of \(other.count)")
    precondition(target >= 0 && target + count <= self.count, "\(count) values into \(self.count)")
    (pointer + target).update(from: other.pointer + source, count: count)
  }
}

/// Which rows of a matrix some rows belong to.
@safe
package struct RowIndices: ~Copyable, @unchecked Sendable {
  package let count: Int
  @usableFromInline let pointer: UnsafeMutablePointer<Int32>

  package init(count: Int) {
    self.count = count
    pointer = .allocate(capacity: max(1, count))
    pointer.initialize(repeating: 0, count: max(1, count))
  }

  deinit { pointer.deallocate() }

  @inlinable
  package subscript(index: Int) -> Int {
    get {
      precondition(index >= 0 && index < count, "index \(index) of \(count)")
      return Int(pointer[index])
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "index \(index) of \(count)")
      pointer[index] = Int32(newValue)
    }
  }

  /// Where the smallest of some numbers are, in their order; of equal ones the first. There are at least as many numbers.
  package func fillWithSmallest(of numbers: borrowing Block) {
    for i in 0..<count {
      var chosen = -1
      for j in 0..<numbers.count {
        var isTaken = false
        for k in 0..<i where self[k] == j { isTaken = true }
        if !isTaken && (chosen < 0 || numbers[j] < numbers[chosen]) { chosen = j }
      }
      self[i] = chosen
    }
  }

  func check(_ range: Range<Int>, below bound: Int) {
    for index in range {
      precondition(pointer[index] >= 0 && pointer[index] < bound, "row \(pointer[index]) of \(bound)")
    }
  }
}

/// Zeroed memory on a cache line, with room for one vector past the end.
private func allocateZeros(_ count: Int) -> UnsafeMutablePointer<Float> {
  let padded = (count + panelWidth - 1) / panelWidth * panelWidth + panelWidth
  let raw = UnsafeMutableRawPointer.allocate(byteCount: padded * MemoryLayout<Float>.stride, alignment: 64)
  let pointer = raw.bindMemory(to: Float.self, capacity: padded)
  pointer.initialize(repeating: 0, count: padded)
  return pointer
}
