// PythonLiteral.swift — reads Python literals such as "dict(net_arch=[400, 300])", as files of RL Baselines3 Zoo have them.

import Formats

/// Reads dictionaries, lists, tuples, numbers, strings and names. Nothing is executed.
struct PythonLiteral {
  private let text: [Character]
  private var place = 0
  private var depth = 0

  /// - Returns: nil for any other text. A name such as `nn.ReLU` is returned as a string.
  static func value(_ text: String) -> JSONValue? {
    var literal = PythonLiteral(text: Array(text))
    guard let value = literal.value() else { return nil }
    literal.skipSpaces()
    return literal.place == literal.text.count ? value : nil
  }

  private init(text: [Character]) { self.text = text }

  private mutating func value() -> JSONValue? {
    guard depth < 32 else { return nil }
    depth += 1
    defer { depth -= 1 }
    skipSpaces()
    guard let first = peek else { return nil }
    switch first {
    case "{": return dictionary()
    case "[": return list("[", "]")
    case "(": return list("(", ")")
    case "'", "\"": return string().map(JSONValue.string)
    default: return word()
    }
  }

  /// `{'a': 1}`
  private mutating func dictionary() -> JSONValue? {
    guard take("{") else { return nil }
    var members: [String: JSONValue] = [:]
    while !take("}") {
      guard let key = value()?.asText, take(":"), let value = value() else { return nil }
      members[key] = value
      if !take(",") { guard take("}") else { return nil }; break }
    }
    return .object(members)
  }

  private mutating func list(_ open: Character, _ close: Character) -> JSONValue? {
    guard take(open) else { return nil }
    var values: [JSONValue] = []
    while !take(close) {
      guard let value = value() else { return nil }
      values.append(value)
      if !take(",") { guard take(close) else { return nil }; break }
    }
    return .array(values)
  }

  /// A number, `True`, `None`, a name with dots, or `dict(a=1)`.
  private mutating func word() -> JSONValue? {
    let start = place
    while let character = peek, character.isLetter || character.isNumber || "_.+-".contains(character) { place += 1 }
    let word = String(text[start..<place])
    guard !word.isEmpty else { return nil }
    if word == "dict", take("(") { return arguments() }
    switch word {
    case "True": return .bool(true)
    case "False": return .bool(false)
    case "None": return .null
    default: return YAMLText.plain(word)
    }
  }

  private mutating func arguments() -> JSONValue? {
    var members: [String: JSONValue] = [:]
    while !take(")") {
      skipSpaces()
      let start = place
      while let character = peek, character.isLetter || character.isNumber || character == "_" { place += 1 }
      let key = String(text[start..<place])
      guard !key.isEmpty, take("="), let value = value() else { return nil }
      members[key] = value
      if !take(",") { guard take(")") else { return nil }; break }
    }
    return .object(members)
  }

  private mutating func string() -> String? {
    guard let quote = peek else { return nil }
    place += 1
    var result = ""
    while let character = peek, character != quote {
      place += 1
      result.append(character)
    }
    guard peek == quote else { return nil }
    place += 1
    return result
  }

  private var peek: Character? { place < text.count ? text[place] : nil }

  private mutating func skipSpaces() { while peek?.isWhitespace == true { place += 1 } }

  private mutating func take(_ character: Character) -> Bool {
    skipSpaces()
    guard peek == character else { return false }
    place += 1
    return true
  }
}
