// DiskFile.swift — a file whose every system call is checked; Folder.swift gives files their names.
//
// A call that a signal interrupted is made again, a short write goes on where it stopped, and everything else is an error
// that says which call on which file the system refused. What a sync has refused is never taken for written.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A system call on a file that failed.
public struct DiskError: Error, Equatable, CustomStringConvertible {
  /// The file.
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
    case ELOOP: "it is a symbolic link; remove the link"
    case ENOTDIR: "a part of the path is a file; choose another path"
    case ENXIO: "it is no regular file; remove it"
    case EEXIST, ENOTEMPTY: "something of that name is there already; choose another path"
    case ENAMETOOLONG: "its name is too long; choose a shorter one"
    case ENOMEM: "it is larger than the memory that is free"
    default: String(cString: strerror(code))
    }
  }

  /// The file, the call and the reason, in one line.
  public var description: String { "\(path): \(call) failed: \(reason)" }

  /// The disk itself failed, and may do so no longer; anything else was done to the file from outside.
  package var isOfDisk: Bool { [ENOSPC, EDQUOT, EIO, EROFS, EINTR].contains(code) && call != Self.readingBack }

  /// There is no file of that name.
  package var isMissing: Bool { code == ENOENT }
  /// A part of the path is a file.
  package var isNoFolder: Bool { code == ENOTDIR }
  /// There is something of that name already.
  package var isTaken: Bool { code == EEXIST }

  static let readingBack = "reading back what was written"
}

/// An open file. It is closed when nobody holds it any more.
@safe
package final class DiskFile: Sendable {
  private let descriptor: Int32
  package let path: String

  /// Opens a file for reading and writing, and makes it where it is missing.
  package init(_ path: String) throws(DiskError) {
    self.path = path
    descriptor = try opened(path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
  }

  /// Whether a file is made.
  package enum Opening: Sendable {
    case existing
    /// It must not be there yet.
    case new
    case existingOrNew
  }

  /// Opens a regular file in a folder for reading and writing. A symbolic link is refused: what it points to is not the folder's.
  package init(in folder: Folder, _ name: String, _ opening: Opening) throws(DiskError) {
    path = folder.path(name)
    let making =
      switch opening {
      case .existing: 0 as Int32
      case .new: O_CREAT | O_EXCL
      case .existingOrNew: O_CREAT
      }
    descriptor = try opened(path) {
      openat(folder.descriptor, name, O_RDWR | making | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o644)
    }
    guard let mark = FileMark(descriptor), mark.isRegular else {
      throw DiskError(path: path, call: "open", code: ENXIO)
    }
  }

  deinit { close(descriptor) }

  /// What tells it from other files, and from itself after a change.
  package var mark: FileMark? { FileMark(descriptor) }

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
      guard isSame else { throw DiskError(path: path, call: DiskError.readingBack, code: EIO) }
      done += count
    }
  }

  /// Reads at most `count` bytes from `offset` on; fewer where the file ends.
  package func read(_ count: Int, at offset: UInt64) throws(DiskError) -> [UInt8] {
    try readAll(descriptor, path, count, at: offset)
  }

  /// Brings everything that was written to the disk's surface.
  package func synchronize() throws(DiskError) {
    _ = try retrying("fsync", path) { Int(fsync(descriptor)) }
  }

  /// Locks the file for this process until it is closed; false if somebody else holds the lock.
  package func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  // MARK: files by path

  /// Writes a file beside `path`, to the disk's surface, reads it back, and only then gives it the name `path`: whatever
  /// happens, `path` is the whole old file or the whole new one.
  ///
  /// Others may write the same file at the same moment: then it is one of them whole, since each writes beside it under a name of
  /// its own.
  ///
  /// - Parameter keeping: where in the same folder the old file goes; nil: it is replaced.
  package static func replace(
    _ path: String, with bytes: Span<UInt8>, keeping old: String? = nil
  ) throws(DiskError) {
    func split(_ path: String) -> (folder: String, name: String) {
      guard let slash = path.lastIndex(of: "/") else { return (".", path) }
      return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
    let number = replacements.add(1, ordering: .relaxed).newValue
    try Folder(split(path).folder).replace(
      split(path).name, with: bytes, keeping: old.map { split($0).name }, as: ".offpolicy-\(getpid())-\(number).new")
  }

  /// How many files this process has replaced.
  private static let replacements = Atomic<Int>(0)
}

/// Opens a file, but never as standard input, output or error, should those be closed: messages would land in it.
func opened(_ path: String, _ body: () -> Int32) throws(DiskError) -> Int32 {
  let descriptor = Int32(try retrying("open", path) { Int(body()) })
  guard descriptor <= STDERR_FILENO else { return descriptor }
  defer { close(descriptor) }
  return Int32(try retrying("open", path) { Int(fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) })
}

/// Reads at most `count` bytes of an open file; fewer where it ends.
func readAll(_ descriptor: Int32, _ path: String, _ count: Int, at offset: UInt64) throws(DiskError) -> [UInt8] {
  // a file with holes may have any size
  if count > 1 << 26, let free = Memory.available, count > free {
    throw DiskError(path: path, call: "read", code: ENOMEM)
  }
  var bytes = [UInt8](repeating: 0, count: count)
  var done = 0
  while done < count {
    let taken = try retrying("read", path) {
      bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress?.advanced(by: done), count - done, off_t(offset) + off_t(done))
      }
    }
    guard taken > 0 else { break }
    done += taken
  }
  return done == count ? bytes : Array(bytes[..<done])
}

/// Makes a system call, again where a signal interrupted it, at most a hundred times.
func retrying(_ call: String, _ path: String, _ body: () -> Int) throws(DiskError) -> Int {
  for _ in 0..<100 {
    let result = body()
    if result >= 0 { return result }
    guard errno == EINTR else { break }
  }
  throw DiskError(path: path, call: call, code: errno)
}
