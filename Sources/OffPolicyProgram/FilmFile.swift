// FilmFile.swift — chooses a film's file format by its path, and writes the file whole or not at all.

import Foundation
import OffPolicy

/// A path, and the format that its extension names.
struct FilmFile {
  enum Format { case mp4, gif, png, still }

  let path: String
  let format: Format
  /// Why the film goes to another file than asked; printed when the film begins, so that a refused command prints its error alone.
  private var note: String?

  /// - Throws: `ArgumentMismatch` for an unknown extension, `RunDirectoryError` for a path that cannot be written.
  init(_ path: String, still: Bool) throws {
    let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
    switch ending {
    case "png": (self.path, format) = (path, still ? .still : .png)
    case _ where still: throw ArgumentMismatch("--still writes PNG: give --out a name that ends in .png, not \(path)")
    case "gif": (self.path, format) = (path, .gif)
    case "mp4" where FFmpeg.path != nil: (self.path, format) = (path, .mp4)
    case "mp4":
      self.path = path.dropLast(3) + "gif"
      format = .gif
      note = "there is no ffmpeg on the PATH: writing \(self.path) instead of \(path)"
    default:
      throw ArgumentMismatch("--out must end in .mp4, .gif or .png, not \(path)")
    }
    try check()
  }

  /// Throws where the file cannot be written: before the episodes are played, not after.
  private func check() throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    if FileAccess.isFolder(path) {
      throw RunDirectoryError("\(path) is a folder; give --out the name of a file")
    }
    guard FileAccess.isFolder(folder) else {
      throw RunDirectoryError("\(path) cannot be written: there is no folder \(folder)")
    }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw RunDirectoryError("\(path) cannot be written: permission denied in \(folder)")
    }
  }

  func sink(_ settings: FilmSettings, rate: Double) throws -> any FilmSink {
    if let note { Output.note(note) }
    return switch format {
    case .mp4: try FFmpeg(path, width: settings.width, height: settings.height, rate: rate)
    case .gif: EncodedFilm(path, AnimatedGIF(width: settings.width, height: settings.height))
    case .png: EncodedFilm(path, AnimatedPNG(width: settings.width, height: settings.height))
    case .still: EncodedFilm(path, StillPicture())
    }
  }
}

/// Takes the pictures of a film and leaves a file.
protocol FilmSink: AnyObject {
  func add(_ frame: Canvas, milliseconds: Int) throws
  /// Bytes that are in memory until the end.
  var held: Int { get }
  /// - Returns: the size of the file.
  func finish() throws -> Int
}

/// A file of one of the built-in encoders: compressed in memory, written at the end.
private final class EncodedFilm<Encoder: FilmEncoder>: FilmSink {
  private let path: String
  private var encoder: Encoder

  init(_ path: String, _ encoder: Encoder) { (self.path, self.encoder) = (path, encoder) }

  var held: Int { encoder.byteCount }

  func add(_ frame: Canvas, milliseconds: Int) { encoder.add(frame, milliseconds: milliseconds) }

  func finish() throws -> Int {
    let bytes = encoder.finish()
    try replaceFile(path, with: bytes)
    return bytes.count
  }
}

/// The last picture alone.
private struct StillPicture: FilmEncoder {
  private var picture: Canvas?

  mutating func add(_ frame: Canvas, milliseconds: Int) { picture = frame }
  mutating func finish() -> [UInt8] { picture?.png ?? [] }
}

/// Writes a file whole or not at all.
func replaceFile(_ path: String, with bytes: [UInt8]) throws {
  let data = Data(bytes)
  do { try DiskFile.replace(path, with: data.span) } catch {
    throw RunDirectoryError("\(path) cannot be written: \(error.reason)")
  }
}
