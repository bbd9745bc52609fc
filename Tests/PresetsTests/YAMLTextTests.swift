import Formats
import Testing

@testable import Presets

@Suite struct YAMLTextTests {
  private func read(_ text: String) throws -> JSONValue { try YAMLText.value(text, name: "x.yaml") }

  @Test(arguments: [
    ("1e6", 1e6), ("3e-4", 3e-4), ("!!float 1e6", 1e6), ("!!int 5", 5), ("1_000", 1000), ("-0.5", -0.5), (".5", 0.5),
  ])
  func `numbers are read as people write them`(text: String, value: Double) throws {
    #expect(try read("a: \(text)") == .object(["a": .number(value)]))
  }

  @Test(arguments: [
    ("'1e6'", JSONValue.string("1e6")), ("\"true\"", .string("true")), ("!!str 5", .string("5")), ("true", .bool(true)),
    ("~", .null), ("", .null), ("lin_7.3e-4", .string("lin_7.3e-4")), ("nan", .string("nan")),
    ("1e999", .string("1e999")), ("[1, a]", .array([.number(1), .string("a")])),
  ])
  func `texts, flags and lists keep their kinds`(text: String, value: JSONValue) throws {
    #expect(try read("a: \(text)") == .object(["a": value]))
  }

  @Test func `merge keys give what the own keys do not say`() throws {
    let text = """
      base: &base {a: 1, b: 2}
      other: &other {b: 3, c: 4}
      one:
        <<: *base
        b: 9
      two:
        <<: [*base, *other]
      """
    let value = try read(text)
    #expect(value["one"] == .object(["a": .number(1), "b": .number(9)]))
    #expect(value["two"] == .object(["a": .number(1), "b": .number(2), "c": .number(4)]))
  }

  @Test(arguments: [
    ("a: [1", "line"), ("a: 1\na: 2", "the key a occurs twice"), ("", "is empty"),
    ("a: !!float x", "\"x\" is not a number"),
    ("a: *b", "line 1"), ("? [1]\n: 2", "a key must be a plain word"), ("a:\n  <<: 5", "<< merges mappings only"),
  ])
  func `what cannot be read is told in one line with its place`(text: String, says: String) throws {
    let error = try #require(throws: YAMLError.self) { try read(text) }
    #expect(error.description.hasPrefix("x.yaml") && error.description.contains(says), "\(error)")
    #expect(!error.description.contains("\n"))
  }

  @Test func `a small file that stands for an endless one is refused`() throws {
    var text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for n in 1...9 {
      text += "a\(n): &a\(n) [" + Array(repeating: "*a\(n - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    let error = try #require(throws: YAMLError.self) { try read(text) }
    #expect(error.description.contains("expands to more than"))
  }

  @Test(arguments: [
    String(repeating: "[", count: 200_000), "a: " + String(repeating: "{a: ", count: 100_000),
    String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
  ])
  func `a file that is nested without end is refused before it is parsed`(text: String) throws {
    let error = try #require(throws: YAMLError.self) { try read(text) }
    #expect(error.description.contains("levels deep"))
  }

  @Test func `a file that is not there, or no text, is told by its path`() throws {
    #expect(throws: YAMLError.self) { try YAMLText.file("/nowhere/x.yaml") }
    let error = try #require(throws: YAMLError.self) { try YAMLText.file("/nowhere/x.yaml") }
    #expect(error.description == "/nowhere/x.yaml does not exist")
  }
}
