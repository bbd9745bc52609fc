import Algorithms
import Formats
import Testing

@testable import Sweeps

@Suite struct SettingAxisTests {
  private func axis(_ text: String, _ algorithm: String = "sac") throws -> SettingAxis {
    try SettingAxis(text, for: try AlgorithmRegistry.entry(algorithm))
  }

  @Test(
    arguments: [
      ("discount=0.98,0.99", ["discount"], ["0.98", "0.99"]), ("gamma=0.9", ["discount"], ["0.9"]),
      ("tau=0.01,0.02", ["targetTracking"], ["0.01", "0.02"]),
      ("hiddenSizes=64,64", ["hiddenSizes"], ["64,64"]),
      ("hiddenSizes=[64,64],[32]", ["hiddenSizes"], ["[64,64]", "[32]"]),
      ("lr=1e-4,3e-4", ["policyLearningRate", "criticLearningRate", "temperatureLearningRate"], ["1e-4", "3e-4"]),
      ("temperature.learned.initial=0.1,1", ["temperature.learned.initial"], ["0.1", "1"]),
      ("sampler=uniform,prioritised", ["sampler"], ["uniform", "prioritised"]),
      ("utd=0.5", ["updatesPerStep"], ["0.5"]),
    ] as [(String, [String], [String])])
  func `keys and values are read, short names resolved`(text: String, keys: [String], values: [String]) throws {
    let axis = try axis(text)
    #expect(axis.keys == keys && axis.values == values)
  }

  @Test func `a short name means what the algorithm has`() throws {
    #expect(try axis("lr=1e-3", "dqn").keys == ["criticLearningRate"])
    #expect(try axis("lr=1e-3", "td3").keys == ["policyLearningRate", "criticLearningRate"])
    #expect(try axis("lr=1e-3").assignments("1e-3").count == 3)
  }

  @Test(arguments: [
    ("discont=0.9", "did you mean discount?"), ("explorationNoise=0.1", "no hyperparameter \"explorationNoise\""),
    ("gradient_steps=1", "did you mean updatesPerStep?"), ("discount", "is not key=value,value"),
    ("discount=", "empty value"), ("discount=0.9,,1", "empty value"), ("discount=0.9,0.9", "the value 0.9 twice"),
    ("discount=0.9,2", "discount cannot be 2"), ("=3", "is not key=value"),
  ])
  func `what cannot be tried is refused with the nearest word`(text: String, says: String) {
    do {
      _ = try axis(text)
      Issue.record("\(text) was read")
    } catch { #expect("\(error)".contains(says), "\(error)") }
  }

  @Test func `in a file a list is alternatives, and of a list a list of lists`() throws {
    let sac = try AlgorithmRegistry.entry("sac")
    func values(_ key: String, _ json: String) throws -> [String] {
      try SettingAxis(key, try JSONValue(text: json), for: sac).values
    }
    #expect(try values("discount", "0.9") == ["0.9"])
    #expect(try values("discount", "[0.9, 0.99]") == ["0.9", "0.99"])
    #expect(try values("hiddenSizes", "[64, 32]") == ["[64,32]"])
    #expect(try values("hiddenSizes", "[[64, 32], [8]]") == ["[64,32]", "[8]"])
    #expect(try values("sampler", #"["uniform", "prioritised"]"#) == ["uniform", "prioritised"])
  }
}
