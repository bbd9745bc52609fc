import Kernels
import Testing

@Suite struct DropoutTests {
  private func factors(_ rate: Float, rows: Int, columns: Int, position: UInt64 = 0, chunks: [Range<Int>]? = nil)
    -> [Float]
  {
    var stream = RandomStream(seed: 7, purpose: "test", position: position)
    let draw = stream.dropout()
    let x = Matrix(repeating: 1, rows: rows, columns: columns)
    let factors = Matrix(rows: rows, columns: columns)
    for rows in chunks ?? [0..<rows] { dropoutForward(x, rate: rate, draw, first: 64, factors: factors, rows: rows) }
    let (values, kept) = (x.values, factors.values)
    let isPaddingZero = x.isPaddingZero && factors.isPaddingZero
    #expect(values == kept && isPaddingZero)
    return kept
  }

  @Test(arguments: [0.01, 0.1, 0.5] as [Float])
  func `the share that is dropped is the rate, and what is kept keeps the mean`(rate: Float) {
    let values = factors(rate, rows: 400, columns: 250)
    let dropped = values.count { $0 == 0 }
    // five standard deviations of 100,000 tosses
    let deviation = (Double(rate * (1 - rate)) * 100_000).squareRoot()
    #expect(abs(Double(dropped) - Double(rate) * 100_000) < 5 * deviation)
    #expect(values.allSatisfy { $0 == 0 || $0 == 1 / (1 - rate) })
  }

  @Test func `what is dropped does not depend on how rows are divided`() {
    let whole = factors(0.3, rows: 37, columns: 45)
    #expect(factors(0.3, rows: 37, columns: 45, chunks: [20..<37, 0..<7, 7..<20]) == whole)
    #expect(factors(0.3, rows: 37, columns: 45, position: 1) != whole)
  }

  @Test func `rows, columns and draws are dropped independently`() {
    let values = factors(0.5, rows: 64, columns: 64)
    func agreement(_ a: (Int) -> Int, _ b: (Int) -> Int) -> Int {
      (0..<64).count { (values[a($0)] == 0) == (values[b($0)] == 0) }
    }
    // 64 tosses agree 32 times, with a standard deviation of 4
    for other in [1, 15, 16, 17, 31, 32, 63] {
      #expect(abs(agreement({ $0 * 64 }, { $0 * 64 + other }) - 32) < 24, "columns 0 and \(other)")
      #expect(abs(agreement({ $0 }, { other * 64 + $0 }) - 32) < 24, "rows 0 and \(other)")
    }
  }
}
