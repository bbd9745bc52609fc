import Kernels
import Testing

@Suite struct AllocationCountTests {
  // other tests may allocate at the same time, so no more than a lower bound
  @Test func `each block and matrix is counted`() {
    let before = AllocationCount.end()
    let blocks = FixedArray(count: 100) { _ in Block(count: 8) }
    let matrix = Matrix(rows: 2, columns: 2)
    #expect(AllocationCount.end() - before >= 101)
    #expect(blocks.count + matrix.rows == 102)
  }
}
