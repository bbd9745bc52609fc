// ProcessReplacement.swift — another program in place of this one: same process, same terminal, same signals.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package enum ProcessReplacement {
  /// Goes on as another program. Returns only when that cannot be started.
  ///
  /// Signals reach the new program as they reach one that a shell starts, whatever this one made of them.
  ///
  /// - Parameter arguments: the program's absolute path, then what it is given.
  /// - Returns: why it did not start.
  package static func run(_ arguments: [String]) -> ProcessFault {
    var none = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, nil)
    for number in [SIGINT, SIGTERM, SIGPIPE, SIGQUIT] { signal(number, SIG_DFL) }
    let words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    execv(arguments[0], words)
    return ProcessFault(description: "\(arguments[0]) cannot be started: \(String(cString: strerror(errno)))")
  }
}
