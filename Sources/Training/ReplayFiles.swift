// ReplayFiles.swift — the replay buffer's frames on disk: files that only grow, so that a checkpoint writes what is new.
//
// File k of a lane holds its frames k · 16384 …, as little-endian floats, frame after frame.

import Algorithms
import Formats
import Platform
import Replay

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Frames copied out of a buffer, on their way to the disk.
package struct FrameBlock: Sendable {
  let range: Range<UInt64>
  /// Values in one frame.
  let width: Int
  let values: [Float]

  /// The frames of a buffer's lane from `first` on, as far as it still holds them.
  package init(_ buffer: borrowing ReplayBuffer, lane: Int = 0, from first: UInt64) {
    let held = buffer.frameRange(lane: lane)
    range = min(held.upperBound, max(first, held.lowerBound))..<held.upperBound
    width = buffer.frameWidth
    values = buffer.frameValues(range, lane: lane)
  }
}

/// The files of one lane. Which folder they are in is said at each call: that of a run's checkpoints may be made anew.
package struct ReplayFiles: Sendable {
  static let framesPerFile: UInt64 = 16_384
  /// The environment whose frames these are.
  package let lane: Int
  /// Frames 0 ..< written are on disk, as far as they are still needed and no file was lost.
  package private(set) var written: UInt64 = 0
  /// A hash of what each file holds so far, by its number.
  package private(set) var digests: [UInt64: UInt64] = [:]
  /// What each file was when it was last written or read.
  private var marks: [UInt64: FileMark] = [:]
  /// The first frame of files that others removed or changed.
  private var lost: UInt64?
  /// Bytes of a frame.
  private var frameBytes: UInt64 = 0

  package init(lane: Int = 0) { self.lane = lane }

  /// What the names of this lane's files begin with: the first lane's are those of a run with one environment.
  private var prefix: String { lane == 0 ? "replay-" : "replay-lane\(lane)-" }

  private func name(_ file: UInt64) -> String {
    let number = String(file)
    return "\(prefix)\(String(repeating: "0", count: max(0, 8 - number.count)))\(number).frames"
  }

  /// Frames before this one need not be written again.
  package var next: UInt64 { min(written, lost ?? written) }

  /// Appends frames; a block begins at `next`, or later when the buffer did not hold what came between.
  ///
  /// When it throws, what was appended before stays, and the rest may be appended again.
  package mutating func append(_ block: FrameBlock, in folder: Folder) throws {
    var next = block.range.lowerBound
    frameBytes = UInt64(block.width * 4)
    while next < block.range.upperBound {
      let file = next / Self.framesPerFile
      let first = file * Self.framesPerFile
      let end = min(block.range.upperBound, first + Self.framesPerFile)
      // where the file ends: bytes past it are of a run that was broken off, or were refused
      let length = digests[file] == nil ? 0 : max(first, min(written, end)) - first
      // a file that is whole may come after one that was lost
      if next < first + length { next = first + length }
      guard next < end else { continue }
      let values = block.values[
        Int(next - block.range.lowerBound) * block.width..<Int(end - block.range.lowerBound) * block.width]
      let data = Data(words32: Array(values)) { $0.bitPattern }
      var digest = digests[file].map(Digest.init(value:)) ?? Digest()
      // frames that were dropped unsaved leave zeros
      if first + length < next { digest.add(Data(count: Int((next - first - length) * frameBytes))) }
      digest.add(data)
      let disk = try digests[file] == nil ? folder.makeNew(name(file)) : DiskFile(in: folder, name(file), .existing)
      try disk.truncate(to: length * frameBytes)
      try disk.write(data.span, at: (next - first) * frameBytes)
      try disk.synchronize()
      try disk.verify(data.span, at: (next - first) * frameBytes)
      (digests[file], marks[file]) = (digest.value, disk.mark)
      written = max(written, end)
      if let first = lost { lost = max(first, end) }
      next = end
    }
    (written, lost) = (max(written, block.range.upperBound), nil)
  }

  /// Removes files that hold no frame from `first` on. One that stays is tried again at the next call.
  mutating func removeFiles(before first: UInt64, in folder: Folder) {
    for name in folder.names() {
      guard name.hasPrefix(prefix), name.hasSuffix(".frames"),
        let file = UInt64(name.dropFirst(prefix.count).dropLast(".frames".count)),
        file < first / Self.framesPerFile
      else { continue }
      try? folder.remove(name)
      (digests[file], marks[file]) = (nil, nil)
    }
  }

  /// Looks whether the files still hold what was written, and forgets those that do not: their frames are to be written again.
  ///
  /// - Parameter folder: nil: it is gone with everything in it.
  /// - Returns: the names of the files that others removed or changed.
  mutating func forgetChanged(in folder: Folder?) -> [String] {
    var changed: [String] = []
    for (file, digest) in digests.sorted(by: { $0.key < $1.key }) {
      if let folder, let mark = folder.mark(name(file)) {
        if mark == marks[file] { continue }
        // copied back, or only touched
        if mark.isRegular, let found = try? folder.contents(name(file)), self.digest(of: found.bytes, file) == digest {
          marks[file] = found.mark
          continue
        }
      }
      (digests[file], marks[file]) = (nil, nil)
      lost = min(lost ?? .max, file * Self.framesPerFile)
      changed.append(name(file))
    }
    return changed
  }

  /// The hash of as much of a file as was written.
  private func digest(of bytes: [UInt8], _ file: UInt64) -> UInt64? {
    let first = file * Self.framesPerFile
    let length = (max(first, min(written, first + Self.framesPerFile)) - first) * frameBytes
    guard UInt64(bytes.count) >= length else { return nil }
    var digest = Digest()
    digest.add(Data(bytes[..<Int(length)]))
    return digest.value
  }

  /// Throws when a file is missing or too short for these frames of `width` values, before room is made for them.
  package func check(_ frames: Range<UInt64>, width: Int, in folder: String) throws {
    var n = frames.lowerBound
    while n < frames.upperBound {
      let file = n / Self.framesPerFile
      let end = min(frames.upperBound, (file + 1) * Self.framesPerFile)
      let path = "\(folder)/\(name(file))"
      guard let size = FileAccess.size(of: path) else {
        throw CheckpointError(path, "is missing: it held frames of the replay buffer")
      }
      try Self.check(size, holds: Int(end - file * Self.framesPerFile), width: width, path)
      n = end
    }
  }

  private static func check(_ size: Int, holds frames: Int, width: Int, _ path: String) throws {
    let needed = frames * width * 4
    guard size >= needed else { throw CheckpointError(path, "ends after \(size) bytes, \(needed) are needed") }
  }

  /// Puts frames back into an empty buffer.
  ///
  /// - Parameters:
  ///   - folder: where the files are.
  ///   - digests: what each file's hash must be; a file without one is taken as it is.
  ///   - target: the buffer's lane; nil: the lane that the files are of.
  package mutating func restore(
    _ frames: Range<UInt64>, digests expected: [UInt64: UInt64] = [:], in folder: Folder,
    into buffer: inout ReplayBuffer, lane target: Int? = nil
  ) throws {
    let width = buffer.frameWidth
    (digests, marks, frameBytes) = (expected, [:], UInt64(width * 4))
    var n = frames.lowerBound
    while n < frames.upperBound {
      let file = n / Self.framesPerFile
      let end = min(frames.upperBound, (file + 1) * Self.framesPerFile)
      let path = folder.path(name(file))
      let data: Data
      do {
        let found = try folder.contents(name(file))
        (data, marks[file]) = (Data(found.bytes), found.mark)
      } catch {
        throw CheckpointError(
          path, error.isMissing ? "is missing: it held frames of the replay buffer" : "cannot be read: \(error.reason)")
      }
      let first = Int(n - file * Self.framesPerFile) * width
      let count = Int(end - n) * width
      try Self.check(data.count, holds: Int(end - file * Self.framesPerFile), width: width, path)
      if let expected = expected[file] {
        var digest = Digest()
        digest.add(data.prefix((first + count) * 4))
        guard digest.value == expected else { throw CheckpointError(path, "is damaged: its hash is another") }
      }
      let values = data.dropFirst(first * 4).prefix(count * 4).words32 { Float(bitPattern: $0) }
      for i in 0..<Int(end - n) {
        buffer.restoreFrame(
          n + UInt64(i), values.span.extracting((i * width)..<((i + 1) * width)), lane: target ?? lane)
      }
      n = end
    }
    written = frames.upperBound
  }
}
