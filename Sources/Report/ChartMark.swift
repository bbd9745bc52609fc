// ChartMark.swift — the shapes of a chart: lines, areas, dots and text, as SVG and on a canvas.

import Pictures

/// A shape of a chart with the classes of its style.
struct ChartMark {
  enum Anchor: String { case start, middle, end }

  enum Shape {
    case rule(from: Point, to: Point)
    /// `at` is on the base line, or at half the height if `isCentred`.
    case text(String, at: Point, Anchor, isCentred: Bool = false)
    /// Text rotated by 90° to be read upwards, centred at its place.
    case upwards(String, at: Point)
    case path([Point])
    case area([Point])
    case dot(Point)
    /// A line of 28 units to the right: the sample of a legend.
    case sample(Point)
  }

  let style: String
  let shape: Shape

  init(_ style: String, _ shape: Shape) { (self.style, self.shape) = (style, shape) }

  var svg: String {
    switch shape {
    case .rule(let from, let to):
      return element(
        "line",
        [
          "class": style, "x1": from.x.coordinate, "x2": to.x.coordinate, "y1": from.y.coordinate,
          "y2": to.y.coordinate,
        ])
    case .text(let text, let at, let anchor, let isCentred):
      // attributes with their default values are left out
      var attributes = ["class=\"\(style)\""]
      if anchor != .start { attributes.append("text-anchor=\"\(anchor.rawValue)\"") }
      if isCentred { attributes.append("dominant-baseline=\"middle\"") }
      attributes += ["x=\"\(at.x.coordinate)\"", "y=\"\(at.y.coordinate)\""]
      return "<text \(attributes.joined(separator: " "))>\(text.escaped)</text>"
    case .upwards(let text, let at):
      return element(
        "text",
        [
          "class": style, "text-anchor": "middle",
          "transform": "translate(\(at.x.coordinate) \(at.y.coordinate)) rotate(-90)",
        ], text.escaped)
    case .path(let points): return element("path", ["class": style, "d": "M\(Self.steps(points))"])
    case .area(let points): return element("path", ["class": style, "d": "M\(Self.steps(points))Z"])
    case .dot(let at):
      return element("circle", ["class": style, "cx": at.x.coordinate, "cy": at.y.coordinate, "r": "3.5"])
    case .sample(let at):
      return element("path", ["class": style, "d": "M\(at.x.coordinate) \(at.y.coordinate)h28"])
    }
  }

  private static func steps(_ points: [Point]) -> String {
    points.map { "\($0.x.coordinate) \($0.y.coordinate)" }.joined(separator: "L")
  }
}

/// Draws marks as a browser does with `PageStyle.chart`.
struct ChartPainter {
  private(set) var canvas: Canvas
  private let scale: Double

  init(width: Double, height: Double, scale: Double) {
    canvas = Canvas(
      width: Int((width * scale).rounded()), height: Int((height * scale).rounded()),
      background: PageStyle.colour("paper"))
    self.scale = scale
  }

  mutating func draw(_ mark: ChartMark) {
    let classes = mark.style.split(separator: " ").map(String.init)
    let group = classes.last.flatMap { $0.hasPrefix("s") ? Int($0.dropFirst()) : nil }
    let own = group.map { PageStyle.colour("s\($0)") }
    switch mark.shape {
    case .rule(let from, let to):
      let colour = PageStyle.colour(classes == ["grid"] ? "rule" : "soft")
      canvas.stroke([place(from), place(to)], width: scale, colour)
    case .text(let text, let at, let anchor, let isCentred):
      write(text, at: at, anchor, isCentred ? 4 : 0, classes)
    case .upwards(let text, let at):
      let size = 12 * scale
      canvas.text(
        text, at: place(Point(x: at.x, y: at.y)), size: size, PageStyle.colour("soft"), alignment: .middle,
        isUpwards: true)
    case .area(let points): canvas.fill(points.map(place), (own ?? .black).faded(0.18))
    case .dot(let at): canvas.disc(place(at), radius: 3.5 * scale, own ?? .black)
    case .path(let points): line(points, classes, group, own)
    case .sample(let at): line([at, Point(x: at.x + 28, y: at.y)], classes, group, own)
    }
  }

  private mutating func line(_ points: [Point], _ classes: [String], _ group: Int?, _ own: Colour?) {
    let (width, colour, dash): (Double, Colour, [Double]) =
      if classes.contains("reference") {
        (1.2, PageStyle.colour("soft"), [2, 4])
      } else if classes.contains("thin") {
        (1, (own ?? .black).faded(0.45), [])
      } else {
        (2.4, own ?? .black, PageStyle.dashes[(group ?? 0) % 4])
      }
    // round ends lengthen each dash by its width; browsers draw dashes with flat ends
    let round = dash.enumerated().map { $0 % 2 == 0 ? max(0.1, $1 - width) : $1 + width }
    canvas.stroke(points.map(place), width: width * scale, colour, dash: round.map { $0 * scale })
  }

  private mutating func write(
    _ text: String, at place: Point, _ anchor: ChartMark.Anchor, _ drop: Double, _ classes: [String]
  ) {
    let isTitle = classes == ["title"]
    let alignment: Canvas.Alignment =
      switch anchor {
      case .start: .start
      case .middle: .middle
      case .end: .end
      }
    canvas.text(
      text, at: self.place(Point(x: place.x, y: place.y + drop)), size: (isTitle ? 16 : 12) * scale,
      PageStyle.colour(isTitle ? "ink" : "soft"), alignment: alignment, weight: isTitle ? 0.12 : 0.085)
  }

  private func place(_ point: Point) -> SIMD2<Double> { scale * SIMD2(point.x, point.y) }
}
