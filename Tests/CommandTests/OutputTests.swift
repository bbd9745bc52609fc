// OutputTests.swift — numbers as people read them.

import Testing

@testable import OffPolicyProgram

@Suite struct OutputTests {
  @Test(arguments: [
    (-0.001, 2, "0.00"), (-0.006, 2, "-0.01"), (0, 1, "0.0"), (-0.0, 1, "0.0"), (1234.56, 1, "1234.6"),
    (-2.5, 0, "-2"),
    (.nan, 1, "–"), (.infinity, 1, "∞"), (-.infinity, 1, "−∞"),
  ])
  func `a number has its digits, and no sign where nothing is left of it`(
    value: Double, digits: Int, text: String
  ) {
    #expect(value.text(digits) == text)
  }
}
