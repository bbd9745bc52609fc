import Foundation
import Testing

@testable import Environments

@Suite struct ZigguratTablesTests {
  @Test func `all layers have the area that they should have, and heights are the density at their edges`() {
    for (limits, widths, heights, scale, tail, density) in [
      (
        ZigguratTables.normalLimits, ZigguratTables.normalWidths, ZigguratTables.normalHeights, 0x1p52,
        NumPyGenerator.normalTail, { exp(-0.5 * $0 * $0) } as (Double) -> Double
      ),
      (
        ZigguratTables.exponentialLimits, ZigguratTables.exponentialWidths, ZigguratTables.exponentialHeights, 0x1p53,
        NumPyGenerator.exponentialTail, { exp(-$0) }
      ),
    ] {
      let edges = widths.map { $0 * scale }
      // the base layer is as wide as a rectangle of its area and height would be
      let area = edges[0] * heights[255]
      #expect(abs(edges[255] - tail) < 1e-13)
      #expect(limits[1] == 0 && heights[0] == 1)
      for i in 1..<256 {
        let rectangle = edges[i] * (heights[i - 1] - heights[i])
        #expect(abs(rectangle / area - 1) < 1e-12, "layer \(i)")
        #expect(abs(heights[i] - density(edges[i])) < 1e-15, "layer \(i)")
      }
      for i in 2..<256 {
        #expect(abs(Double(limits[i]) / scale - edges[i - 1] / edges[i]) < 1e-13, "layer \(i)")
      }
      #expect(abs(Double(limits[0]) / scale - tail / edges[0]) < 1e-13)
    }
  }
}
