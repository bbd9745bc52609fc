import Kernels
import Testing

@Suite struct FrameStoreTests {
  @Test func `frames are zero until written, and a write changes its own values only`() {
    let store = FrameStore(count: 7, width: 5)
    #expect((0..<7).allSatisfy { store.values(of: $0..<$0 + 1) == [0, 0, 0, 0, 0] })
    store.write([1, 2, 3].span, at: 3, offset: 2)
    store[3, 0] = 9
    #expect(store.values(of: 3..<4) == [9, 0, 1, 2, 3] && store[3, 4] == 3)
    #expect([0, 1, 2, 4, 5, 6].allSatisfy { store.values(of: $0..<$0 + 1) == [0, 0, 0, 0, 0] })
  }

  @Test func `a part of a frame goes into a row of a matrix, across panels`() {
    let values = numbers(50, seed: 1)
    let store = FrameStore(count: 2, width: 50)
    store.write(values.span, at: 1, offset: 0)
    let matrix = Matrix(rows: 3, columns: 40)
    store.read(at: 1, offset: 7, into: matrix, row: 1)
    let zeros = [Float](repeating: 0, count: 40)
    #expect(matrix.values == zeros + values[7..<47] + zeros && matrix.isPaddingZero)
  }

  @Test func `one column of many frames is read in their order`() {
    let store = FrameStore(count: 9, width: 5)
    for row in 0..<9 { store.write(numbers(5, seed: row).span, at: row, offset: 0) }
    let rows = RowIndices(count: 40)
    for i in 0..<40 { rows[i] = i * 7 % 9 }
    let values = Block([Float](repeating: untouched, count: 41))
    store.read(column: 3, rows: rows, into: values)
    #expect(values.values == (0..<40).map { numbers(5, seed: $0 * 7 % 9)[3] } + [untouched])
  }

  @Test func `values past a frame's end trap instead of reaching the next frame`() async {
    await #expect(processExitsWith: .failure) { FrameStore(count: 7, width: 5).write([1, 2].span, at: 0, offset: 4) }
    await #expect(processExitsWith: .failure) {
      FrameStore(count: 7, width: 5).read(at: 0, offset: 3, into: Matrix(rows: 1, columns: 3), row: 0)
    }
    await #expect(processExitsWith: .failure) {
      FrameStore(count: 7, width: 5).read(at: 0, offset: 0, into: Matrix(rows: 1, columns: 3), row: 1)
    }
    await #expect(processExitsWith: .failure) { _ = FrameStore(count: 7, width: 5)[7, 0] }
    await #expect(processExitsWith: .failure) {
      let rows = RowIndices(count: 2)
      rows[1] = 7
      FrameStore(count: 7, width: 5).read(column: 0, rows: rows, into: Block(count: 2))
    }
  }
}
