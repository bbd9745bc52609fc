// FileMark.swift — tells whether a path still names the same file, unchanged.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Which file it is, its length and when it was last written to. Equal marks: the same file, not written to since.
package struct FileMark: Sendable, Equatable {
  private let device: UInt64
  private let number: UInt64
  /// Bytes.
  package let size: UInt64
  private let seconds: Int
  private let nanoseconds: Int
  package let isRegular: Bool

  /// When it was last written to, in seconds since 1970.
  package var written: Double { Double(seconds) + 1e-9 * Double(nanoseconds) }

  /// The same file, whatever was done to it.
  package func isSameFile(as other: FileMark) -> Bool { device == other.device && number == other.number }

  /// Of an open file; nil where the system refuses.
  init?(_ descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  init(_ status: stat) {
    (device, number, size) = (
      UInt64(truncatingIfNeeded: status.st_dev), UInt64(truncatingIfNeeded: status.st_ino),
      UInt64(truncatingIfNeeded: status.st_size)
    )
    isRegular = status.st_mode & S_IFMT == S_IFREG
    #if canImport(Darwin)
      (seconds, nanoseconds) = (status.st_mtimespec.tv_sec, status.st_mtimespec.tv_nsec)
    #else
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    #endif
  }
}
