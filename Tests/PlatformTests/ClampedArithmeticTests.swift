import Platform
import Testing

@Suite struct ClampedArithmeticTests {
  @Test(arguments: [
    (0.9, 0), (-0.9, 0), (12.0, 12), (0x1p62, 1 << 62), (0x1p63, Int.max), (1e300, .max), (-0x1p63, .min),
    (-1e300, .min),
    (.infinity, .max), (-.infinity, .min), (.nan, 0),
  ])
  func `the whole part of any number is an Int`(value: Double, expected: Int) {
    #expect(Int(clampingWhole: value) == expected)
  }

  @Test func `sums and products stay at the end of the range`() {
    #expect(2.clampedSum(3) == 5 && 2.clampedProduct(-3) == -6)
    #expect(Int.max.clampedSum(1) == .max && Int.min.clampedSum(-1) == .min && Int.max.clampedSum(.min) == -1)
    #expect(
      Int.max.clampedProduct(2) == .max && Int.max.clampedProduct(-2) == .min && Int.min.clampedProduct(-1) == .max)
  }
}
