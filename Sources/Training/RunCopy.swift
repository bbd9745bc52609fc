// RunCopy.swift — a copy of a run in a new folder, which goes on by itself and knows what it began as.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension RunDirectory {
  /// Copies a run that no process works on, at its newest checkpoint, with its logs. The run itself stays as it is.
  ///
  /// The copy appears whole or not at all. Its `run.json` names the run as its parent.
  ///
  /// - Parameter target: the new folder; it must not exist.
  /// - Throws: `RunDirectoryError` where the run has no checkpoint or is in use, or the folder cannot be made.
  public static func copy(_ path: String, to target: String) throws {
    let source = try open(path)
    try source.lock()
    let inspection = try RunInspection(source)
    guard let digest = inspection.digest else {
      throw RunDirectoryError("\(path) has no checkpoint yet: there is nothing to go on from")
    }
    var description = source.description
    description.parent = RunDescription.Parent(
      path: source.path, step: inspection.step, digest: digest, started: description.started)
    description.started = Date().formatted(.iso8601)
    let url = URL(fileURLWithPath: target)
    let names = source.folder.names().filter { isKept($0) && source.folder.mark($0)?.isRegular == true }
    let checkpoints = try source.folder.folder(CheckpointWriter.folder)
    let saved = checkpoints.names().filter { isKept($0) && checkpoints.mark($0)?.isRegular == true }
    let bytes = (names.compactMap { source.folder.mark($0)?.size } + saved.compactMap { checkpoints.mark($0)?.size })
      .reduce(0, +)
    try DiskSpace.check(
      Int(clamping: bytes), for: "a copy of \(path)", at: target, available: DiskSpace.available(at: url.path),
      hint: "remove old runs", remedies: [.runFolder])
    do {
      try Folder.makePath(url.deletingLastPathComponent().path)
      let place = NewPath(url.path)
      try place.check()
      try place.writeWhole { partial in
        let folder = try Folder.make(partial)
        let copies = try folder.makeFolder(CheckpointWriter.folder)
        for name in saved { try copy(name, from: checkpoints, to: copies) }
        for name in names { try copy(name, from: source.folder, to: folder) }
        try write(description, to: folder)
      }
      try Folder(url.deletingLastPathComponent().path).synchronize()
    } catch let error as DiskError where error.isTaken {
      throw RunDirectoryError("\(target) exists already: choose another folder", remedies: [.runFolder])
    } catch let error as DiskError {
      throw RunDirectoryError("\(target) cannot be written: \(error.reason)", remedies: [.runFolder])
    }
  }

  private static func copy(_ name: String, from source: Folder, to target: Folder) throws {
    let bytes = try source.contents(name).bytes
    try target.replace(name, with: bytes.span)
  }

  /// Not what belongs to a process: its lock, and files that it was about to rename.
  private static func isKept(_ name: String) -> Bool { name != "lock" && !name.hasSuffix(".new") }
}
