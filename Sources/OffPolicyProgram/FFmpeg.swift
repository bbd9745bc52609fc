// FFmpeg.swift — films as MP4: hands the pictures through a pipe to the program ffmpeg, if it is on the PATH.

import Foundation
import OffPolicy

/// A process of ffmpeg that writes one file.
final class FFmpeg: FilmSink {
  private let process = Process()
  private let input = Pipe()
  private let errors: URL
  /// A folder of this film's own beside it: what ffmpeg opens is a new name, and no link of others.
  private let scratch: String
  private var partial: String { "\(scratch)/film.mp4" }
  private let path: String
  private let rate: Double
  /// Time of the film so far, and the pictures written: an MP4 has the same number in each second.
  private var time = 0.0  // ms
  private var count = 0

  /// The path of ffmpeg; nil where it is not on the PATH.
  static var path: String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    // none of the current folder
    return folders.filter { $0.hasPrefix("/") }.map { "\($0)/ffmpeg" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  init(_ path: String, width: Int, height: Int, rate: Double) throws {
    guard let program = Self.path else { throw RunDirectoryError("there is no ffmpeg on the PATH") }
    (self.path, self.rate) = (path, rate)
    let url = URL(fileURLWithPath: path)
    let name = ".\(url.lastPathComponent.prefix(100)).partial-\(UUID().uuidString)"
    scratch = url.deletingLastPathComponent().appendingPathComponent(name).path
    do {
      try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
    } catch { throw RunDirectoryError("\(path) cannot be written: \(FileAccess.reason(of: error))") }
    errors = FileManager.default.temporaryDirectory.appendingPathComponent("offpolicy-\(UUID().uuidString).log")
    try Data().write(to: errors)
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments =
      [
        "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "rawvideo", "-pixel_format", "rgb24",
        "-video_size", "\(width)x\(height)", "-framerate", "\(rate)", "-i", "pipe:0", "-an",
      ]
      // sides must be even, and few players show yuv444p, whose colours have full resolution
      + ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart", partial]
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: errors)
    // a pipe whose reader is gone is an error of the write, not the end of this process
    signal(SIGPIPE, SIG_IGN)
    do { try process.run() } catch {
      throw RunDirectoryError("\(program) cannot be started: \(FileAccess.reason(of: error))")
    }
  }

  deinit {
    if process.isRunning {
      process.terminate()
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(atPath: scratch)
    try? FileManager.default.removeItem(at: errors)
  }

  var held: Int { 0 }

  func add(_ frame: Canvas, milliseconds: Int) throws {
    time += Double(milliseconds)
    let wanted = Int((time * rate / 1000).rounded())
    let data = Data(frame.pixels)
    while count < wanted {
      do { try input.fileHandleForWriting.write(contentsOf: data) } catch { throw failure() }
      count += 1
    }
  }

  func finish() throws -> Int {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw failure() }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: partial)))
    try replaceFile(path, with: bytes)
    return bytes.count
  }

  private func failure() -> RunDirectoryError {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
    if DiskSpace.available(at: path) == 0 {
      return RunDirectoryError("\(path) cannot be written: the disk is full; free some space")
    }
    let said = (try? String(contentsOf: errors, encoding: .utf8))?.split(separator: "\n").last.map(String.init)
    return RunDirectoryError("ffmpeg did not make \(path): \(said ?? "exit code \(process.terminationStatus)")")
  }
}
