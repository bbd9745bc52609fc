// CSVLog.swift — a table on disk that grows by a row at a time and can be cut back to a checkpoint.

import Foundation

/// Its file is opened at the first use: who only reads a run writes nothing.
final class CSVLog {
  let name: String
  private let url: URL
  private let header: String
  private var handle: FileHandle?
  /// Bytes that are whole rows in the file.
  private var size: UInt64 = 0
  /// Rows that could not be written yet: a full disk loses none.
  private var pending = Data()

  init(_ url: URL, header: String) {
    (name, self.url, self.header) = (url.lastPathComponent, url, header)
  }

  deinit { try? handle?.close() }

  /// Opens the file, a new one with its header.
  @discardableResult
  func open() throws -> FileHandle {
    if let handle { return handle }
    if !FileManager.default.fileExists(atPath: url.path) { try Data((header + "\n").utf8).write(to: url) }
    let handle = try FileHandle(forUpdating: url)
    size = try handle.seekToEnd()
    self.handle = handle
    return handle
  }

  /// The rows of a table, its header first, each as its columns.
  static func rows(of data: Data) -> [[String]] {
    String(decoding: data, as: UTF8.self).split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  /// Adds a row. What cannot be written now is kept for later.
  func append(_ values: [String]) {
    pending.append(contentsOf: (values.joined(separator: ",") + "\n").utf8)
    try? flush()
  }

  private func flush() throws {
    guard !pending.isEmpty else { return }
    let handle = try open()
    do {
      try handle.write(contentsOf: pending)
    } catch {
      // no half row stays
      try? handle.truncate(atOffset: size)
      throw error
    }
    size += UInt64(pending.count)
    pending.removeAll(keepingCapacity: true)
  }

  /// Brings every row to the disk and tells how many bytes there are.
  func synchronize() throws -> UInt64 {
    try open()
    try flush()
    try handle?.synchronize()
    return size
  }

  /// Forgets every byte past `size`.
  func truncate(to size: UInt64) throws {
    let handle = try open()
    guard size <= self.size else { throw CheckpointError(url.path, "has lost rows: it is shorter than \(size) bytes") }
    try handle.truncate(atOffset: size)
    self.size = size
  }
}
