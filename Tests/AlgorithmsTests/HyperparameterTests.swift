import Algorithms
import Formats
import Testing

/// A configuration with a case whose numbers have defaults, one of them null, and a case with one that has none.
private struct Cases: AlgorithmConfiguration {
  enum Way: Codable, Sendable, Equatable {
    case straight
    case bent(by: Double, after: Int?)
    case broken(at: Int, by: Double)
  }

  var way = Way.straight

  static let hyperparameters = [
    Hyperparameter(
      "way", "",
      cases: [
        "straight": .nothing, "bent.by": .real(0, 1), "bent.after": .whole(1), "broken.at": .whole(1),
        "broken.by": .real(0, 1),
      ],
      caseDefaults: ["bent.by": .number(0.5), "bent.after": .null, "broken.by": .number(0.25)], "a way",
      source: "nowhere")
  ]
  var discount: Float { 1 }
  var batchSize: Int { 1 }
  var bufferCapacity: Int { 1 }
  var randomSteps: Int { 0 }
  var updateEvery: Int { 1 }
  var updatesPerStep: Double { 1 }
}

@Suite struct HyperparameterTests {
  @Test func `an interval reads as in mathematics`() {
    #expect("\(Interval.real(0, 1))" == "[0, 1]")
    #expect("\(Interval.real(0, 1, excludingLower: true))" == "(0, 1]")
    #expect("\(Interval.real(0, 1, excludingUpper: true))" == "[0, 1)")
    #expect("\(Interval.real(0.5))" == "[0.5, ∞)")
    #expect("\(Interval.real(-.infinity))" == "(−∞, ∞)")
    #expect("\(Interval.whole(1, 8))" == "a whole number in [1, 8]")
    #expect("\(Interval.wholes(1, 8))" == "whole numbers in [1, 8]")
    #expect("\(Interval.boolean)" == "true or false")
  }

  @Test func `a range of cases names each of them, in order`() {
    let hyperparameter = Hyperparameter(
      "x", "X", cases: ["b.n": .whole(1, 2), "a.r": .real(0, 1)], "summary", source: "nowhere")
    #expect(hyperparameter.rangeText == "a.r in [0, 1], b.n: a whole number in [1, 2]")
    let bare = Hyperparameter("x", "X", cases: ["c": .nothing, "a.r": .real(0, 1)], "summary", source: "nowhere")
    #expect(bare.rangeText == "a.r in [0, 1], c")
    #expect(Hyperparameter("x", "X", .real(0, 1), "s", source: "n", isOptional: true).rangeText == "[0, 1] or null")
  }

  @Test func `a switch takes true and false and nothing else`() throws {
    #expect(try DQN.Configuration().setting(["doubleQ=false"]).doubleQ == false)
    #expect(try DQN.Configuration().setting(["doubleQ=false", "doubleQ=true"]).doubleQ)
    for value in ["1", "0", "yes", "null", "\"true\""] {
      let error = #expect(throws: ConfigurationError.self) { try DQN.Configuration().setting(["doubleQ=\(value)"]) }
      #expect(error?.description.hasSuffix("it must be true or false") == true)
    }
    #expect(throws: ConfigurationError.self) { try DQN.Configuration().setting(["discount=true"]) }
  }

  @Test func `a case takes the defaults of the numbers that are not said`() throws {
    func way(_ assignments: String...) throws -> Cases.Way { try Cases().setting(assignments).way }
    #expect(try way("way=bent") == .bent(by: 0.5, after: nil))
    #expect(try way("way.bent.by=0.1") == .bent(by: 0.1, after: nil))
    #expect(try way("way.bent.after=7") == .bent(by: 0.5, after: 7))
    #expect(try way("way.bent.after=null") == .bent(by: 0.5, after: nil))
    #expect(try way(#"way={"bent":{"by":1,"after":3}}"#) == .bent(by: 1, after: 3))
    #expect(try way("way.broken.at=2") == .broken(at: 2, by: 0.25))
    #expect(try way("way.bent.by=0.1", "way=straight") == .straight)
    // run files keep no null
    let bent = try Cases().setting(["way=bent"])
    #expect(try Cases(try JSONValue(text: bent.values.text())) == bent)
    #expect(try Cases(try JSONValue(text: #"{"way":{"bent":{}}}"#)) == bent)
  }

  @Test func `what has no default must be said, and only what may be null may be null`() {
    for assignment in [
      "way=broken", "way.broken.by=0.5", "way.bent.by=null", "way.broken.at=null", "way.bent.by=2",
      "way.bent.after=0.5",
      "way.bent.round=1", "way=round", "way=null", "way=", #"way={"bent":{},"straight":{}}"#, "way.straight.by=1",
    ] {
      let error = #expect(throws: ConfigurationError.self, "\(assignment)") { try Cases().setting([assignment]) }
      #expect(error?.description.contains("bent.after: a whole number in [1, 1000000000] or null, ") == true)
    }
  }
}
