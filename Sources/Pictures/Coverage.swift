// Coverage.swift — how much of each pixel a shape covers.

/// Shares between 0 and 1 within a rectangle of pixels; 0 everywhere else.
struct Coverage {
  private(set) var x: Range<Int>
  private(set) var y: Range<Int>
  private var shares: [Float]  // (y × x)

  subscript(column: Int, row: Int) -> Float {
    shares[(row - y.lowerBound) * x.count + column - x.lowerBound]
  }

  /// The pixels that a shape with these ends may touch.
  private init(_ low: SIMD2<Double>, _ high: SIMD2<Double>, width: Int, height: Int) {
    func range(_ low: Double, _ high: Double, _ count: Int) -> Range<Int> {
      guard low.isFinite, high.isFinite, low < Double(count), high > 0 else { return 0..<0 }
      let first = max(0, Int(max(low, 0).rounded(.down)))
      return first..<max(first, min(count, Int(min(high, Double(count)).rounded(.up))))
    }
    x = range(low.x, high.x, width)
    y = range(low.y, high.y, height)
    if x.isEmpty || y.isEmpty { (x, y) = (0..<0, 0..<0) }
    shares = [Float](repeating: 0, count: x.count * y.count)
  }

  /// A point so near that no product of its coordinates leaves the range of numbers: 10⁸ pixels are as far as it gets.
  private static func bounded(_ point: SIMD2<Double>) -> SIMD2<Double> {
    guard !point.x.isNaN, !point.y.isNaN else { return [.nan, .nan] }
    return point.clamped(lowerBound: [-1e8, -1e8], upperBound: [1e8, 1e8])
  }

  // MARK: polygons

  /// Exact areas: each edge adds, to the pixels of its rows, the signed area between it and the right end of the pixel, and what
  /// is further right is added up in the end.
  init(polygon points: [SIMD2<Double>], width: Int, height: Int) {
    let corners = points.map(Self.bounded)
    guard let first = corners.first, corners.count > 2 else {
      self.init([0, 0], [0, 0], width: 0, height: 0)
      return
    }
    let low = corners.reduce(first) { pointwiseMin($0, $1) }
    let high = corners.reduce(first) { pointwiseMax($0, $1) }
    self.init(low, high, width: width, height: height)
    guard !shares.isEmpty, corners.allSatisfy({ !$0.x.isNaN && !$0.y.isNaN }) else { return }
    // one more column takes what lies right of the last
    var sums = [Float](repeating: 0, count: (x.count + 1) * y.count)
    for (from, to) in zip(corners, corners.dropFirst() + [first]) { addEdge(from, to, &sums) }
    for row in 0..<y.count {
      var sum: Float = 0
      for column in 0..<x.count {
        sum += sums[row * (x.count + 1) + column]
        shares[row * x.count + column] = min(abs(sum), 1)
      }
    }
  }

  private func addEdge(_ from: SIMD2<Double>, _ to: SIMD2<Double>, _ sums: inout [Float]) {
    guard from.y != to.y else { return }
    let direction: Double = from.y < to.y ? 1 : -1
    let (upper, lower) = from.y < to.y ? (from, to) : (to, from)
    let slope = (lower.x - upper.x) / (lower.y - upper.y)
    let top = max(upper.y, Double(y.lowerBound))
    let bottom = min(lower.y, Double(y.upperBound))
    guard top < bottom else { return }
    for row in Int(top)..<min(y.upperBound, Int(bottom.rounded(.up))) {
      let (start, end) = (max(top, Double(row)), min(bottom, Double(row + 1)))
      let height = end - start
      guard height > 0 else { continue }
      let limit = Double(x.count)
      // left of the rectangle all of it counts, right of it nothing does
      let first = min(max(upper.x + slope * (start - upper.y) - Double(x.lowerBound), 0), limit)
      let last = min(max(upper.x + slope * (end - upper.y) - Double(x.lowerBound), 0), limit)
      addPart(min(first, last), max(first, last), direction * height, row - y.lowerBound, &sums)
    }
  }

  /// A part of an edge within one row, from column place `left` to `right`, of some signed height.
  private func addPart(_ left: Double, _ right: Double, _ height: Double, _ row: Int, _ sums: inout [Float]) {
    let base = row * (x.count + 1)
    let (first, last) = (min(Int(left), x.count), min(Int(right), x.count))
    if first == last {
      // the trapezium within one pixel
      let inside = 1 - ((left + right) / 2 - Double(first))
      sums[base + first] += Float(height * inside)
      if first < x.count { sums[base + first + 1] += Float(height * (1 - inside)) }
      return
    }
    // the area right of the edge, pixel by pixel, of which each adds what the one before has not
    var counted = 0.0
    for column in first...last {
      let (start, end) = (max(left, Double(column)), min(right, Double(column + 1)))
      let part = height * (end - start) / (right - left)
      let before = height * (start - left) / (right - left)
      let area = before + part * (1 - ((start + end) / 2 - Double(column)))
      sums[base + column] += Float(area - counted)
      counted = area
    }
    if last < x.count { sums[base + last + 1] += Float(height - counted) }
  }

  // MARK: lines

  /// Lines with round ends: a pixel is covered as far as its centre lies within half a width of a line.
  init(lines points: [[SIMD2<Double>]], lineWidth: Double, width: Int, height: Int) {
    let lines = points.map { $0.map(Self.bounded) }
    let radius = lineWidth / 2
    guard let first = lines.lazy.compactMap(\.first).first, radius > 0 else {
      self.init([0, 0], [0, 0], width: 0, height: 0)
      return
    }
    var (low, high) = (first, first)
    for point in lines.joined() { (low, high) = (pointwiseMin(low, point), pointwiseMax(high, point)) }
    let margin = SIMD2(repeating: radius + 1)
    self.init(low - margin, high + margin, width: width, height: height)
    guard !shares.isEmpty else { return }
    for line in lines {
      if line.count == 1 { addSegment(line[0], line[0], radius) }
      for (from, to) in zip(line, line.dropFirst()) { addSegment(from, to, radius) }
    }
  }

  private mutating func addSegment(_ from: SIMD2<Double>, _ to: SIMD2<Double>, _ radius: Double) {
    guard from.x.isFinite, from.y.isFinite, to.x.isFinite, to.y.isFinite else { return }
    let reach = radius + 1
    let along = to - from
    let squared = (along * along).sum()
    let rows = clipped(min(from.y, to.y) - reach, max(from.y, to.y) + reach, to: y)
    // lines thinner than a pixel are as wide as one, and fainter
    let strength = min(1, 2 * radius)
    let inner = max(radius, 0.5)
    for row in rows {
      let centreY = Double(row) + 0.5
      // the part of the line that is near this row
      var (start, end) = (0.0, 1.0)
      if along.y != 0 {
        let first = (centreY - reach - from.y) / along.y
        let second = (centreY + reach - from.y) / along.y
        start = min(max(min(first, second), 0), 1)
        end = min(max(max(first, second), 0), 1)
      }
      let (left, right) = (from.x + start * along.x, from.x + end * along.x)
      for column in clipped(min(left, right) - reach, max(left, right) + reach, to: x) {
        let offset = SIMD2(Double(column) + 0.5, centreY) - from
        let share = squared > 0 ? min(max((offset * along).sum() / squared, 0), 1) : 0
        let distance = (offset - share * along).length
        let covered = Float(strength * min(max(inner + 0.5 - distance, 0), 1))
        let place = (row - y.lowerBound) * x.count + column - x.lowerBound
        if covered > shares[place] { shares[place] = covered }
      }
    }
  }

  private func clipped(_ low: Double, _ high: Double, to range: Range<Int>) -> Range<Int> {
    let (lowest, highest) = (Double(range.lowerBound), Double(range.upperBound))
    let first = Int(min(max(low.rounded(.down), lowest), highest))
    return first..<max(first, Int(min(max(high.rounded(.up), lowest), highest)))
  }
}
