// FileAccess.swift — whole files in and out, with reasons that a person can act on.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

package enum FileAccess {
  /// The bytes of the regular file at `path`.
  static func read(_ path: String) throws(SafeTensorsError) -> Data {
    func fail(_ reason: String) -> SafeTensorsError { SafeTensorsError(file: path, fault: .unreadable(reason: reason)) }
    let url = URL(filePath: path).resolvingSymlinksInPath()
    let attributes: [FileAttributeKey: Any]
    do {
      attributes = try FileManager.default.attributesOfItem(atPath: url.path)
    } catch {
      throw fail(reason(of: error))
    }
    // a pipe or a device has no size to hold its announcements against
    guard attributes[.type] as? FileAttributeType == .typeRegular else { throw fail("it is not a regular file") }
    // a file with holes may say any size
    let size = size(in: attributes) ?? 0
    if let free = Memory.available, size > free {
      throw fail("it has \(Memory.text(size)), and only \(Memory.text(free)) of memory are free")
    }
    do { return try Data(contentsOf: url) } catch { throw fail(reason(of: error)) }
  }

  /// The size of the file at `path` in bytes; nil if there is none.
  package static func size(of path: String) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: path)).flatMap { size(in: $0) }
  }

  /// Whether `path` is a folder, or a link to one.
  package static func isFolder(_ path: String) -> Bool { type(of: path) == .typeDirectory }

  /// Whether `path` is a file with contents of its own, or a link to one: no pipe and no device.
  package static func isRegular(_ path: String) -> Bool { type(of: path) == .typeRegular }

  private static func type(of path: String) -> FileAttributeType? {
    let path = URL(filePath: path).resolvingSymlinksInPath().path
    return (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
  }

  /// FoundationEssentials alone gives a UInt; a program that also links Foundation gets an NSNumber.
  private static func size(in attributes: [FileAttributeKey: Any]) -> Int? {
    attributes[.size] as? Int ?? (attributes[.size] as? UInt).flatMap { Int(exactly: $0) }
  }

  /// What an error of the file system means, in a few words and what to do.
  package static func reason(of error: any Error) -> String {
    // what was said in words stays so
    guard let cocoa = error as? CocoaError else { return oneLine("\(error)", limit: 300) }
    return switch cocoa.code {
    case .fileNoSuchFile, .fileReadNoSuchFile: "no such file or folder; check the path"
    case .fileReadNoPermission, .fileWriteNoPermission: "permission denied; check its owner and mode"
    case .fileWriteOutOfSpace: "the disk is full; free some space"
    case .fileWriteVolumeReadOnly: "the disk is read-only; choose another folder"
    case .fileWriteFileExists: "there is something of that name already; choose another"
    case .fileReadInvalidFileName, .fileWriteInvalidFileName: "the name is not valid; choose another"
    case .fileWriteFileExists: "something of that name is in the way; choose another path"
    case .fileReadTooLarge: "the file is too large"
    case .fileReadCorruptFile, .fileReadUnknown: "it cannot be read: it is damaged, or is a folder"
    case .fileWriteUnknown: "the system refused; check the path, of which a part may be a file, and the disk"
    default: "the file system refused, with error \(cocoa.code.rawValue); check the path and the disk"
    }
  }
}
