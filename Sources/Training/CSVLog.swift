// CSVLog.swift — a table on disk that grows by a row at a time and can be cut back to a checkpoint.
//
// The event file of TensorBoard is kept in the same way: its rows are records of bytes.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Its file is opened at the first use: who only reads a run writes nothing.
final class CSVLog {
  let name: String
  private let url: URL
  /// What a new file begins with.
  private let first: Data
  private var file: DiskFile?
  /// Bytes that are whole rows in the file.
  private var size: UInt64 = 0
  /// Rows that could not be written yet: a full disk loses none.
  private var pending = Data()
  /// Rows in the file of which no sync has said yet that the disk has them.
  private var unconfirmed = Data()

  convenience init(_ url: URL, header: String) { self.init(url, first: Data((header + "\n").utf8)) }

  init(_ url: URL, first: Data) { (name, self.url, self.first) = (url.lastPathComponent, url, first) }

  /// Opens the file, a new one with its header.
  func open() throws {
    if file != nil { return }
    let file = try DiskFile(url.path)
    size = try file.size()
    if size == 0 {
      try file.write(first.span, at: 0)
      size = UInt64(first.count)
      unconfirmed = first
    }
    self.file = file
  }

  /// The rows of a table, its header first, each as its columns.
  static func rows(of data: Data) -> [[String]] {
    String(decoding: data, as: UTF8.self).split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  /// Adds a row. What cannot be written now is kept for later.
  func append(_ values: [String]) { append(Data((values.joined(separator: ",") + "\n").utf8)) }

  /// Adds a row as its bytes.
  func append(_ row: Data) {
    pending.append(row)
    _ = try? flush()
  }

  /// Hands every row to the system, and tells how many bytes there are.
  func flush() throws -> UInt64 {
    try open()
    guard !pending.isEmpty, let file else { return size }
    do {
      try file.write(pending.span, at: size)
    } catch {
      // no half row stays
      try? file.truncate(to: size)
      throw error
    }
    size += UInt64(pending.count)
    unconfirmed.append(pending)
    pending.removeAll(keepingCapacity: true)
    return size
  }

  /// What a checkpoint has to bring to the disk.
  var unconfirmedRows: LogRows {
    LogRows(path: url.path, bytes: unconfirmed, offset: size - UInt64(unconfirmed.count))
  }

  /// A sync has confirmed the first `bytes` bytes.
  func confirm(_ bytes: UInt64) {
    let first = size - UInt64(unconfirmed.count)
    guard bytes > first else { return }
    unconfirmed = Data(unconfirmed.dropFirst(Int(bytes - first)))
  }

  /// A sync has failed: what it did not confirm may be lost, and is written again.
  func distrust() {
    pending = unconfirmed + pending
    size -= UInt64(unconfirmed.count)
    unconfirmed.removeAll()
  }

  /// Forgets every byte past `size`.
  func truncate(to size: UInt64) throws {
    try open()
    guard size <= self.size else { throw CheckpointError(url.path, "has lost rows: it is shorter than \(size) bytes") }
    try file?.truncate(to: size)
    self.size = size
    (pending, unconfirmed) = (Data(), Data())
  }
}
