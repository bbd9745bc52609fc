// NewPath.swift — a path that must not exist yet: what is written there appears whole, and never over anything.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package struct NewPath: Sendable {
  package let path: String
  private let folder: String

  package init(_ path: String) {
    self.path = path
    let slash = path.lastIndex(of: "/")
    folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  /// Throws when there is something already, or nothing can be made there: before long work, not after.
  package func check() throws(DiskError) {
    var status = stat()
    guard lstat(path, &status) != 0 else { throw DiskError(path: path, call: "open", code: EEXIST) }
    guard stat(folder, &status) == 0 else { throw DiskError(path: folder, call: "open", code: errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw DiskError(path: folder, call: "open", code: ENOTDIR) }
    guard access(folder, W_OK | X_OK) == 0 else { throw DiskError(path: folder, call: "open", code: errno) }
  }

  /// Has something written under another name beside it, one that nothing has, and then gives it its own.
  package func writeWhole(_ write: (_ partial: String) throws -> Void) throws {
    let partial = freeName()
    do {
      try write(partial)
      try publish(partial)
    } catch {
      remove(partial)
      throw error
    }
  }

  private func freeName() -> String {
    var status = stat()
    var number = 1
    while lstat("\(path).partial-\(getpid())-\(number)", &status) == 0 { number += 1 }
    return "\(path).partial-\(getpid())-\(number)"
  }

  /// Renames without replacing: what appeared there in the meantime stays.
  private func publish(_ partial: String) throws(DiskError) {
    var status = stat()
    guard lstat(partial, &status) == 0 else { throw DiskError(path: path, call: "rename", code: errno) }
    if status.st_mode & S_IFMT == S_IFDIR {
      // a folder replaces nothing but an empty folder
      _ = try retrying("rename", path) { Int(rename(partial, path)) }
      return
    }
    if link(partial, path) == 0 {
      unlink(partial)
      return
    }
    guard errno != EEXIST else { throw DiskError(path: path, call: "rename", code: EEXIST) }
    // a disk without links
    guard lstat(path, &status) != 0 else { throw DiskError(path: path, call: "rename", code: EEXIST) }
    _ = try retrying("rename", path) { Int(rename(partial, path)) }
  }

  /// Removes what this call made, with everything in it; of a link the link alone.
  private func remove(_ path: String) {
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, let folder = try? Folder(path) {
      for name in folder.names() { remove("\(path)/\(name)") }
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
