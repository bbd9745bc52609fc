import Environments
import Formats
import Testing

@Suite struct EnvironmentOptionsTests {
  typealias Value = EnvironmentOptions.Value

  @Test(
    arguments: [
      ("true", .flag(true)), ("True", .flag(true)), ("False", .flag(false)), ("TRUE", .text("TRUE")), ("2", .number(2)),
      ("-1e-3", .number(-0.001)), (".5", .number(0.5)), ("inf", .number(.infinity)), ("-inf", .number(-.infinity)),
      ("1,2", .numbers([1, 2])), ("(1, 2)", .numbers([1, 2])), ("[0.7,inf]", .numbers([0.7, .infinity])),
      ("(1)", .numbers([1])), ("torso", .text("torso")), ("nan", .text("nan")), ("0x10", .text("0x10")),
      ("1,a", .text("1,a")), ("", .text("")), ("1,", .text("1,")), ("infinity", .text("infinity")),
    ] as [(String, Value)])
  func `what is typed is read as Python writes it, or shorter`(text: String, value: Value) {
    #expect(Value(text: text) == value)
  }

  static let all: EnvironmentOptions = [
    "weight": 0.1, "whole": 3, "huge": 1e300, "flag": true, "heights": [-.infinity, 10.5], "body": "torso",
    "end": .number(.infinity), "one": [7],
  ]

  @Test func `each value reads back from its text`() {
    for (name, value) in Self.all.values { #expect(Value(text: value.description) == value, "\(name)") }
  }

  @Test func `options are one JSON object with sorted names, and read back from it`() throws {
    let json = try JSONValue(encoding: Self.all)
    #expect(
      json.text() == #"{"body":"torso","end":"inf","flag":true,"heights":["-inf",10.5],"huge":1e+300,"one":[7],"#
        + #""weight":0.1,"whole":3}"#)
    #expect(try json.decode(EnvironmentOptions.self) == Self.all)
    #expect(throws: (any Error).self) { try JSONValue(text: #"{"a":{"b":1}}"#).decode(EnvironmentOptions.self) }
    #expect(throws: (any Error).self) { try JSONValue(text: #"{"a":[1,"x"]}"#).decode(EnvironmentOptions.self) }
  }

  @Test func `of two sets of options the second wins where both say something`() {
    let merged = (["a": 1, "b": 2] as EnvironmentOptions).merging(["b": 3, "c": 4])
    #expect(merged == ["a": 1, "b": 3, "c": 4])
    #expect(merged.description == "a=1 b=3 c=4")
  }
}
