// ZIPArchive.swift — zip files: stored and deflated members read, stored ones written.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A file that holds columns of data and cannot be read, written or used, in one line.
public struct DataFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file, what is wrong, and what to do, in one line.
  public let description: String

  /// An error about a file.
  public init(_ path: String, _ reason: String) { description = "\(oneLine(path)) \(reason)" }

  /// What another error says.
  init(_ description: String) { self.description = oneLine(description) }
}

/// The members of a zip file, by name.
package struct ZIPArchive {
  private let path: String
  private let bytes: Data
  private var members: [String: Member] = [:]

  private struct Member {
    let method: Int
    let checksum: UInt32
    let compressedSize: Int
    let size: Int
    let offset: Int
  }

  init(contentsOf path: String) throws {
    try self.init(FileAccess.read(path), path: path)
  }

  package init(_ bytes: Data, path: String) throws(DataFileError) {
    (self.path, self.bytes) = (path, bytes)
    var (count, at) = try directory()
    while count > 0 {
      guard number(at, 4) == 0x0201_4b50, let nameLength = number(at + 28, 2), let extraLength = number(at + 30, 2),
        let commentLength = number(at + 32, 2), let name = text(at + 46, nameLength), let method = number(at + 10, 2),
        let checksum = number(at + 16, 4), var compressed = number(at + 20, 4), var size = number(at + 24, 4),
        var offset = number(at + 42, 4)
      else { throw damaged("its directory breaks off") }
      // sizes that do not fit are in the extra field 1, in this order
      var extra = at + 46 + nameLength
      let extraEnd = extra + extraLength
      while extra + 4 <= extraEnd, let kind = number(extra, 2), let length = number(extra + 2, 2) {
        if kind == 1 {
          var field = extra + 4
          func wide(_ value: inout Int) {
            if value == 0xffff_ffff, let number = number(field, 8) { (value, field) = (number, field + 8) }
          }
          wide(&size)
          wide(&compressed)
          wide(&offset)
        }
        extra += 4 + length
      }
      guard offset <= bytes.count, compressed <= bytes.count else { throw damaged("the member \(name) is cut off") }
      members[name] = Member(
        method: method, checksum: UInt32(checksum), compressedSize: compressed, size: size, offset: offset)
      at = extraEnd + commentLength
      count -= 1
    }
    try checkPlaces()
  }

  /// No two members share bytes: what is unpacked is justified by the file's size.
  private func checkPlaces() throws(DataFileError) {
    var end = 0
    for (name, member) in members.sorted(by: { ($0.value.offset, $0.key) < ($1.value.offset, $1.key) }) {
      guard member.offset >= end else { throw damaged("the member \(name) lies over another") }
      // a local header takes 30 bytes at least
      end = member.offset + 30 + member.compressedSize
    }
  }

  /// Where the directory is: the number of its entries and the place of the first.
  private func directory() throws(DataFileError) -> (count: Int, offset: Int) {
    // the end record is 22 bytes and a comment
    var end = bytes.count - 22
    while end >= max(0, bytes.count - 65_557), number(end, 4) != 0x0605_4b50 { end -= 1 }
    guard end >= 0, number(end, 4) == 0x0605_4b50, let count = number(end + 10, 2), let offset = number(end + 16, 4)
    else { throw damaged("it is no zip file, or was cut off") }
    if count == 0xffff || offset == 0xffff_ffff, number(end - 20, 4) == 0x0706_4b50, let wide = number(end - 12, 8),
      number(wide, 4) == 0x0606_4b50, let count = number(wide + 32, 8), let offset = number(wide + 48, 8)
    {
      return (count, offset)
    }
    return (count, offset)
  }

  /// The members' names, in ascending order.
  package var names: [String] { members.keys.sorted() }

  /// The bytes of a member; nil if there is none of this name.
  package func contents(_ name: String) throws(DataFileError) -> Data? {
    guard let member = members[name] else { return nil }
    // the local header repeats the name, with an extra field of its own
    guard number(member.offset, 4) == 0x0403_4b50, let nameLength = number(member.offset + 26, 2),
      let extraLength = number(member.offset + 28, 2)
    else { throw damaged("the member \(name) is not where the directory says") }
    let start = member.offset + 30 + nameLength + extraLength
    guard member.compressedSize >= 0, member.size >= 0, start <= bytes.count,
      member.compressedSize <= bytes.count - start
    else { throw damaged("the member \(name) is cut off") }
    do { try Memory.check(member.size, for: "\(name) of \(path)", hint: "fewer transitions") } catch {
      throw DataFileError("\(error)")
    }
    let stored = bytes[(bytes.startIndex + start)..<(bytes.startIndex + start + member.compressedSize)]
    let data: Data
    switch member.method {
    case 0: data = stored
    case 8:
      // deflate makes nothing more than 1032 times smaller
      guard member.size <= 1100 * (member.compressedSize + 16) else { throw damaged("the member \(name) is too large") }
      var inflater = Inflater([UInt8](stored), size: member.size)
      do { data = Data(try inflater.run()) } catch { throw damaged("the member \(name) \(error.reason)") }
    default:
      throw DataFileError(
        path, "has the member \(name) compressed by method \(member.method): write it with numpy.savez_compressed")
    }
    guard data.count == member.size, CRC32.checksum(data) == member.checksum else {
      throw damaged("the checksum of \(name) is another")
    }
    return data
  }

  private func damaged(_ what: String) -> DataFileError { DataFileError(path, "is damaged: \(what); copy it again") }

  private func number(_ at: Int, _ count: Int) -> Int? {
    guard at >= 0, at <= bytes.count - count else { return nil }
    let start = bytes.startIndex + at
    var value: UInt64 = 0
    for i in 0..<count { value |= UInt64(bytes[start + i]) << UInt64(8 * i) }
    return Int(exactly: value)
  }

  private func text(_ at: Int, _ count: Int) -> String? {
    guard at >= 0, count <= bytes.count - at else { return nil }
    let start = bytes.startIndex + at
    return String(decoding: bytes[start..<(start + count)], as: UTF8.self)
  }

  // MARK: writing

  /// A zip file of some members, uncompressed; the same members give the same bytes.
  package static func encode(_ members: [(name: String, data: Data)], path: String) throws(DataFileError) -> Data {
    let total = members.reduce(0) { $0 + $1.data.count + 2 * $1.name.utf8.count + 128 }
    guard total < 0xffff_ffff, members.count < 0xffff else {
      throw DataFileError(path, "would have \(total) bytes, a zip file takes 4 GB: write a folder or HDF5 instead")
    }
    var file = Data(capacity: total)
    var directory = Data()
    func add(_ value: Int, _ count: Int, to data: inout Data) {
      for i in 0..<count { data.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
    }
    for (name, data) in members {
      let offset = file.count
      let checksum = Int(CRC32.checksum(data))
      // version 2.0, no flags, stored, 1 January 1980
      func addDescription(to target: inout Data) {
        for (value, count) in [
          (20, 2), (0, 2), (0, 2), (0, 2), (0x21, 2), (checksum, 4), (data.count, 4), (data.count, 4),
          (name.utf8.count, 2), (0, 2),
        ] { add(value, count, to: &target) }
      }
      add(0x0403_4b50, 4, to: &file)
      addDescription(to: &file)
      file.append(contentsOf: name.utf8)
      file.append(data)
      add(0x0201_4b50, 4, to: &directory)
      add(20, 2, to: &directory)
      addDescription(to: &directory)
      for (value, count) in [(0, 2), (0, 2), (0, 2), (0, 4), (offset, 4)] { add(value, count, to: &directory) }
      directory.append(contentsOf: name.utf8)
    }
    let offset = file.count
    file.append(directory)
    add(0x0605_4b50, 4, to: &file)
    for (value, count) in [
      (0, 2), (0, 2), (members.count, 2), (members.count, 2), (directory.count, 4), (offset, 4), (0, 2),
    ] { add(value, count, to: &file) }
    return file
  }
}

/// The checksum of zip files: the polynomial 0xEDB88320.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
  }

  static func checksum(_ data: Data) -> UInt32 {
    let bytes = data.span
    let table = table
    var value: UInt32 = 0xffff_ffff
    for i in 0..<bytes.count { value = value >> 8 ^ table[Int((value ^ UInt32(bytes[i])) & 0xff)] }
    return ~value
  }
}
