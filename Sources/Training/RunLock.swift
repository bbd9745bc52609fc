// RunLock.swift — one process at a time writes a run.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Holds a run directory for this process. The system lets go of it when the process ends, however it ends, so there are
/// no stale locks.
///
/// The folder itself is locked, so that removing the file `lock` lets nobody in. The file says whose the run is, and keeps
/// out version 0.1.0, which locks nothing else.
final class RunLock {
  private let folder: Folder
  private let file: DiskFile

  init(_ folder: Folder) throws {
    let name = "lock"
    let file: DiskFile
    do { file = try DiskFile(in: folder, name, .existingOrNew) } catch {
      throw RunDirectoryError("\(error.path) cannot be opened for writing: \(error.reason)")
    }
    guard folder.lock(), file.lock() else {
      let owner = (try? folder.contents(name)).map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
      throw RunDirectoryError(
        "\(folder.path) is in use by \(owner.isEmpty ? "another process" : "process \(owner)"): wait for it or stop it")
    }
    // whose it is, for others to read; a full disk is no reason not to go on
    try? file.truncate(to: 0)
    try? file.write(Data("\(ProcessInfo.processInfo.processIdentifier)".utf8).span, at: 0)
    (self.folder, self.file) = (folder, file)
  }
}
