// Caption.swift — the line of text in each picture of a film: environment, episode, step and return so far.

import Pictures

struct Caption {
  var name: String
  /// Number of the episode, from 1.
  var episode: Int
  var episodes: Int
  var step: Int
  /// Sum of the episode's rewards so far.
  var total: Double

  /// Writes a line at the lower edge: always the return, and the rest if there is room.
  func write(on canvas: inout Canvas) {
    let size = min(max(10, Double(canvas.height) / 22), 40)
    let (width, height) = (Double(canvas.width), Double(canvas.height))
    let margin = size * 0.6
    canvas.rectangle(from: [0, height - 1.75 * size], to: [width, height], Self.strip)
    let base = height - 0.62 * size
    let right = fit(
      ["return \(Self.text(total))", "step \(step)"] + (episodes > 1 ? ["episode \(episode)"] : []),
      within: width - 2 * margin, size)
    // from right to left: the return stays
    let line = right.reversed().joined(separator: "   ")
    canvas.text(line, at: [width - margin, base], size: size, .white, alignment: .end)
    let left = width - 3 * margin - Self.width(line, size)
    if Self.width(name, size) <= left { canvas.text(name, at: [margin, base], size: size, .white) }
  }

  private func fit(_ parts: [String], within width: Double, _ size: Double) -> [String] {
    var kept = parts
    while kept.count > 1, Self.width(kept.joined(separator: "   "), size) > width { kept.removeLast() }
    return kept
  }

  private static func width(_ text: String, _ size: Double) -> Double { Canvas.width(of: text, size: size) }

  private static let strip = Colour(0x1b1f24, opacity: 0.78)

  /// The value with one digit after the point.
  static func text(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return value.isNaN ? "–" : value > 0 ? "∞" : "−∞" }
    let tenths = Int((10 * abs(value)).rounded())
    return (value < 0 && tenths > 0 ? "−" : "") + "\(tenths / 10).\(tenths % 10)"
  }
}
