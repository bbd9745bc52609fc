// ChildProcess.swift — work that may crash, done in a copy of the process first.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package enum ChildProcess {
  package enum Outcome: Sendable, Equatable {
    /// It came to its end, or could not be tried.
    case ended
    case crashed(signal: Int32)
  }

  /// Does something in a copy of this process, and tells how that ended; nothing else of it is seen.
  ///
  /// The copy has one thread. So `body` may call C and allocate, but not wait for other threads.
  package static func outcome(of body: () -> Void) -> Outcome {
    // Swift hides the function because of those threads
    guard let symbol = dlsym(nil, "fork") else { return .ended }
    let fork = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
    let child = fork()
    if child == 0 {
      // a crash is the answer, and says nothing on the terminal
      for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP] { signal(number, SIG_DFL) }
      let nowhere = open("/dev/null", O_WRONLY)
      if nowhere >= 0 { dup2(nowhere, STDERR_FILENO) }
      body()
      _exit(0)
    }
    guard child > 0 else { return .ended }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return .ended } }
    let number = status & 0x7f
    return number == 0 ? .ended : .crashed(signal: number)
  }
}
