// DiskSpace.swift — free disk space, checked before a run begins.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// There is not enough room on a disk for what a run will write.
public struct InsufficientDisk: Error, RemediableError, CustomStringConvertible {
  /// The disk, what is needed and what is free, and what to do, in one line.
  public let description: String
  package let remedies: [Remedy]
}

/// Free space on disks, asked before a run writes.
public enum DiskSpace {
  /// Throws when `bytes` do not fit on the disk of `path`, which need not exist yet.
  ///
  /// - Parameter available: bytes that the disk has left; nil where the system does not say.
  public static func check(_ bytes: Int, for purpose: String, at path: String, available: Int?, hint: String) throws {
    try check(bytes, for: purpose, at: path, available: available, hint: hint, remedies: [])
  }

  package static func check(
    _ bytes: Int, for purpose: String, at path: String, available: Int?, hint: String, remedies: [Remedy]
  ) throws {
    guard let available, bytes > available else { return }
    throw InsufficientDisk(
      description: "\(purpose) needs up to \(Memory.text(bytes)) on the disk of \(path), which has "
        + "\(Memory.text(available)) left: free some space, choose another folder, or \(hint)",
      remedies: remedies)
  }

  /// Bytes that an ordinary user may still write to the disk of `path`, or of the nearest folder above it that exists.
  public static func available(at path: String) -> Int? {
    var folder = path
    while true {
      var status = statvfs()
      if statvfs(folder.isEmpty ? "." : folder, &status) == 0 {
        return Int(
          clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
      }
      guard errno == ENOENT, folder != "/", !folder.isEmpty else { return nil }
      folder = folder.lastIndex(of: "/").map { $0 == folder.startIndex ? "/" : String(folder[..<$0]) } ?? ""
    }
  }
}
