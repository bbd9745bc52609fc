import OffPolicy
import Testing

@testable import Export

@Suite struct SB3SpaceTests {
  @Test func `a box says its bounds, its shape and its type, and so does its pickle`() throws {
    let space = SB3Space(Box(low: [-1.5, -.infinity], high: [0.5, .infinity]), isDouble: true)
    let entry = space.entry
    #expect(entry["low"]?.text() == "\"[-1.5 -inf]\"" && entry["high"]?.text() == "\"[0.5 inf]\"")
    #expect(entry["_shape"]?.text() == "[2]" && entry["dtype"]?.text() == "\"float64\"" && space.count == 2)
    #expect(SB3Space.unbounded(count: 3).entry["dtype"]?.text() == "\"float32\"")
    #expect(SB3Space.unbounded(count: 3).count == 3)
  }

  @Test func `choices are counted from 0`() {
    let entry = SB3Space.discrete(4).entry
    #expect(entry["n"]?.text() == "\"4\"" && entry["start"]?.text() == "\"0\"" && SB3Space.discrete(4).count == 1)
  }
}
