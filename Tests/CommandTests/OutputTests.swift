// OutputTests.swift — numbers as people read them.

import Testing

@testable import OffPolicyProgram

@Suite struct OutputTests {
  @Test(arguments: [
    (-0.001, 2, "0.00"), (-0.006, 2, "-0.01"), (0, 1, "0.0"), (-0.0, 1, "0.0"), (1234.56, 1, "1234.6"),
    (-2.5, 0, "-2"),
    (1e300, 1, "1e+300"), (-1e16, 1, "-1e+16"), (.nan, 1, "–"), (.infinity, 1, "∞"), (-.infinity, 1, "−∞"),
  ])
  func `a number has its digits, and no sign where nothing is left of it`(
    value: Double, digits: Int, text: String
  ) {
    #expect(value.text(digits) == text)
  }

  @Test func `a live line fits the terminal, its first parts before its last`() {
    let parts = ["1,000 of 20,000 steps (5.0 %)", "2:31:10 left", "120 steps/s", "return -1234.5"]
    #expect(Output.fit(parts, columns: nil) == parts.joined(separator: " · "))
    for columns in 1...120 {
      let line = Output.fit(parts, columns: columns)
      #expect(line.count < columns)
      #expect(parts.joined(separator: " · ").hasPrefix(line))
    }
    #expect(Output.fit(parts, columns: 50) == "1,000 of 20,000 steps (5.0 %) · 2:31:10 left")
  }
}
