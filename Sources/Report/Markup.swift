// Markup.swift — writes elements of HTML and SVG, and escapes text and attributes.

/// An element. Its content must be markup already; its attributes are escaped here.
func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: String? = nil) -> String {
  let list = attributes.map { " \($0.key)=\"\($0.value.escaped)\"" }.joined()
  guard let content else { return "<\(name)\(list)/>" }
  return "<\(name)\(list)>\(content)</\(name)>"
}

extension String {
  /// The string escaped for HTML and SVG, as text or within quotes.
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
  /// The value rounded to a tenth of a unit of the drawing.
  var coordinate: String {
    guard isFinite else { return "0" }
    let tenths = (self * 10).rounded() / 10
    return tenths == tenths.rounded() && abs(tenths) < 1e9 ? "\(Int(tenths))" : "\(tenths)"
  }
}
