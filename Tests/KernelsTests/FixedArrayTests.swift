import Kernels
import Testing

@Suite struct FixedArrayTests {
  /// Something that cannot be copied and tells when it goes.
  private struct Token: ~Copyable {
    let number: Int
    let gone: Gone
    deinit { gone.numbers.append(number) }
  }

  private final class Gone {
    var numbers: [Int] = []
  }

  @Test func `each element is made once, stays in place and goes once`() {
    let gone = Gone()
    do {
      let tokens = FixedArray(count: 5) { Token(number: $0, gone: gone) }
      #expect(tokens.count == 5)
      for i in 0..<5 { #expect(tokens[i].number == i) }
      #expect(gone.numbers.isEmpty)
    }
    #expect(gone.numbers.sorted() == [0, 1, 2, 3, 4])
  }

  @Test func `an array may be empty`() {
    let none = FixedArray(count: 0) { Block(count: $0) }
    #expect(none.count == 0)
  }

  @Test func `an element that is not there traps`() async {
    await #expect(processExitsWith: .failure) { _ = FixedArray(count: 2) { $0 }[2] }
    await #expect(processExitsWith: .failure) { _ = FixedArray(count: 2) { $0 }[-1] }
  }
}
