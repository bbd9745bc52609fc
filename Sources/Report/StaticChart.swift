// StaticChart.swift — draws a figure as a chart of fixed size, for picture files and for a page without its script.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A chart of fixed size; a viewer may scale it.
struct StaticChart {
  static let width = 720.0
  static let height = 300.0
  private static let (left, right, top, bottom) = (64.0, 14.0, 10.0, 44.0)

  private let figure: Figure
  private let x: Axis
  private let y: Axis

  init(_ figure: Figure) {
    self.figure = figure
    let xs = figure.series.flatMap { $0.points.map(\.x) }
    let isLogarithmic = figure.isLogarithmic && figure.isPositive
    // wide bands at the beginning must not flatten the rest of a logarithmic axis
    let ys = figure.series.flatMap { line in
      line.points.map(\.y) + (isLogarithmic ? [] : line.band.flatMap { [$0.low, $0.high] })
    }.filter(\.isFinite)
    x = Axis(xs, from: Self.left, to: Self.width - Self.right)
    y = Axis(ys, from: Self.height - Self.bottom, to: Self.top, isLogarithmic: isLogarithmic)
  }

  /// - Parameter offset: the distance by which it is moved down.
  func elements(offset: Double = 0) -> String { marks(offset: offset).map(\.svg).joined() }

  /// The shapes of the chart, from the bottom layer to the top.
  private func marks(offset: Double) -> [ChartMark] {
    let (left, right) = (Self.left, Self.width - Self.right)
    let floor = Self.height - Self.bottom + offset
    var marks: [ChartMark] = []
    for tick in y.ticks {
      let at = y.place(tick) + offset
      marks.append(ChartMark("grid", .rule(from: Point(x: left, y: at), to: Point(x: right, y: at))))
      marks.append(
        ChartMark("tick", .text(tick.tick, at: Point(x: Self.left - 6, y: at), .end, isCentred: true)))
    }
    for tick in x.ticks {
      // the last label stays within the picture: a digit is at most 7.6 units wide
      let at = min(x.place(tick), Self.width - 2 - 3.8 * Double(tick.tick.count))
      marks.append(ChartMark("tick", .text(tick.tick, at: Point(x: at, y: floor + 16), .middle)))
    }
    marks.append(ChartMark("axis", .rule(from: Point(x: left, y: floor), to: Point(x: right, y: floor))))
    let centre = (Self.left + Self.width - Self.right) / 2
    marks.append(ChartMark("label", .text(figure.xLabel, at: Point(x: centre, y: floor + 36), .middle)))
    let middle = (Self.top + Self.height - Self.bottom) / 2 + offset
    marks.append(ChartMark("label", .upwards(figure.yLabel, at: Point(x: 13, y: middle))))
    for line in figure.series where !line.band.isEmpty { marks += band(line, offset) }
    for kind in [Series.Kind.reference, .thin, .bold] {
      for line in figure.series where line.kind == kind { marks += path(line, offset) }
    }
    return marks
  }

  private func path(_ line: Series, _ offset: Double) -> [ChartMark] {
    let places = line.points.map { Point(x: x.place($0.x), y: y.place($0.y) + offset) }
    guard let first = places.first else { return [] }
    if places.count == 1 { return [ChartMark("dot \(line.colour)", .dot(first))] }
    return [ChartMark(line.style, .path(places))]
  }

  private func band(_ line: Series, _ offset: Double) -> [ChartMark] {
    let known = zip(line.points, line.band).filter { _, band in
      band.low.isFinite && band.high.isFinite && (!y.isLogarithmic || band.low > 0)
    }
    guard known.count > 1 else { return [] }
    let above = known.map { Point(x: x.place($0.x), y: y.place($1.high) + offset) }
    let below = known.reversed().map { Point(x: x.place($0.x), y: y.place($1.low) + offset) }
    return [ChartMark("band \(line.colour)", .area(above + below))]
  }

  // MARK: files

  /// The lines in the legend of a file.
  private var entries: [Series] { figure.series.filter { $0.kind != .thin } }
  private var head: Double { 34 + 18 * Double(entries.count) }

  /// Title and legend of a file, then the chart.
  private var fileMarks: [ChartMark] {
    var marks = [ChartMark("title", .text(figure.title, at: Point(x: Self.left, y: 22), .start))]
    for (index, line) in entries.enumerated() {
      let at = 40 + 18 * Double(index)
      marks.append(ChartMark(line.style, .sample(Point(x: Self.left, y: at))))
      marks.append(ChartMark("label", .text(line.name, at: Point(x: Self.left + 36, y: at), .start, isCentred: true)))
    }
    return marks + self.marks(offset: head)
  }

  /// The figure as a file of its own, with title and legend.
  var file: String {
    var text = element("title", [:], figure.title.escaped) + element("desc", [:], figure.summary.escaped)
    text += element("style", [:], PageStyle.chart)
    text += element("rect", ["class": "paper", "width": "100%", "height": "100%"])
    text += fileMarks.map(\.svg).joined()
    return element(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": "0 0 \(Self.width.coordinate) \((Self.height + head).coordinate)", "role": "img",
      ], text) + "\n"
  }

  /// The same as a PNG file, in light colours, two pixels for each unit.
  var png: [UInt8] {
    var painter = ChartPainter(width: Self.width, height: Self.height + head, scale: 2)
    for mark in fileMarks { painter.draw(mark) }
    return painter.canvas.png
  }
}

extension Series {
  /// The class of its colour and dash.
  var colour: String { "s\(group % 8)" }
  /// The classes of its line.
  var style: String { "line \(kind.rawValue) \(colour)" }
}

/// Maps values to coordinates of the chart.
struct Axis {
  let isLogarithmic: Bool
  private let low: Double
  private let high: Double
  private let start: Double
  private let end: Double

  init(_ values: [Double], from start: Double, to end: Double, isLogarithmic: Bool = false) {
    var (low, high) = (values.min() ?? 0, values.max() ?? 1)
    self.isLogarithmic = isLogarithmic && low > 0
    if self.isLogarithmic {
      (low, high) = (log10(low), log10(high))
    }
    // one value alone is in the middle
    if high - low < 1e-9 * max(1, abs(high)) { (low, high) = (low - 0.5, high + 0.5) }
    // values do not touch the frame
    let margin = start > end ? 0.04 * (high - low) : 0
    (self.low, self.high) = (low - margin, high + margin)
    (self.start, self.end) = (start, end)
  }

  func place(_ value: Double) -> Double {
    let value = isLogarithmic ? log10(value) : value
    return start + (value - low) / (high - low) * (end - start)
  }

  /// About five round values; on a logarithmic axis powers of ten.
  var ticks: [Double] {
    if isLogarithmic {
      let whole = Array(Int(low.rounded(.up))...max(Int(low.rounded(.up)), Int(high.rounded(.down))))
      if whole.count >= 2 {
        let every = (whole.count + 5) / 6
        return whole.filter { $0 % every == 0 }.map(Self.power)
      }
      return Self.round(pow(10, low), pow(10, high))
    }
    return Self.round(low, high)
  }

  private static func round(_ low: Double, _ high: Double) -> [Double] {
    let rough = (high - low) / 5
    guard rough > 0, rough.isFinite else { return [low] }
    let unit = power(Int(log10(rough).rounded(.down)))
    let step = ([1, 2, 2.5, 5, 10].first { $0 * unit >= rough * 0.999 } ?? 10) * unit
    let first = (low / step).rounded(.up)
    return (0..<12).map { (first + Double($0)) * step }.filter { $0 <= high + 1e-9 * step }
  }

  private static func power(_ exponent: Int) -> Double {
    var value = 1.0
    for _ in 0..<min(300, abs(exponent)) { value *= 10 }
    return exponent < 0 ? 1 / value : value
  }
}
