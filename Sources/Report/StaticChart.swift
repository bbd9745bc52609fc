// StaticChart.swift — a figure as SVG: what a page shows before its script runs, and what a picture file holds.

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
    // bands of an unsure beginning must not flatten the rest of a logarithmic axis
    let ys = figure.series.flatMap { line in
      line.points.map(\.y) + (isLogarithmic ? [] : line.band.flatMap { [$0.low, $0.high] })
    }.filter(\.isFinite)
    x = Axis(xs, from: Self.left, to: Self.width - Self.right)
    y = Axis(ys, from: Self.height - Self.bottom, to: Self.top, isLogarithmic: isLogarithmic)
  }

  /// - Parameter offset: how far down it is drawn.
  func elements(offset: Double = 0) -> String {
    let (left, right) = (Self.left.coordinate, (Self.width - Self.right).coordinate)
    var text = ""
    for tick in y.ticks {
      let at = (y.place(tick) + offset).coordinate
      text += element("line", ["class": "grid", "x1": left, "x2": right, "y1": at, "y2": at])
      text += element(
        "text",
        [
          "class": "tick", "text-anchor": "end", "dominant-baseline": "middle", "x": (Self.left - 6).coordinate,
          "y": at,
        ], tick.short)
    }
    let floor = Self.height - Self.bottom + offset
    for tick in x.ticks {
      text += element(
        "text",
        [
          "class": "tick", "text-anchor": "middle", "x": x.place(tick).coordinate, "y": (floor + 16).coordinate,
        ], tick.short)
    }
    let at = floor.coordinate
    text += element("line", ["class": "axis", "x1": left, "x2": right, "y1": at, "y2": at])
    let center = ((Self.left + Self.width - Self.right) / 2).coordinate
    text += element(
      "text", ["class": "label", "text-anchor": "middle", "x": center, "y": (floor + 36).coordinate],
      figure.xLabel.escaped)
    let middle = ((Self.top + Self.height - Self.bottom) / 2 + offset).coordinate
    text += element(
      "text", ["class": "label", "text-anchor": "middle", "transform": "translate(13 \(middle)) rotate(-90)"],
      figure.yLabel.escaped)
    for line in figure.series where !line.band.isEmpty { text += band(line, offset) }
    for kind in [Series.Kind.reference, .thin, .bold] {
      for line in figure.series where line.kind == kind { text += path(line, offset) }
    }
    return text
  }

  private func path(_ line: Series, _ offset: Double) -> String {
    let places = line.points.map { (x.place($0.x).coordinate, (y.place($0.y) + offset).coordinate) }
    guard let first = places.first else { return "" }
    if places.count == 1 {
      return element("circle", ["class": "dot \(line.colour)", "cx": first.0, "cy": first.1, "r": "3.5"])
    }
    let steps = places.map { "\($0.0) \($0.1)" }.joined(separator: "L")
    return element("path", ["class": "line \(line.kind.rawValue) \(line.colour)", "d": "M" + steps])
  }

  private func band(_ line: Series, _ offset: Double) -> String {
    let known = zip(line.points, line.band).filter { _, band in
      band.low.isFinite && band.high.isFinite && (!y.isLogarithmic || band.low > 0)
    }
    guard known.count > 1 else { return "" }
    let above = known.map { "\(x.place($0.x).coordinate) \((y.place($1.high) + offset).coordinate)" }
    let below = known.reversed().map { "\(x.place($0.x).coordinate) \((y.place($1.low) + offset).coordinate)" }
    return element("path", ["class": "band \(line.colour)", "d": "M\((above + below).joined(separator: "L"))Z"])
  }

  /// The figure as a file of its own, with title and legend.
  var file: String {
    let entries = figure.series.filter { $0.kind != .thin }
    let head = 34.0 + 18 * Double(entries.count)
    var text = element("title", [:], figure.title.escaped) + element("desc", [:], figure.summary.escaped)
    text += element("style", [:], PageStyle.chart)
    text += element("rect", ["class": "paper", "width": "100%", "height": "100%"])
    text += element("text", ["class": "title", "x": Self.left.coordinate, "y": "22"], figure.title.escaped)
    for (index, line) in entries.enumerated() {
      let at = (40 + 18 * Double(index)).coordinate
      text += element(
        "path", ["class": "line \(line.kind.rawValue) \(line.colour)", "d": "M\(Self.left.coordinate) \(at)h28"])
      text += element(
        "text", ["class": "label", "dominant-baseline": "middle", "x": (Self.left + 36).coordinate, "y": at],
        line.name.escaped)
    }
    return element(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": "0 0 \(Self.width.coordinate) \((Self.height + head).coordinate)", "role": "img",
      ], text + elements(offset: head)) + "\n"
  }
}

extension Series {
  /// The class of its colour and dash.
  var colour: String { "s\(group % 8)" }
}

/// From values to places on the chart.
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

  /// Some five round values; on a logarithmic axis powers of ten.
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
