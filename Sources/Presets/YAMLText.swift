// YAMLText.swift — reads YAML as JSON values, with numbers such as 1e6, merge keys, and errors in one line.

import Formats
import Platform
import Yams

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A YAML file that cannot be used, in one line.
package struct YAMLError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

package enum YAMLText {
  /// The largest file that is read.
  static let maximumBytes = 1 << 20
  /// The most values that a file may expand to: aliases repeat values, so a small file may expand without end.
  static let maximumValues = 100_000
  static let maximumDepth = 64

  /// Reads a file.
  package static func file(_ path: String) throws -> JSONValue {
    let url = URL(fileURLWithPath: path)
    let bytes: [UInt8]
    do {
      bytes = try Folder(url.deletingLastPathComponent().path).contents(url.lastPathComponent).bytes
    } catch {
      throw YAMLError(error.isMissing ? "\(path) does not exist" : "\(path) cannot be read: \(error.reason)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw YAMLError("\(path) is not text in UTF-8") }
    return try value(text, name: path)
  }

  /// Reads one document.
  ///
  /// - Parameter name: what messages call the text.
  package static func value(_ text: String, name: String) throws -> JSONValue {
    guard text.utf8.count <= maximumBytes else {
      throw YAMLError("\(name) has \(text.utf8.count) bytes: a file of settings may have at most \(maximumBytes)")
    }
    guard !isDeep(text) else { throw YAMLError("\(name) is nested more than \(maximumDepth) levels deep") }
    let node: Node?
    do { node = try compose(yaml: text) } catch let error as YamlError {
      throw YAMLError("\(name) is not YAML: \(sentence(error))")
    }
    guard let node else { throw YAMLError("\(name) is empty") }
    var reader = Reader(name: name)
    return try reader.value(node, depth: 0)
  }

  /// Whether brackets, or lists in lists on one line, are nested too deep for a recursive parser. Brackets in quotes count
  /// too, which matters only if there are hundreds of them.
  private static func isDeep(_ text: String) -> Bool {
    var (brackets, indent, atStart) = (0, 0, true)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\n"): (indent, atStart) = (0, true)
      case UInt8(ascii: "["), UInt8(ascii: "{"): (brackets, atStart) = (brackets + 1, false)
      case UInt8(ascii: "]"), UInt8(ascii: "}"): (brackets, atStart) = (max(0, brackets - 1), false)
      case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"): if atStart { indent += 1 }
      default: atStart = false
      }
      if brackets > maximumDepth || indent > 4 * maximumDepth { return true }
    }
    return false
  }

  private static func sentence(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      "line \(mark.line): \(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      "line \(context.mark.line): the key \(duplicates.joined(separator: ", ")) occurs twice"
    case .reader(let problem, _, _, _): problem
    default: "\(error)".split(separator: "\n").first.map(String.init) ?? "it cannot be read"
    }
  }

  /// A scalar without quotes: a number, true or false, null, or else text. `1e6` and `3e-4` are numbers, as in YAML 1.2.
  static func plain(_ text: String) -> JSONValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: return number(text).map(JSONValue.number) ?? .string(text)
    }
  }

  private static func number(_ text: String) -> Double? {
    guard text.utf8.allSatisfy({ "0123456789_+-.eE".utf8.contains($0) }) else { return nil }
    let value = Double(text.filter { $0 != "_" })
    return value?.isFinite == true ? value : nil
  }

  private struct Reader {
    let name: String
    var count = 0

    mutating func value(_ node: Node, depth: Int) throws -> JSONValue {
      count += 1
      guard count <= maximumValues else { throw YAMLError("\(name) expands to more than \(maximumValues) values") }
      guard depth <= maximumDepth else { throw YAMLError("\(name) is nested more than \(maximumDepth) levels deep") }
      switch node {
      case .scalar(let scalar): return try self.scalar(scalar)
      case .sequence(let sequence): return .array(try sequence.map { try value($0, depth: depth + 1) })
      case .mapping(let mapping): return .object(try members(mapping, depth: depth))
      case .alias: throw YAMLError("\(name) has an alias without an anchor")
      }
    }

    private func scalar(_ scalar: Node.Scalar) throws -> JSONValue {
      let tag = "\(scalar.tag)"
      if tag.hasSuffix(":str") { return .string(scalar.string) }
      guard tag.hasSuffix(":float") || tag.hasSuffix(":int") else { return YAMLText.plain(scalar.string) }
      guard let number = YAMLText.number(scalar.string) else {
        let line = scalar.mark.map { ", line \($0.line)" } ?? ""
        throw YAMLError("\(name)\(line): \(scalar.string.debugDescription) is not a number")
      }
      return .number(number)
    }

    private mutating func members(_ mapping: Node.Mapping, depth: Int) throws -> [String: JSONValue] {
      var merged: [String: JSONValue] = [:]
      var own: [String: JSONValue] = [:]
      for (key, node) in mapping {
        guard case .scalar(let scalar) = key else {
          throw YAMLError("\(name)\(key.mark.map { ", line \($0.line)" } ?? ""): a key must be a plain word")
        }
        let value = try value(node, depth: depth + 1)
        guard scalar.string == "<<" else {
          own[scalar.string] = value
          continue
        }
        // of several, the first has precedence
        for part in value.elements.reversed() {
          guard case .object(let members) = part else { throw YAMLError("\(name): << merges mappings only") }
          merged.merge(members) { $1 }
        }
      }
      return merged.merging(own) { $1 }
    }
  }
}

extension JSONValue {
  /// The elements of a list; of anything else, itself.
  package var elements: [JSONValue] { if case .array(let values) = self { values } else { [self] } }
  /// The text of a string.
  package var asText: String? { if case .string(let text) = self { text } else { nil } }
  package var asNumber: Double? { if case .number(let value) = self { value } else { nil } }
  package var asMembers: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }

  /// The value as a setting's text: a string without its quotes.
  package var settingText: String { asText ?? text() }

  /// A whole number within a range.
  package func whole(_ range: ClosedRange<Int>) -> Int? {
    guard let number = asNumber, let whole = Int(exactly: number), range.contains(whole) else { return nil }
    return whole
  }
}
