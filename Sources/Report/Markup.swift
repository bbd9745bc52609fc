// Markup.swift — elements of HTML and SVG as text, with what comes from outside escaped.

/// An element; its content is markup already, its attributes are escaped here.
func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: String? = nil) -> String {
  let list = attributes.map { " \($0.key)=\"\($0.value.escaped)\"" }.joined()
  guard let content else { return "<\(name)\(list)/>" }
  return "<\(name)\(list)>\(content)</\(name)>"
}

extension String {
  /// As text or in quotes within HTML and SVG.
  var escaped: String {
    var text = ""
    for character in self {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      default: text.append(character)
      }
    }
    return text
  }
}

extension Double {
  /// To a tenth of a unit of the drawing.
  var coordinate: String {
    guard isFinite else { return "0" }
    let tenths = (self * 10).rounded() / 10
    return tenths == tenths.rounded() && abs(tenths) < 1e9 ? "\(Int(tenths))" : "\(tenths)"
  }
}
