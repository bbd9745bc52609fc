// Folder.swift — a folder that is held open: its files are reached through its descriptor, whatever its path comes to mean.
//
// A folder may be renamed, and another take its name, while a run trains. What is written through the descriptor stays in the
// folder that was opened.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An open folder. It is closed when nobody holds it any more.
@safe
package final class Folder: Sendable {
  let descriptor: Int32
  /// The path by which it was opened, for messages.
  package let path: String

  package init(_ path: String) throws(DiskError) {
    self.path = path
    descriptor = try opened(path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  }

  private init(in folder: Folder, _ name: String, _ flags: Int32) throws(DiskError) {
    let path = folder.path(name)
    self.path = path
    descriptor = try opened(path) { openat(folder.descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags) }
  }

  deinit { close(descriptor) }

  /// Makes a folder that must not exist, and opens it.
  ///
  /// - Throws: `DiskError` with `EEXIST` when there is something of that name, whoever made it and when.
  package static func make(_ path: String) throws(DiskError) -> Folder {
    _ = try retrying("mkdir", path) { Int(mkdir(path, 0o777)) }
    return try Folder(path)
  }

  /// Makes the folders of a path that are missing.
  package static func makePath(_ path: String) throws(DiskError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makePath(String(path[..<slash])) }
    do {
      _ = try retrying("mkdir", path) { Int(mkdir(path, 0o777)) }
    } catch  where error.code == EEXIST {
      // another process made it, or it is a file
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw DiskError(path: path, call: "mkdir", code: ENOTDIR)
      }
    }
  }

  /// The folder of that name in this one, to read from: a symbolic link is followed.
  package func folder(_ name: String) throws(DiskError) -> Folder { try Folder(in: self, name, 0) }

  /// The folder of that name in this one, to write into, made where it is missing. A symbolic link is refused.
  package func makeFolder(_ name: String) throws(DiskError) -> Folder {
    do {
      _ = try retrying("mkdir", path(name)) { Int(mkdirat(descriptor, name, 0o777)) }
      try synchronize()
    } catch  where error.code == EEXIST {}
    return try Folder(in: self, name, O_NOFOLLOW)
  }

  package func path(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

  // MARK: its place

  /// Whether its path still leads to it.
  package var isAtItsPath: Bool {
    var status = stat()
    guard stat(path, &status) == 0, let mark = FileMark(descriptor) else { return false }
    return mark.isSameFile(as: FileMark(status))
  }

  /// Where it is now; nil where it was removed, or the system does not say.
  package var currentPath: String? {
    if isAtItsPath { return path }
    #if canImport(Darwin)
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      guard fcntl(descriptor, F_GETPATH, &buffer) == 0 else { return nil }
      return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
      guard count > 0 else { return nil }
      let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return path.hasSuffix(" (deleted)") ? nil : path
    #endif
  }

  /// Locks the folder for this process until it is closed; false if another process holds it. True also where the system
  /// cannot lock folders.
  package func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

  // MARK: what is in it

  /// What tells the file of that name from others; nil where there is none. A symbolic link is itself.
  package func mark(_ name: String) -> FileMark? {
    var status = stat()
    return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? FileMark(status) : nil
  }

  /// Whether `other` is what has that name in this folder.
  package func holds(_ other: Folder, as name: String) -> Bool {
    guard let here = mark(name), let there = FileMark(other.descriptor) else { return false }
    return here.isSameFile(as: there)
  }

  /// The bytes of a regular file; a symbolic link to one is followed, since nothing is written.
  package func contents(_ name: String) throws(DiskError) -> (bytes: [UInt8], mark: FileMark) {
    let path = path(name)
    let file = try opened(path) { openat(descriptor, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    defer { close(file) }
    guard let mark = FileMark(file), mark.isRegular, let size = Int(exactly: mark.size) else {
      throw DiskError(path: path, call: "open", code: ENXIO)
    }
    return (try readAll(file, path, size, at: 0), mark)
  }

  /// The names of everything in it; none where it cannot be listed.
  package func names() -> [String] {
    let listed = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard listed >= 0 else { return [] }
    guard let stream = fdopendir(listed) else {
      close(listed)
      return []
    }
    defer { closedir(stream) }
    // an entry is as long as its name, not as the field that is declared for it: the field is not to be copied
    guard let place = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
    var names: [String] = []
    while let entry = readdir(stream) {
      // in bounds: the system ends every name with a 0 within its entry
      let name = String(cString: UnsafeRawPointer(entry).advanced(by: place).assumingMemoryBound(to: CChar.self))
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  // MARK: changing it

  package func rename(_ name: String, to other: String) throws(DiskError) {
    _ = try retrying("rename", path(name)) { Int(renameat(descriptor, name, descriptor, other)) }
  }

  package func remove(_ name: String) throws(DiskError) {
    _ = try retrying("unlink", path(name)) { Int(unlinkat(descriptor, name, 0)) }
  }

  /// Brings the names in it to the disk's surface.
  package func synchronize() throws(DiskError) {
    _ = try retrying("fsync", path) { Int(fsync(descriptor)) }
  }

  /// Writes a file beside `name`, to the disk's surface, reads it back, and only then gives it that name: whatever happens,
  /// `name` is the whole old file or the whole new one.
  ///
  /// - Parameters:
  ///   - keeping: the name that the old file gets; nil: it is replaced.
  ///   - temporary: the name to write under; nil: `name` with `.new`, where this process alone writes `name`.
  package func replace(
    _ name: String, with bytes: Span<UInt8>, keeping old: String? = nil, as temporary: String? = nil
  ) throws(DiskError) {
    let temporary = temporary ?? name + ".new"
    let file = try makeNew(temporary)
    do {
      try file.write(bytes, at: 0)
      try file.synchronize()
      try file.verify(bytes, at: 0)
      // its entry, and those of files that it speaks of, before the name is changed
      try synchronize()
      if let old {
        do { try rename(name, to: old) } catch  where error.code == ENOENT {}  // there is none yet
      }
      try rename(temporary, to: name)
    } catch {
      try? remove(temporary)
      throw error
    }
    try synchronize()
  }

  /// Makes an empty file; what a process that was killed left under its name is removed, and no link is followed.
  package func makeNew(_ name: String) throws(DiskError) -> DiskFile {
    do {
      return try DiskFile(in: self, name, .new)
    } catch  where error.code == EEXIST {
      do { try remove(name) } catch { throw DiskError(path: path(name), call: "open", code: error.code) }
      return try DiskFile(in: self, name, .new)
    }
  }
}
