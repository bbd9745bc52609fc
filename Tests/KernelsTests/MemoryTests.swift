import Kernels
import Testing

@Suite struct MemoryTests {
  @Test func `the machine says how much memory is left`() throws {
    #if os(Linux)
      let available = try #require(Memory.available)
      #expect(available > 1_000_000)
    #endif
  }

  @Test func `what fits is not refused`() throws {
    try Memory.check(1000, for: "a small thing", hint: "nothing")
  }

  @Test func `what cannot fit is refused with both numbers and what to do`() throws {
    #if os(Linux)
      let error = #expect(throws: InsufficientMemory.self) {
        try Memory.check(.max, for: "a replay buffer of 9 transitions", hint: "--set bufferCapacity=N")
      }
      let text = try #require(error?.description)
      #expect(text.hasPrefix("a replay buffer of 9 transitions needs 9.2 EB, but only "))
      #expect(text.hasSuffix(" are available: make it smaller with --set bufferCapacity=N"))
      #expect(text.contains(/only [0-9.]+ [kMGT]?B are/))
    #endif
  }
}
