// HalfBlocks.swift — a picture in a terminal: each character shows two pixels, one above the other, in 24-bit colours.

extension Canvas {
  /// The picture as lines of half-block characters (U+2580) in colour, as large as fits into `columns` × `rows` characters with
  /// the same aspect ratio. Each line ends by resetting the colours.
  ///
  /// - Precondition: there is room for one character.
  public func halfBlocks(columns: Int, rows: Int) -> [String] {
    precondition(columns > 0 && rows > 0, "a picture of \(columns) × \(rows) characters")
    let scale = min(Double(columns) / Double(width), Double(2 * rows) / Double(height))
    let small = resized(
      width: min(columns, max(1, Int((Double(width) * scale).rounded()))),
      height: min(2 * rows, max(2, 2 * Int((Double(height) * scale / 2).rounded()))))
    return stride(from: 0, to: small.height, by: 2).map { y in
      var (line, above, below): (String, Colour?, Colour?) = ("", nil, nil)
      for x in 0..<small.width {
        let (upper, lower) = (small[x, y], small[x, y + 1])
        // a colour is written only when it changes
        if upper != above { line += "\u{1b}[38;2;\(upper.red);\(upper.green);\(upper.blue)m" }
        if lower != below { line += "\u{1b}[48;2;\(lower.red);\(lower.green);\(lower.blue)m" }
        (above, below) = (upper, lower)
        line += "▀"
      }
      return line + "\u{1b}[0m"
    }
  }

  /// The picture in another size: each pixel is the mean of the area that it covers.
  ///
  /// - Precondition: both sides are positive.
  public func resized(width newWidth: Int, height newHeight: Int) -> Canvas {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(3 * newWidth * newHeight)
    for y in 0..<newHeight {
      let rows = weights(y, of: newHeight, over: height)
      for x in 0..<newWidth {
        let columns = weights(x, of: newWidth, over: width)
        var (sum, weight) = (SIMD3<Double>.zero, 0.0)
        for (row, rowWeight) in rows {
          for (column, columnWeight) in columns {
            let at = 3 * (row * width + column)
            let share = rowWeight * columnWeight
            sum += share * SIMD3(Double(pixels[at]), Double(pixels[at + 1]), Double(pixels[at + 2]))
            weight += share
          }
        }
        let mean = sum / weight
        bytes += [UInt8(mean.x.rounded()), UInt8(mean.y.rounded()), UInt8(mean.z.rounded())]
      }
    }
    return Canvas(width: newWidth, height: newHeight, pixels: bytes)
  }

  /// The pixels, of `count`, that pixel `place` of `parts` covers, with the share of each.
  private func weights(_ place: Int, of parts: Int, over count: Int) -> [(Int, Double)] {
    let (start, end) = (Double(place * count) / Double(parts), Double((place + 1) * count) / Double(parts))
    return (Int(start)..<min(count, Int(end.rounded(.up)))).map { pixel in
      (pixel, min(end, Double(pixel + 1)) - max(start, Double(pixel)))
    }
  }
}
