import Platform
import Synchronization
import Testing

@Suite struct BackgroundWorkTests {
  @Test func `the work is done when the wait is over, and a second wait is none`() {
    let done = Mutex(0)
    for n in 1...100 {
      let work = BackgroundWork { done.withLock { $0 += 1 } }
      work.wait()
      work.wait()
      #expect(done.withLock { $0 } == n)
    }
  }
}
