import Foundation
import Testing

@testable import Export

@Suite struct ExportTextTests {
  @Test(arguments: [[], [1], [1, -2.5], [0.1, 1e-30, -1e30], Array(repeating: Float.pi, count: 40)] as [[Float]])
  func `numbers come back from base64 with the same bits`(values: [Float]) throws {
    let text = base64Lines(values)
    #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 76 })
    let data = try #require(Data(base64Encoded: text.filter { $0 != "\n" }))
    let words = data.count / 4
    #expect(words == values.count && data.count % 4 == 0)
    for (i, value) in values.enumerated() {
      let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[4 * i + $1]) << UInt32(8 * $1) }
      #expect(word == value.bitPattern)
    }
  }

  @Test func `text is made harmless in every language`() {
    #expect(plain("HalfCheetah-v5") == "HalfCheetah-v5" && plain("space/Cart-v0") == "space/Cart-v0")
    #expect(plain("*/ \"\"\" \\(x) \n é ²") == "_/ ___ __x_ _ _ _")
    #expect(plain(String(repeating: "a", count: 200)).count == 80)
    #expect(counted(1, "value") == "1 value" && counted(0, "value") == "0 values")
  }
}
