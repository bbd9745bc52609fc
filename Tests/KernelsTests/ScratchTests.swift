import Platform
import Testing

@testable import Kernels

@Suite struct ScratchTests {
  @Test func `a thread has the same bytes again, and others where it asks for more`() {
    // a thread of its own, which no other test asks on
    let pool = WorkerPool(count: 2)
    pool.forEachWorker { worker in
      guard worker == 1 else { return }
      let first = Scratch.bytes(1000)
      #expect(Int(bitPattern: first) % 64 == 0)
      first.initializeMemory(as: UInt8.self, repeating: 7, count: 1000)
      #expect(Scratch.bytes(10) == first && Scratch.bytes(1000) == first)
      let larger = Scratch.bytes(1_000_000)
      larger.initializeMemory(as: UInt8.self, repeating: 7, count: 1_000_000)
      #expect(Int(bitPattern: larger) % 64 == 0)
      #expect(Scratch.bytes(1000) == larger)
    }
  }

  @Test func `threads do not share their bytes`() {
    var found = [UnsafeMutableRawPointer?](repeating: nil, count: 3)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let found = found
      WorkerPool(count: 3).forEachWorker { found[$0] = Scratch.bytes(100) }
    }
    #expect(Set(found).count == 3 && !found.contains(nil))
  }
}
