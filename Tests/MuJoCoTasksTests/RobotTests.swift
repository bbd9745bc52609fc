// RobotTests.swift — the sums and sizes that several tasks use.

import Environments
import Testing

@testable import MuJoCoTasks

@Suite struct RobotTests {
  @Test func `the squared norm is summed as NumPy sums in single precision`() {
    // np.sum(np.square(a)) of float32, numpy 2.4.6: 1e8 swallows what is added to it, in the order it is added
    let few: [Float] = [10000, 1, 2, 2]
    #expect(squaredNorm(few.span) == 1e8)
    let eight: [Float] = [10000, 1, 2, 2, 2, 2, 2, 2]
    #expect(squaredNorm(eight.span) == 100_000_024)
    let ten: [Float] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    #expect(squaredNorm(ten.span) == 3.85)
    #expect(squaredNorm([Float]().span) == 0)
  }

  @Test func `a length is Euclid's`() {
    #expect(length(SIMD3(2, -3, 6)) == 7)
  }
}
