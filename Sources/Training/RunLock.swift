// RunLock.swift — one process at a time writes a run.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Holds a run directory for this process. The system lets go of it when the process ends, however it ends, so there are
/// no stale locks.
final class RunLock {
  private let file: DiskFile

  init(_ url: URL) throws {
    let path = url.appendingPathComponent("lock").path
    guard let file = try? DiskFile(path) else {
      throw RunDirectoryError("\(path) cannot be opened for writing: the run is read-only")
    }
    guard file.lock() else {
      let owner = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
      throw RunDirectoryError(
        "\(url.path) is in use by \(owner.isEmpty ? "another process" : "process \(owner)"): wait for it or stop it")
    }
    // whose it is, for others to read; a full disk is no reason not to go on
    try? file.truncate(to: 0)
    try? file.write(Data("\(ProcessInfo.processInfo.processIdentifier)".utf8).span, at: 0)
    self.file = file
  }
}
