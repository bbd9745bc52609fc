// StandardStreams.swift — standard input, output and error: always open, and failed output is an error.

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#else
  import Darwin
#endif

/// Standard input, output and error of the process.
public enum StandardStreams {
  /// Opens /dev/null in place of each of the three that is closed. Without it the next file that is opened would be standard
  /// error, and take the messages into itself.
  public static func reserve() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
      // the lowest free number, so that the three are filled in their order
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// Hands everything that was printed to the system.
  ///
  /// - Throws: `DiskError` when some of it was refused, now or before.
  public static func flushOutput() throws(DiskError) {
    errno = 0
    guard fflush(stdout) == 0, ferror(stdout) == 0 else {
      throw DiskError(path: "standard output", call: "write", code: errno == 0 ? EIO : errno)
    }
  }

  /// Standard error is a terminal on which a line can be written over: no dumb one, and no narrow one.
  ///
  /// - Parameter columns: the least that the line needs.
  public static func canRewriteLines(columns: Int, type: String?) -> Bool {
    guard isatty(STDERR_FILENO) == 1, let type, !type.isEmpty, type != "dumb" else { return false }
    // a terminal that does not say its width is as wide as most
    return errorColumns.map { $0 >= columns } ?? true
  }

  /// The width of the terminal that standard error is; nil where it is none, or does not say.
  public static var errorColumns: Int? {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
