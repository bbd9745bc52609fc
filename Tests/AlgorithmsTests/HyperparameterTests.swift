import Algorithms
import Testing

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
    #expect(hyperparameter.rangeText == "a.r in [0, 1], b.n in a whole number in [1, 2]")
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
}
