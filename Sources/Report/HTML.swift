// HTML.swift — the parts of the page: tables, lists, cards, figures and their data.

enum HTML {
  /// A table; columns of numbers are right-aligned.
  ///
  /// - Parameters:
  ///   - rows: cells as text; they are escaped here.
  ///   - numeric: which columns hold numbers.
  static func table(caption: String, _ header: [String], _ rows: [[String]], numeric: Set<Int> = []) -> String {
    func cells(_ row: [String], _ tag: String, _ more: String = "") -> String {
      row.enumerated().map { index, text in
        if index == 0 && tag == "td" { return "<th scope=\"row\">\(text.escaped)</th>" }
        return "<\(tag)\(more)\(numeric.contains(index) ? " class=\"n\"" : "")>\(text.escaped)</\(tag)>"
      }.joined()
    }
    let head = element("thead", [:], element("tr", [:], cells(header, "th", " scope=\"col\"")))
    let body = element("tbody", [:], rows.map { element("tr", [:], cells($0, "td")) }.joined(separator: "\n"))
    // a tab stop, so that keys can scroll it
    return element(
      "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption],
      element("table", [:], element("caption", [:], caption.escaped) + head + body)) + "\n"
  }

  static func list(_ items: [String], style: String = "") -> String {
    "<ul\(style.isEmpty ? "" : " class=\"\(style)\"")>" + items.map { "<li>\($0.escaped)</li>" }.joined() + "</ul>\n"
  }

  /// Large cards, each with a name and a value.
  static func cards(_ items: [(String, String)]) -> String {
    "<dl class=\"cards\">"
      + items.map { "<div><dt>\($0.0.escaped)</dt><dd>\($0.1.escaped)</dd></div>" }.joined() + "</dl>\n"
  }

  // MARK: figures

  static func figure(_ figure: Figure) -> String {
    let id = figure.id
    let words =
      element("h3", ["id": id + "-title"], figure.title.escaped) + element("p", [:], figure.explanation.escaped)
    let picture = element(
      "svg",
      [
        "viewBox": "0 0 \(StaticChart.width.coordinate) \(StaticChart.height.coordinate)", "role": "img",
        "aria-labelledby": "\(id)-name \(id)-words",
      ],
      element("title", ["id": id + "-name"], figure.title.escaped)
        + element("desc", ["id": id + "-words"], figure.summary.escaped) + StaticChart(figure).elements())
    var text = element("figcaption", [:], words) + element("div", ["class": "chart"], picture)
    let entries = figure.series.filter { $0.kind != .thin }
    if entries.count > 1 || entries.first?.kind == .bold && figure.series.count > 1 {
      text += element("ul", ["class": "legend"], entries.map(legend).joined())
    }
    text += element(
      "details", [:], element("summary", [:], "Table: " + figure.title.escaped) + numbers(figure))
    return element("figure", ["id": id, "role": "group", "aria-labelledby": id + "-title"], text) + "\n"
  }

  private static func legend(_ line: Series) -> String {
    let sample = element("path", ["class": "line \(line.kind.rawValue) \(line.colour)", "d": "M0 5h28"])
    return element(
      "li", [:], element("svg", ["aria-hidden": "true", "viewBox": "0 0 28 10"], sample) + line.name.escaped)
  }

  /// The numbers of a figure in at most 24 rows: each line's value at that x, or its last value before it.
  static func numbers(_ figure: Figure) -> String {
    let lines = figure.series.filter { $0.kind != .reference && !$0.points.isEmpty }
    let all = Set(lines.flatMap { $0.points.map(\.x) }).sorted()
    let count = min(24, all.count)
    let places = (0..<count).map { count == 1 ? all[0] : all[$0 * (all.count - 1) / (count - 1)] }
    let rows = places.map { x in
      [x.short]
        + lines.map { line in
          guard let index = line.points.lastIndex(where: { $0.x <= x }) else { return "–" }
          let band = line.band.isEmpty || line.band[index].low.isNaN ? nil : line.band[index]
          return line.points[index].y.short + (band.map { " [\($0.low.short), \($0.high.short)]" } ?? "")
        }
    }
    return table(
      caption: "\(figure.title): at most 24 rows, each with the last value up to there",
      [figure.xLabel] + lines.map(\.name), rows, numeric: Set(0...lines.count))
  }

  /// The figures as JSON for the page's script. No `<` in it can end the element that holds it.
  static func data(_ figures: [Figure]) -> String {
    func string(_ text: String) -> String {
      var result = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "<": result += "\\u003c"
        case _ where scalar.value < 0x20: result += " "
        default: result.unicodeScalars.append(scalar)
        }
      }
      return result + "\""
    }
    func numbers(_ values: [Double]) -> String {
      "[" + values.map { $0.isFinite ? $0.digits(6) : "null" }.joined(separator: ",") + "]"
    }
    let objects = figures.map { figure in
      let series = figure.series.filter { !$0.points.isEmpty }.map { line in
        "{\"name\":\(string(line.name)),\"kind\":\"\(line.kind.rawValue)\",\"group\":\(line.group),"
          + "\"x\":\(numbers(line.points.map(\.x))),\"y\":\(numbers(line.points.map(\.y)))"
          + (line.band.isEmpty
            ? "" : ",\"low\":\(numbers(line.band.map(\.low))),\"high\":\(numbers(line.band.map(\.high)))") + "}"
      }
      return "{\"id\":\(string(figure.id)),\"title\":\(string(figure.title)),\"x\":\(string(figure.xLabel)),"
        + "\"y\":\(string(figure.yLabel)),\"log\":\(figure.isLogarithmic),\"positive\":\(figure.isPositive),"
        + "\"series\":[\(series.joined(separator: ","))]}"
    }
    return "[" + objects.joined(separator: ",\n") + "]"
  }
}
