// BackgroundWork.swift — one piece of work on a thread of its own, or at once where the system has no thread left.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Work that begins when it is made. Somebody must wait for it.
///
/// A queue of the system would wait for a free thread, for ever where a limit allows none.
@safe
package final class BackgroundWork: Sendable {
  /// Nil where the work is done.
  private let thread = Mutex<pthread_t?>(nil)

  package init(_ body: @escaping @Sendable () -> Void) {
    let context = Unmanaged.passRetained(Body(body)).toOpaque()
    #if canImport(Darwin)
      var made: pthread_t?
      let status = pthread_create(&made, nil, { runBody($0) }, context)
    #else
      var made = pthread_t()
      let status = pthread_create(&made, nil, { $0.flatMap { runBody($0) } }, context)
    #endif
    if status == 0 {
      let handle = made
      thread.withLock { $0 = handle }
    } else {
      _ = runBody(context)
    }
  }

  deinit { wait() }

  /// Returns when the work is done.
  package func wait() {
    thread.withLock { thread in
      if let running = thread { pthread_join(running, nil) }
      thread = nil
    }
  }
}

private final class Body: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runBody(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
  return nil
}
