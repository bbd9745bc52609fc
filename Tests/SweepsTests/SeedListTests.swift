import Testing

@testable import Sweeps

@Suite struct SeedListTests {
  @Test(
    arguments: [
      ("0..3", [0, 1, 2, 3]), ("0...3", [0, 1, 2, 3]), ("0-3", [0, 1, 2, 3]), ("7", [7]),
      ("1,4,7..9", [1, 4, 7, 8, 9]),
      ("3, 1", [3, 1]),
    ] as [(String, [UInt64])])
  func `seeds are read as people write them`(text: String, seeds: [UInt64]) throws {
    #expect(try SeedList.read(text) == seeds)
  }

  @Test(arguments: [
    "", "a", "3..1", "1,,2", "-1", "1..", "0..18446744073709551615", "1,1", "0..3,2", "0..20000", "1.5",
  ])
  func `what is no list of seeds is refused in one line that names it`(text: String) throws {
    let error = try #require(throws: SweepError.self) { try SeedList.read(text) }
    #expect(!error.description.contains("\n") && error.description.contains("seed"))
  }
}
