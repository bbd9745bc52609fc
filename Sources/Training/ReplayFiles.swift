// ReplayFiles.swift — the replay buffer's frames on disk: files that only grow, so that a checkpoint writes what is new.
//
// File k holds frames k · 16384 … of the run, as little-endian floats, frame after frame.

import Algorithms
import Formats
import Foundation

package struct ReplayFiles {
  static let framesPerFile: UInt64 = 16_384
  package let folder: URL
  /// Frames 0 ..< written are on disk, as far as they are still needed.
  package private(set) var written: UInt64 = 0
  /// A hash of what each file holds so far, by its number.
  package private(set) var digests: [UInt64: UInt64] = [:]

  package init(folder: URL) { self.folder = folder }

  private func url(_ file: UInt64) -> URL {
    let number = String(file)
    let padded = String(repeating: "0", count: max(0, 8 - number.count)) + number
    return folder.appendingPathComponent("replay-\(padded).frames")
  }

  /// Appends the frames that are not on disk yet.
  package mutating func append(_ buffer: borrowing ReplayBuffer) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let held = buffer.frameRange
    var next = max(written, held.lowerBound)
    let frameBytes = UInt64(buffer.frameWidth * 4)
    while next < held.upperBound {
      let file = next / Self.framesPerFile
      let end = min(held.upperBound, (file + 1) * Self.framesPerFile)
      let values = buffer.frameValues(next..<end)
      let data = Data(words32: values) { $0.bitPattern }
      let (start, offset) = (file * Self.framesPerFile, (next - file * Self.framesPerFile) * frameBytes)
      try append(data, to: url(file), at: offset)
      var digest = digests[file].map(Digest.init(value:)) ?? Digest()
      // frames that were dropped before they were ever written are a hole of zeros
      let filled = digests[file] != nil && written > start ? (written - start) * frameBytes : 0
      if offset > filled { digest.add(Data(count: Int(offset - filled))) }
      digest.add(data)
      digests[file] = digest.value
      written = end
      next = end
    }
    written = held.upperBound
  }

  /// Removes files that hold no frame from `first` on.
  mutating func removeFiles(before first: UInt64) throws {
    var stale = first / Self.framesPerFile
    while stale > 0, FileManager.default.fileExists(atPath: url(stale - 1).path) {
      try FileManager.default.removeItem(at: url(stale - 1))
      digests[stale - 1] = nil
      stale -= 1
    }
  }

  /// Puts frames back into an empty buffer.
  ///
  /// - Parameter digests: what each file's hash must be; a file without one is taken as it is.
  package mutating func restore(
    _ frames: Range<UInt64>, digests expected: [UInt64: UInt64] = [:], into buffer: inout ReplayBuffer
  ) throws {
    let width = buffer.frameWidth
    digests = expected
    var n = frames.lowerBound
    while n < frames.upperBound {
      let file = n / Self.framesPerFile
      let end = min(frames.upperBound, (file + 1) * Self.framesPerFile)
      let path = url(file).path
      guard let data = FileManager.default.contents(atPath: path) else {
        throw CheckpointError(path, "is missing: it held frames of the replay buffer")
      }
      let first = Int(n - file * Self.framesPerFile) * width
      let count = Int(end - n) * width
      guard data.count >= (first + count) * 4 else {
        throw CheckpointError(path, "ends after \(data.count) bytes, \((first + count) * 4) are needed")
      }
      if let expected = expected[file] {
        var digest = Digest()
        digest.add(data.prefix((first + count) * 4))
        guard digest.value == expected else { throw CheckpointError(path, "is damaged: its hash is another") }
      }
      let values = data.dropFirst(first * 4).prefix(count * 4).words32 { Float(bitPattern: $0) }
      for i in 0..<Int(end - n) {
        buffer.restoreFrame(n + UInt64(i), values.span.extracting((i * width)..<((i + 1) * width)))
      }
      n = end
    }
    written = frames.upperBound
  }

  private func append(_ data: Data, to url: URL, at offset: UInt64) throws {
    if !FileManager.default.fileExists(atPath: url.path) {
      try Data().write(to: url)
    }
    let handle = try FileHandle(forWritingTo: url)
    defer { try? handle.close() }
    // bytes past the last checkpoint are of a run that was broken off
    try handle.truncate(atOffset: offset)
    try handle.seekToEnd()
    try handle.write(contentsOf: data)
    try handle.synchronize()
  }
}
