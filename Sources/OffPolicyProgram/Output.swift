// Output.swift — data goes to standard output, everything else to standard error.

import ArgumentParser
import Foundation
import OffPolicy

enum Output {
  /// Prints a value as JSON with sorted keys.
  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
    try finish()
  }

  /// Throws when printed text could not be written: the disk is full, or the reader is gone.
  static func finish() throws {
    do { try StandardStreams.flushOutput() } catch {
      // a reader that has read enough, such as `head`
      if error.code == EPIPE { throw ExitCode(128 + SIGPIPE) }
      throw RunDirectoryError("standard output cannot be written to: \(error.reason)")
    }
  }

  /// Writes to standard error.
  static func note(_ text: String, terminator: String = "\n") {
    try? FileHandle.standardError.write(contentsOf: Data((text + terminator).utf8))
  }

  /// The command that calls the program, for lines to paste: the script `./offpolicy` sets it to its own name.
  static var command: String { ProcessInfo.processInfo.environment["OFFPOLICY_COMMAND"] ?? Program.name }

  /// Standard error is a terminal whose last line can be written over. Narrow and dumb ones get plain lines.
  static var isTerminal: Bool {
    StandardStreams.canRewriteLines(columns: 60, type: ProcessInfo.processInfo.environment["TERM"])
  }

  /// The characters that clear the live line.
  static let clearLine = "\r\u{1b}[2K"

  /// Joins as many parts of a live line as fit the terminal's width: a line that wraps could not be cleared.
  static func fit(_ parts: [String], columns: Int? = Terminal.columns) -> String {
    let separator = " · "
    var line = ""
    for part in parts {
      let longer = line.isEmpty ? part : line + separator + part
      // the last column stays free: some terminals wrap there
      if let columns, longer.count >= columns { break }
      line = longer
    }
    return line.isEmpty ? String((parts.first ?? "").prefix(max(0, (columns ?? 80) - 1))) : line
  }
}

extension Double {
  /// A number for people: `digits` after the point.
  func text(_ digits: Int = 1) -> String {
    guard isFinite else { return isNaN ? "–" : self > 0 ? "∞" : "−∞" }
    // three hundred digits say no more
    guard abs(self) <= 0x1p53 else { return "\(self)" }
    // a value that rounds to 0 has no sign
    let value = abs(self) < 0.5 * pow(10, -Double(digits)) ? 0 : self
    return value.formatted(.number.precision(.fractionLength(digits)).locale(Locale(identifier: "en_US_POSIX")))
  }
}

extension Int {
  /// A whole number for people, with grouped thousands.
  var text: String { formatted(.number.grouping(.automatic).locale(Locale(identifier: "en_US"))) }
}

/// A path as a shell reads it back: in quotes where it needs them.
func shellWord(_ path: String) -> String {
  let isPlain =
    !path.isEmpty
    && path.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        || "/._-+=:,@%".utf8.contains(byte)
    }
  let escaped = path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
  return isPlain ? path : "'\(escaped)'"
}

/// Seconds as 1:02:03.
func clock(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e8 else { return "–" }
  let whole = Int(seconds)
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  return whole >= 3600
    ? "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))" : "\(whole / 60):\(two(whole % 60))"
}
