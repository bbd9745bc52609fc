// ClampedArithmetic.swift — sums and products of numbers that a person chose: at the end of the range, never beyond it.

extension Int {
  /// The whole part of a number; the nearest `Int` where it is out of range, and 0 for NaN.
  package init(clampingWhole value: Double) {
    // 2⁶³ itself is no Int any more
    if value >= 0x1p63 {
      self = .max
    } else if value <= -0x1p63 {
      self = .min
    } else {
      self = value.isNaN ? 0 : Int(value.rounded(.towardZero))
    }
  }

  /// The sum, or the nearest `Int`.
  package func clampedSum(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }

  /// The product, or the nearest `Int`.
  package func clampedProduct(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
  }
}
