// StopRequest.swift — remembers the first signal that asked the process to stop.
//
// A plain handler: from the moment it is installed no signal is lost, which a queue of the system cannot say of itself.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The first signal that asked the process to stop.
public enum StopRequest {
  /// Asks for a stop at Ctrl-C, SIGTERM, SIGHUP unless it is ignored as `nohup` has it, and when a reader of the output goes
  /// away. A second Ctrl-C, SIGTERM or SIGHUP ends the process at once.
  ///
  /// - Parameter message: written to standard error at the first signal. It is kept for good.
  public static func listen(_ message: String) {
    let bytes = Array(message.utf8)
    let kept = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
    kept.initialize(from: bytes, count: bytes.count)
    state.count.store(bytes.count, ordering: .relaxed)
    state.message.store(UInt(bitPattern: kept), ordering: .releasing)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] {
      if number == SIGHUP && isIgnored(number) { continue }
      var action = sigaction()
      #if canImport(Darwin)
        action.__sigaction_u = .init(__sa_handler: { received($0) })
      #elseif canImport(Musl)
        action.__sa_handler = .init(sa_handler: { received($0) })
      #else
        action.__sigaction_handler = .init(sa_handler: { received($0) })
      #endif
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
      unblock(number)
    }
  }

  /// A program that starts this one from a thread which blocks signals hands that down.
  private static func unblock(_ number: Int32) {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, number)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// The number of the first signal; 0: none.
  public static var number: Int32 { state.first.load(ordering: .relaxed) }

  /// Ctrl-\\ ends the process at once, without a report of where it was, and the last checkpoint stays.
  public static func endAtQuit() {
    signal(SIGQUIT, SIG_DFL)
    unblock(SIGQUIT)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
      return unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self) == 1
    #elseif canImport(Musl)
      return unsafeBitCast(action.__sa_handler.sa_handler, to: Int.self) == 1
    #else
      return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    #endif
  }
}

private final class State: Sendable {
  let first = Atomic<Int32>(0)
  let message = Atomic<UInt>(0)
  let count = Atomic<Int>(0)
}

private let state = State()

/// The handler. It may interrupt anything: it touches atomics and calls `write` and `raise`, and nothing else.
private func received(_ number: Int32) {
  let saved = errno
  let (isFirst, _) = state.first.compareExchange(expected: 0, desired: number, ordering: .relaxed)
  if number == SIGPIPE {
    // a message would meet the same closed pipe
  } else if isFirst {
    if let message = UnsafeRawPointer(bitPattern: state.message.load(ordering: .acquiring)) {
      _ = write(STDERR_FILENO, message, state.count.load(ordering: .relaxed))
    }
  } else {
    signal(number, SIG_DFL)
    raise(number)
  }
  errno = saved
}
