// Canvas.swift — a picture in memory, with polygons, lines, discs and text with smooth edges.
//
// It needs no graphics library and no display. The same calls give the same bytes.

/// A picture of `width` × `height` pixels. Positions are in pixels, x to the right, y down, (0, 0) the upper left corner.
///
///     var canvas = Canvas(width: 200, height: 100, background: .white)
///     canvas.fill([[20, 80], [100, 20], [180, 80]], Colour(0x0b62a4))
///     canvas.text("a triangle", at: [100, 90], size: 12, .black, alignment: .middle)
///     let bytes = canvas.png
public struct Canvas: Sendable, Equatable {
  /// Pixels from left to right.
  public let width: Int
  /// Pixels from top to bottom.
  public let height: Int
  /// Red, green and blue of each pixel, row by row (height × width × 3).
  public private(set) var pixels: [UInt8]

  /// A picture of one colour.
  ///
  /// - Precondition: both sides are positive.
  public init(width: Int, height: Int, background: Colour) {
    precondition(width > 0 && height > 0, "a picture of \(width) × \(height) pixels")
    (self.width, self.height) = (width, height)
    pixels = []
    pixels.reserveCapacity(3 * width * height)
    for _ in 0..<width * height { pixels += [background.red, background.green, background.blue] }
  }

  /// A picture of given pixels.
  ///
  /// - Precondition: there are width · height · 3 bytes.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && pixels.count == 3 * width * height,
      "\(pixels.count) bytes for \(width) × \(height) pixels")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// The colour of a pixel.
  ///
  /// - Precondition: the pixel is in the picture.
  public subscript(x: Int, y: Int) -> Colour {
    get {
      precondition(x >= 0 && x < width && y >= 0 && y < height, "pixel (\(x), \(y)) of \(width) × \(height)")
      let at = 3 * (y * width + x)
      return Colour(pixels[at], pixels[at + 1], pixels[at + 2])
    }
    set { blend(newValue, coverage: 1, x, y) }
  }

  // MARK: shapes

  /// Fills a polygon. A part that the polygon covers twice is filled once.
  public mutating func fill(_ corners: [SIMD2<Double>], _ colour: Colour) {
    paint(Coverage(polygon: corners, width: width, height: height), colour)
  }

  /// Draws a line through `points` with round ends and corners. One point alone is a dot.
  ///
  /// - Parameters:
  ///   - width: in pixels.
  ///   - dash: lengths of dashes and gaps in turn, in pixels; empty for a solid line.
  public mutating func stroke(
    _ points: [SIMD2<Double>], width: Double, _ colour: Colour, isClosed: Bool = false, dash: [Double] = []
  ) {
    guard let first = points.first else { return }
    let whole = isClosed ? points + [first] : points
    let lines = dash.isEmpty ? [whole] : dashes(of: whole, dash)
    paint(Coverage(lines: lines, lineWidth: width, width: self.width, height: height), colour)
  }

  /// Fills a disc.
  public mutating func disc(_ centre: SIMD2<Double>, radius: Double, _ colour: Colour) {
    paint(Coverage(lines: [[centre]], lineWidth: 2 * radius, width: width, height: height), colour)
  }

  /// Fills an upright rectangle.
  public mutating func rectangle(from low: SIMD2<Double>, to high: SIMD2<Double>, _ colour: Colour) {
    fill([low, [high.x, low.y], high, [low.x, high.y]], colour)
  }

  // MARK: text

  /// The part of a text that is at the given position.
  public enum Alignment: Sendable {
    /// Its start.
    case start
    /// Its middle.
    case middle
    /// Its end.
    case end
  }

  /// Writes one line in the built-in font. A character that the font does not have is a box.
  ///
  /// - Parameters:
  ///   - place: on the base line, at the start, middle or end of the text.
  ///   - size: height of the line in pixels; capitals are 0.7 of it.
  ///   - weight: width of the strokes, as a share of `size`.
  ///   - isUpwards: rotated by 90°, to be read upwards.
  public mutating func text(
    _ text: String, at place: SIMD2<Double>, size: Double, _ colour: Colour, alignment: Alignment = .start,
    weight: Double = 0.085, isUpwards: Bool = false
  ) {
    let length = StrokeFont.width(of: text) * size
    let start =
      switch alignment {
      case .start: 0.0
      case .middle: -length / 2
      case .end: -length
      }
    var lines = StrokeFont.lines(of: text)
    for index in lines.indices {
      for point in lines[index].indices {
        let local = lines[index][point] * size + [start, 0]
        lines[index][point] = place + (isUpwards ? [local.y, -local.x] : local)
      }
    }
    paint(Coverage(lines: lines, lineWidth: weight * size, width: width, height: height), colour)
  }

  /// The length of a line of text in pixels.
  public static func width(of text: String, size: Double) -> Double { StrokeFont.width(of: text) * size }

  // MARK: pixels

  /// A copy of a rectangle of the picture.
  ///
  /// - Precondition: the rectangle lies within the picture.
  public func part(x: Range<Int>, y: Range<Int>) -> Canvas {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(3 * x.count * y.count)
    for row in y { bytes += pixels[3 * (row * width + x.lowerBound)..<3 * (row * width + x.upperBound)] }
    return Canvas(width: x.count, height: y.count, pixels: bytes)
  }

  /// The smallest rectangle that contains all differing pixels; nil where the pictures are equal.
  ///
  /// - Precondition: both have the same size.
  func difference(from other: Canvas) -> (x: Range<Int>, y: Range<Int>)? {
    precondition(width == other.width && height == other.height, "pictures of two sizes")
    var (left, right, top, bottom) = (width, -1, height, -1)
    for y in 0..<height {
      let row = 3 * y * width..<3 * (y + 1) * width
      guard pixels[row] != other.pixels[row] else { continue }
      (top, bottom) = (min(top, y), y)
      for x in 0..<width {
        let at = row.lowerBound + 3 * x
        if pixels[at] != other.pixels[at] || pixels[at + 1] != other.pixels[at + 1]
          || pixels[at + 2] != other.pixels[at + 2]
        {
          (left, right) = (min(left, x), max(right, x))
        }
      }
    }
    return bottom < 0 ? nil : (left..<right + 1, top..<bottom + 1)
  }

  private mutating func paint(_ coverage: Coverage, _ colour: Colour) {
    for y in coverage.y {
      for x in coverage.x {
        let share = coverage[x, y]
        if share > 0 { blend(colour, coverage: Double(share), x, y) }
      }
    }
  }

  private mutating func blend(_ colour: Colour, coverage: Double, _ x: Int, _ y: Int) {
    let at = 3 * (y * width + x)
    let share = coverage * colour.opacity
    // c ← c + share (colour − c)
    for (offset, value) in [colour.red, colour.green, colour.blue].enumerated() {
      let below = Double(pixels[at + offset])
      pixels[at + offset] = UInt8((below + share * (Double(value) - below)).rounded())
    }
  }
}

/// The dashes of a line.
private func dashes(of points: [SIMD2<Double>], _ pattern: [Double]) -> [[SIMD2<Double>]] {
  precondition(pattern.allSatisfy { $0 > 0 }, "dashes of \(pattern) pixels")
  var lines: [[SIMD2<Double>]] = []
  var (index, left, isDrawn) = (0, pattern[0], true)
  var current: [SIMD2<Double>] = points.first.map { [$0] } ?? []
  for (from, to) in zip(points, points.dropFirst()) {
    let length = (to - from).length
    var done = 0.0
    while length - done > left {
      done += left
      let point = from + (to - from) * (done / length)
      if isDrawn {
        lines.append(current + [point])
        current = []
      } else {
        current = [point]
      }
      isDrawn.toggle()
      index = (index + 1) % pattern.count
      left = pattern[index]
    }
    left -= length - done
    if isDrawn { current.append(to) }
  }
  if isDrawn && current.count > 1 { lines.append(current) }
  return lines
}

extension SIMD2<Double> {
  /// ‖v‖
  var length: Double { (self * self).sum().squareRoot() }
}
