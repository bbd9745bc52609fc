import Kernels
import Testing

@Suite struct MatrixTests {
  @Test func `a matrix is zero, and so is all of its memory`() {
    for (rows, columns) in [(0, 0), (0, 3), (3, 0), (1, 1), (7, 16), (5, 17), (256, 33)] {
      let matrix = Matrix(rows: rows, columns: columns)
      #expect(matrix.rows == rows && matrix.columns == columns && matrix.panels == (columns + 15) / 16)
      #expect(matrix.values.allSatisfy { $0 == 0 } && matrix.isPaddingZero)
      #expect(UInt(bitPattern: matrix.pointer) % 64 == 0, "not on a cache line")
    }
  }

  @Test func `an element is in its column's panel, whichever way it is written`() {
    let values = numbers(5 * 37, seed: 1)
    let byRow = Matrix(values, rows: 5, columns: 37)
    let byElement = Matrix(rows: 5, columns: 37)
    for row in 0..<5 {
      for column in 0..<37 { byElement[row, column] = values[row * 37 + column] }
    }
    // `values` reads where the layout says, the subscript where the matrix thinks
    #expect(byRow.values == values && byElement.values == values)
    #expect(byRow.isPaddingZero && byElement.isPaddingZero)
    for row in 0..<5 {
      for column in 0..<37 { #expect(byRow[row, column] == values[row * 37 + column]) }
      var copy = [Float](repeating: 0, count: 37)
      var span = copy.mutableSpan
      byRow.copyRow(row, into: &span)
      #expect(copy == Array(values[row * 37..<(row + 1) * 37]))
    }
  }

  @Test func `a row goes from matrix to matrix whole, and no other row changes`() {
    let source = Matrix(numbers(5 * 37, seed: 1), rows: 5, columns: 37)
    let target = Matrix(repeating: untouched, rows: 9, columns: 37)
    source.copyRow(3, to: target, row: 7)
    for row in 0..<9 {
      for column in 0..<37 { #expect(target[row, column] == (row == 7 ? source[3, column] : untouched)) }
    }
    #expect(target.isPaddingZero == true)
  }

  @Test func `row indices are zero until set, and keep what was set`() {
    let indices = RowIndices(count: 5)
    #expect((0..<5).allSatisfy { indices[$0] == 0 })
    indices[2] = 1_999_999_999
    #expect((0..<5).map { indices[$0] } == [0, 0, 1_999_999_999, 0, 0])
  }

  @Test func `no stride is a power of two`() {
    for rows in 1...1100 {
      let matrix = Matrix(rows: rows, columns: 1)
      let stride = matrix.stride
      #expect(stride >= rows * panelWidth && stride & (stride - 1) != 0, "\(rows) rows: \(stride)")
    }
  }

  @Test func `a block is zero, with a vector of room past its end`() {
    for count in [0, 1, 15, 16, 17, 1000] {
      let block = Block(count: count)
      let room = (count + 15) / 16 * 16 + 16
      #expect(block.count == count && block.values.count == count)
      for i in 0..<room { #expect(block.pointer[i] == 0) }
    }
  }

  @Test func `a block gives back what was put in, whole or in part`() {
    let values = numbers(20, seed: 1)
    let block = Block(count: 20)
    block.set(Array(values[5...]), at: 5)
    block[0] = values[0]
    #expect(block.values == [values[0], 0, 0, 0, 0] + values[5...])
    #expect(block.values(4..<7) == [0, values[5], values[6]])
    #expect(block[19] == values[19])
    let other = Block(count: 20)
    other.copy(block)
    block[3] = 9
    #expect(other.values == [values[0], 0, 0, 0, 0] + values[5...])
  }

  @Test func `a range is filled with one value, and nothing else is touched`() {
    let block = Block([1, 2, 3, 4, 5])
    block.fill(9, 1..<3)
    block.fill(7, 5..<5)
    #expect(block.values == [1, 9, 9, 4, 5])
  }

  @Test func `the places of the smallest numbers come in the numbers' order, of equal ones the first`() {
    let numbers = Block(count: 5)
    let places = RowIndices(count: 3)
    for (i, number) in [3, -1, 2, -1, 5].enumerated() { numbers[i] = Float(number) }
    places.fillWithSmallest(of: numbers)
    let found = (0..<3).map { places[$0] }
    #expect(found == [1, 3, 2])
  }

  @Test func `an element that is not there traps`() async {
    await #expect(processExitsWith: .failure) { _ = Matrix(rows: 3, columns: 2)[2, 2] }
    await #expect(processExitsWith: .failure) { _ = Matrix(rows: 3, columns: 2)[3, 0] }
    await #expect(processExitsWith: .failure) { Block(count: 16)[16] = 1 }
    await #expect(processExitsWith: .failure) { RowIndices(count: 2)[2] = 1 }
    await #expect(processExitsWith: .failure) {
      Matrix(rows: 3, columns: 2).copyRow(0, to: Matrix(rows: 3, columns: 3), row: 0)
    }
    await #expect(processExitsWith: .failure) { Block(count: 16).set([1, 2], at: 15) }
    await #expect(processExitsWith: .failure) { Matrix(rows: 3, columns: 2).setRow(0, to: [1, 2, 3].span) }
  }
}
