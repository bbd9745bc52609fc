// DiskFile.swift — durable files: every system call is checked, and a rename survives a power loss.
//
// A call that a signal interrupted is made again, a short write goes on where it stopped, and everything else is an error
// that says which call on which file the system refused. What a sync has refused is never taken for written.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A system call on a file that failed.
public struct DiskError: Error, Equatable, CustomStringConvertible {
  public let path: String
  /// The call: `write`, `fsync`, …
  public let call: String
  /// The system's number for the reason: `ENOSPC`, …
  public let code: Int32

  /// What it means, in a few words and what to do.
  public var reason: String {
    switch code {
    case ENOSPC: "the disk is full; free some space"
    case EDQUOT: "the disk quota is used up; free some space"
    case EROFS: "the disk is read-only; choose another folder"
    case EACCES, EPERM: "permission denied; check its owner and mode"
    case ENOENT: "no such file or folder; check the path"
    case EIO: "the disk gave an input/output error; check the disk"
    case EINTR: "a signal interrupted each of many attempts; try again"
    default: String(cString: strerror(code))
    }
  }

  public var description: String { "\(path): \(call) failed: \(reason)" }
}

/// An open file. It is closed when nobody holds it any more.
@safe
package final class DiskFile: Sendable {
  private let descriptor: Int32
  package let path: String

  /// Opens a file for reading and writing, and makes it where it is missing.
  package init(_ path: String) throws(DiskError) {
    self.path = path
    descriptor = Int32(try retrying("open", path) { Int(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)) })
  }

  deinit { close(descriptor) }

  /// Its length in bytes.
  package func size() throws(DiskError) -> UInt64 {
    UInt64(try retrying("lseek", path) { Int(lseek(descriptor, 0, SEEK_END)) })
  }

  /// Cuts the file off, or fills it with zeros, to a length in bytes.
  package func truncate(to size: UInt64) throws(DiskError) {
    _ = try retrying("ftruncate", path) { Int(ftruncate(descriptor, off_t(size))) }
  }

  /// Writes all of `bytes` from `offset` on.
  package func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(DiskError) {
    var done = 0
    while done < bytes.count {
      let rest = bytes.extracting(done..<bytes.count)
      let count = try retrying("write", path) {
        rest.withUnsafeBufferPointer { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset) + off_t(done)) }
      }
      guard count > 0 else { throw DiskError(path: path, call: "write", code: ENOSPC) }
      done += count
    }
  }

  /// Reads `bytes.count` bytes from `offset` on and compares.
  ///
  /// - Throws: `DiskError` when the file does not hold `bytes` there.
  package func verify(_ bytes: Span<UInt8>, at offset: UInt64) throws(DiskError) {
    let block = 1 << 16
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: block, alignment: 16)
    defer { buffer.deallocate() }
    var done = 0
    while done < bytes.count {
      let wanted = min(block, bytes.count - done)
      let count = try retrying("read", path) { pread(descriptor, buffer, wanted, off_t(offset) + off_t(done)) }
      let isSame =
        count > 0
        && bytes.extracting(done..<done + count).withUnsafeBufferPointer { expected in
          expected.baseAddress.map { memcmp($0, buffer, count) == 0 } ?? false
        }
      guard isSame else { throw DiskError(path: path, call: "reading back what was written", code: EIO) }
      done += count
    }
  }

  /// Brings everything that was written to the disk's surface.
  package func synchronize() throws(DiskError) {
    _ = try retrying("fsync", path) { Int(fsync(descriptor)) }
  }

  /// Locks the file for this process until it is closed; false if somebody else holds the lock.
  package func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  // MARK: files by name

  /// Writes a file beside `path`, to the disk's surface, reads it back, and only then gives it the name `path`: whatever
  /// happens, `path` is the whole old file or the whole new one.
  ///
  /// - Parameter keeping: where the old file goes; nil: it is replaced.
  package static func replace(
    _ path: String, with bytes: Span<UInt8>, keeping old: String? = nil
  ) throws(DiskError) {
    let temporary = path + ".new"
    do {
      let file = try DiskFile(temporary)
      try file.truncate(to: 0)
      try file.write(bytes, at: 0)
      try file.synchronize()
      try file.verify(bytes, at: 0)
      // its entry, and those of files that it speaks of, before the name is changed
      try synchronizeFolder(of: path)
      if let old {
        do { try rename(path, to: old) } catch  where error.code == ENOENT {}  // there is none yet
      }
      try rename(temporary, to: path)
    } catch {
      unlink(temporary)
      throw error
    }
    try synchronizeFolder(of: path)
  }

  package static func rename(_ path: String, to other: String) throws(DiskError) {
    #if canImport(Glibc)
      _ = try retrying("rename", path) { Int(Glibc.rename(path, other)) }
    #elseif canImport(Musl)
      _ = try retrying("rename", path) { Int(Musl.rename(path, other)) }
    #else
      _ = try retrying("rename", path) { Int(Darwin.rename(path, other)) }
    #endif
  }

  /// Makes a folder where it is missing; the one that it is in must be there.
  package static func makeFolder(_ path: String) throws(DiskError) {
    do {
      _ = try retrying("mkdir", path) { Int(mkdir(path, 0o777)) }
    } catch  where error.code == EEXIST {
      return
    }
    try synchronizeFolder(of: path)
  }

  /// Brings names to the disk's surface: those in the folder that `path` is in.
  package static func synchronizeFolder(of path: String) throws(DiskError) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = Int32(try retrying("open", folder) { Int(open(folder, O_RDONLY | O_CLOEXEC)) })
    defer { close(descriptor) }
    _ = try retrying("fsync", folder) { Int(fsync(descriptor)) }
  }
}

/// Makes a system call, again where a signal interrupted it, at most a hundred times.
private func retrying(_ call: String, _ path: String, _ body: () -> Int) throws(DiskError) -> Int {
  for _ in 0..<100 {
    let result = body()
    if result >= 0 { return result }
    guard errno == EINTR else { break }
  }
  throw DiskError(path: path, call: call, code: errno)
}
