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
  /// The copy has one thread. In a process with several a lock might be held that nobody lets go of in the copy: there
  /// nothing is tried.
  ///
  /// - Parameter evenWithThreads: `body` waits for no lock.
  package static func outcome(evenWithThreads: Bool = false, of body: () -> Void) -> Outcome {
    guard evenWithThreads || threadCount == 1 else { return .ended }
    // Swift hides the function because of those threads
    guard let symbol = dlsym(nil, "fork") else { return .ended }
    let fork = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
    let child = fork()
    if child == 0 {
      // a crash is the answer, and says nothing on the terminal
      for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP] { signal(number, SIG_DFL) }
      // whatever it waits for, it does not wait for ever
      signal(SIGALRM, SIG_DFL)
      alarm(patience)
      let nowhere = open("/dev/null", O_WRONLY)
      if nowhere >= 0 { dup2(nowhere, STDERR_FILENO) }
      body()
      _exit(0)
    }
    guard child > 0 else { return .ended }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return .ended } }
    let number = status & 0x7f
    return number == 0 || number == SIGALRM ? .ended : .crashed(signal: number)
  }

  /// Seconds.
  private static let patience: UInt32 = 60

  /// Threads of this process; 1 where the system does not say.
  private static var threadCount: Int {
    guard let folder = opendir("/proc/self/task") else { return 1 }
    defer { closedir(folder) }
    var count = 0
    // beside . and ..
    while readdir(folder) != nil { count += 1 }
    return max(1, count - 2)
  }
}
