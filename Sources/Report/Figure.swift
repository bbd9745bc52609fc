// Figure.swift — a figure as data: text, axes and series, from which pictures, tables and CSV are made.

struct Point: Sendable, Equatable {
  var x: Double
  var y: Double
}

/// A line of a figure, with an interval around it where one is known.
struct Series: Sendable {
  enum Kind: String, Sendable {
    /// One run of several.
    case thin
    /// The mean of a group of runs, or a run that is alone in its group.
    case bold
    /// A bound or a threshold.
    case reference
  }

  var name: String
  /// The number that chooses its colour and dash.
  var group: Int
  var kind: Kind
  var points: [Point]
  /// One interval for each point, or none.
  var band: [Interval95] = []
}

struct Figure: Sendable {
  /// A stable name of letters, digits and hyphens, for the page and for files.
  var id: String
  var title: String
  /// What the figure shows, in a sentence or two.
  var explanation: String
  var xLabel: String
  var yLabel: String
  var series: [Series]
  /// The y axis is logarithmic at first.
  var isLogarithmic = false

  /// Whether there is nothing to draw.
  var isEmpty: Bool { !series.contains { $0.kind != .reference && !$0.points.isEmpty } }

  /// Whether a logarithmic y axis shows every value.
  var isPositive: Bool { series.allSatisfy { $0.points.allSatisfy { $0.y > 0 } } }

  /// A description for screen readers: where each main line begins and ends.
  var summary: String {
    let main = series.filter { $0.kind == .bold }
    let lines = (main.isEmpty ? series.filter { $0.kind == .thin } : main).prefix(8).compactMap { line -> String? in
      guard let first = line.points.first, let last = line.points.last else { return nil }
      if line.points.count == 1 { return "\(line.name): \(first.y.short) at \(first.x.short)." }
      let values = line.points.map(\.y)
      return "\(line.name): from \(first.y.short) at \(first.x.short) to \(last.y.short) at \(last.x.short), "
        + "lowest \((values.min() ?? .nan).short), highest \((values.max() ?? .nan).short)."
    }
    return "\(title), \(yLabel) by \(xLabel). " + lines.joined(separator: " ")
  }

  /// The values as CSV, a row for each point.
  var csv: String {
    func quoted(_ text: String) -> String {
      guard text.contains(where: { ",\"\n".contains($0) }) else { return text }
      return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
    var text = "series,kind,x,y,low,high\n"
    for line in series {
      for (index, point) in line.points.enumerated() {
        let band = line.band.isEmpty ? Interval95.unknown : line.band[index]
        let numbers = [point.x, point.y, band.low, band.high].map { $0.isNaN ? "" : $0.digits(7) }
        text += "\(quoted(line.name)),\(line.kind.rawValue),\(numbers.joined(separator: ","))\n"
      }
    }
    return text
  }
}

extension [Point] {
  /// At most `count` points: means of neighbours.
  func thinned(to count: Int) -> [Point] {
    guard self.count > count, count > 0 else { return self }
    return (0..<count).map { bin in
      let part = self[(bin * self.count / count)..<((bin + 1) * self.count / count)]
      let size = Double(part.count)
      return Point(x: part.reduce(0) { $0 + $1.x } / size, y: part.reduce(0) { $0 + $1.y } / size)
    }
  }
}
