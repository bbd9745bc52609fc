import Testing

@testable import Platform

@Suite struct LoopbackListenerTests {
  @Test func `a free port is found, and two listeners have two`() throws {
    let (first, second) = (try LoopbackListener(port: 0), try LoopbackListener(port: 0))
    #expect(first.port > 0 && second.port > 0 && first.port != second.port)
  }

  @Test func `a port that is listened on is refused, and free again afterwards`() throws {
    var port: UInt16 = 0
    do {
      let listener = try LoopbackListener(port: 0)
      port = listener.port
      let error = #expect(throws: LoopbackError.self) { try LoopbackListener(port: port) }
      #expect(error?.isTaken == true && error?.reason == "another program has it")
      _ = listener.port
    }
    #expect(try LoopbackListener(port: port).port == port)
  }

  @Test func `without a visitor nothing waits longer than it was told`() throws {
    let listener = try LoopbackListener(port: 0)
    let start = ContinuousClock.now
    listener.wait(reading: [], writing: [], milliseconds: 20)
    #expect(listener.accept() == nil)
    #expect(ContinuousClock.now - start < .seconds(2))
  }
}
