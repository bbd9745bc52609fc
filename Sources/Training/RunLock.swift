// RunLock.swift — one process at a time writes a run.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Holds a run directory for this process. The system lets go of it when the process ends, however it ends, so there are
/// no stale locks.
final class RunLock {
  private let handle: FileHandle

  init(_ url: URL) throws {
    let path = url.appendingPathComponent("lock").path
    if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    guard let handle = FileHandle(forUpdatingAtPath: path) else {
      throw RunDirectoryError("\(path) cannot be opened for writing: the run is read-only")
    }
    guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
      let owner = (try? handle.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
      throw RunDirectoryError(
        "\(url.path) is in use by \(owner.isEmpty ? "another process" : "process \(owner)"): wait for it or stop it")
    }
    // whose it is, for others to read; a full disk is no reason not to go on
    try? handle.truncate(atOffset: 0)
    try? handle.write(contentsOf: Data("\(ProcessInfo.processInfo.processIdentifier)".utf8))
    self.handle = handle
  }

  deinit { try? handle.close() }
}
