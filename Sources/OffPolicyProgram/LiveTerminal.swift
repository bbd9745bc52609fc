// LiveTerminal.swift — plays a film in the terminal, in half-block characters with 24-bit colours, in the environment's time.

import Foundation
import OffPolicy

/// Standard output as a terminal that shows a film.
final class LiveTerminal {
  private let started = ContinuousClock.now
  private var shown = 0  // ms
  private var isShowing = false

  /// - Throws: `ArgumentMismatch` where standard output is not a terminal that can move its cursor.
  init() throws {
    guard isatty(STDOUT_FILENO) == 1, let type = ProcessInfo.processInfo.environment["TERM"], type != "dumb" else {
      throw ArgumentMismatch("--live needs a terminal, and standard output is not one: write a file with --out FILE")
    }
    isShowing = true
    // the alternate screen, without a cursor: leaving it brings the old contents back
    write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
  }

  deinit { leave() }

  func leave() {
    guard isShowing else { return }
    isShowing = false
    write("\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
  }

  /// Shows a picture when it is due. A late picture is left out.
  func show(_ frame: FilmFrame) {
    let due = started + .milliseconds(shown)
    shown += frame.milliseconds
    let now = ContinuousClock.now
    if now > started + .milliseconds(shown) && !frame.isLastOfEpisode { return }
    if due > now { Thread.sleep(forTimeInterval: (due - now).seconds) }
    let size = Self.size
    let lines = frame.canvas.halfBlocks(columns: size.columns, rows: max(1, size.rows - 1))
    write("\u{1b}[H" + lines.joined(separator: "\r\n"))
    let caption = "episode \(frame.episode)  step \(frame.step)  return \(frame.total.text(1))"
    write("\r\n\u{1b}[2K" + String(caption.prefix(max(0, size.columns - 1))))
    if frame.isLastOfEpisode { Thread.sleep(forTimeInterval: Double(frame.milliseconds) / 1000) }
  }

  private static var size: (columns: Int, rows: Int) {
    Terminal.outputSize ?? (80, 24)
  }

  private func write(_ text: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }
}
