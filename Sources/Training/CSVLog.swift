// CSVLog.swift — a table on disk that grows by a row at a time and can be cut back to a checkpoint.
//
// A log is an output: whatever others do to it costs no checkpoint. What was removed is written again, what was changed is
// gone on with after its last whole row, and a note says so.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Its file is opened at the first use: who only reads a run writes nothing.
final class CSVLog {
  let name: String
  private let folder: Folder
  private let header: String
  /// The column by whose number rows are told from those after a checkpoint.
  let key: Int
  private var file: DiskFile?
  /// Bytes that are whole rows in the file.
  private var size: UInt64 = 0
  /// Rows that could not be written yet: a full disk loses none.
  private var pending = Data()
  /// Rows in the file of which no sync has said yet that the disk has them.
  private var unconfirmed = Data()
  /// A row that was refused halfway may be at the end.
  private var isTorn = false
  /// What others did to the file, and what was done about it, until somebody asks.
  private var notes: [String] = []

  init(_ name: String, in folder: Folder, header: String, key: Int = 0) {
    (self.name, self.folder, self.header, self.key) = (name, folder, header, key)
  }

  /// The rows of a table, its header first, each as its columns.
  static func rows(of data: Data) -> [[String]] {
    String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  /// What happened to the file since somebody asked.
  func takeNotes() -> [String] {
    defer { notes = [] }
    return notes
  }

  // MARK: writing

  /// Opens the file, a new one with its header.
  func open() throws(DiskError) {
    guard file == nil else { return }
    try goOn(in: DiskFile(in: folder, name, .existingOrNew))
  }

  /// Adds a row. What cannot be written now is kept for later.
  func append(_ values: [String]) { append(rows: [values]) }

  /// Adds rows that belong together, in one piece.
  func append(rows: [[String]]) {
    for values in rows { pending.append(contentsOf: (values.joined(separator: ",") + "\n").utf8) }
    _ = try? flush()
  }

  /// Hands every row to the system, and tells how many bytes there are.
  @discardableResult
  func flush() throws(DiskError) -> UInt64 {
    try open()
    try settle()
    guard !pending.isEmpty, let file else { return size }
    do {
      try file.write(pending.span, at: size)
    } catch {
      // no half row stays
      isTorn = true
      try? file.truncate(to: size)
      throw error
    }
    size += UInt64(pending.count)
    unconfirmed.append(pending)
    pending.removeAll(keepingCapacity: true)
    return size
  }

  /// Takes up a file after its last whole row; an empty one gets its header.
  private func goOn(in file: DiskFile) throws(DiskError) {
    let length = try file.size()
    let end = try Self.endOfRows(file, length)
    if end < length { try file.truncate(to: end) }
    (self.file, size, unconfirmed) = (file, end, Data())
    guard end == 0 else { return }
    let first = Data((header + "\n").utf8)
    try file.write(first.span, at: 0)
    (size, unconfirmed) = (UInt64(first.count), first)
  }

  /// Bytes at a file's end in which its last row is looked for: no log is that long, and a file of holes may be 1 TB.
  private static let searched: UInt64 = 1 << 30

  /// The place after the last line feed; 0, so that the log begins anew, where there is none among the last bytes.
  private static func endOfRows(_ file: DiskFile, _ length: UInt64) throws(DiskError) -> UInt64 {
    var end = length
    while end > 0 && length - end < searched {
      let start = end - min(end, 1 << 16)
      let bytes = try file.read(Int(end - start), at: start)
      if let last = bytes.lastIndex(of: UInt8(ascii: "\n")) { return start + UInt64(last) + 1 }
      end = start
    }
    return 0
  }

  /// Looks whether the file is still what was left, and mends what others did to it.
  private func settle() throws(DiskError) {
    guard let file, let own = file.mark else { return }
    guard let found = folder.mark(name) else { return try restore(from: file) }
    if found.isSameFile(as: own) {
      if found.size == size { return isTorn = false }
      if found.size > size && isTorn {
        try file.truncate(to: size)
        return isTorn = false
      }
      // rows that are gone from its end, as far as they are still known
      let (first, rows) = (size - UInt64(unconfirmed.count), unconfirmed)
      try goOn(in: file)
      if size < first + UInt64(rows.count) { pending = rows.dropFirst(Int(max(size, first) - first)) + pending }
      notes.append("\(name) was changed by another program: rows go on after the last whole one")
    } else {
      let other = try DiskFile(in: folder, name, .existing)
      guard try Self.endOfRows(other, other.size()) > 0 else {
        try folder.remove(name)
        return try restore(from: file)
      }
      try goOn(in: other)
      notes.append("\(name) was replaced by another program: rows go on after the last whole one")
    }
  }

  /// Writes the rows of a file that lost its name into a new one.
  private func restore(from old: DiskFile) throws(DiskError) {
    let new = try DiskFile(in: folder, name, .new)
    var place: UInt64 = 0
    while place < size {
      let bytes = try old.read(Int(min(size - place, 1 << 20)), at: place)
      guard !bytes.isEmpty else { break }
      try new.write(bytes.span, at: place)
      place += UInt64(bytes.count)
    }
    try new.synchronize()
    try folder.synchronize()
    try goOn(in: new)
    notes.append("\(name) was removed by another program: it was written again")
  }

  // MARK: checkpoints

  /// What a checkpoint has to bring to the disk; nil while there is no file.
  var unconfirmedRows: LogRows? {
    file.map { LogRows(file: $0, bytes: unconfirmed, offset: size - UInt64(unconfirmed.count)) }
  }

  /// A sync has confirmed the first `bytes` bytes.
  func confirm(_ bytes: UInt64) {
    let first = size - UInt64(unconfirmed.count)
    guard bytes > first else { return }
    unconfirmed = Data(unconfirmed.dropFirst(Int(min(bytes, size) - first)))
  }

  /// A sync has failed: what it did not confirm may be lost, and is written again.
  func distrust() {
    pending = unconfirmed + pending
    size -= UInt64(unconfirmed.count)
    unconfirmed.removeAll()
    isTorn = true
  }

  /// Cuts off the rows after a checkpoint: those whose key is greater than `last`.
  ///
  /// - Parameter size: what the checkpoint counted, if it did; another length is noted, and no reason to refuse it.
  func cut(after last: Int, expecting size: UInt64?) {
    do throws(DiskError) {
      let file = try DiskFile(in: folder, name, .existingOrNew)
      let bytes = try file.read(Int(clamping: try file.size()), at: 0)
      let end = UInt64(Self.end(of: bytes, after: last, key: key))
      try file.truncate(to: end)
      pending = Data()
      try goOn(in: file)
      guard let size, size != end else { return }
      notes.append(
        bytes.isEmpty
          ? "\(name) was missing or empty: it begins anew"
          : "\(name) is not as the checkpoint left it: rows go on after the last whole one that is there")
    } catch {
      notes.append("\(name) cannot be gone on with, its rows wait in memory: \(error.reason)")
    }
  }

  /// Where the last whole row ends whose key is at most `last`; without such a row, where the header does.
  static func end(of bytes: [UInt8], after last: Int, key: Int) -> Int {
    var (end, start) = (0, 0)
    while let feed = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let columns = bytes[start..<feed].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      let number = columns.count > key ? Int(String(decoding: columns[key], as: UTF8.self)) : nil
      if number.map({ $0 <= last }) ?? (start == 0) { end = feed + 1 }
      start = feed + 1
    }
    return end
  }
}
