import Algorithms
import Formats
import Testing

@testable import Presets

@Suite struct PresetFileTests {
  private func read(_ text: String, path: String? = "my.yaml") throws -> [Preset] {
    try PresetFile(try YAMLText.value(text, name: "my.yaml"), name: "my.yaml", path: path).presets
  }

  @Test func `a value has its own source, its preset's or its file's`() throws {
    let presets = try read(
      """
      algorithm: sac
      source: the file
      presets:
        A-v0:
          settings: {discount: 0.9, batchSize: {value: 64, source: a paper}}
        B-v0:
          source: the preset
          for: [B-v0, B-v1]
          steps: 1e5
          environments: {value: 4, source: a guess}
          settings: {discount: 0.8}
      """)
    #expect(presets.map(\.name) == ["my.yaml#A-v0", "my.yaml#B-v0"])
    #expect(presets.map(\.environments) == [["A-v0"], ["B-v0", "B-v1"]])
    #expect(presets[0].settings.map(\.source) == ["a paper", "the file"])
    #expect(presets[1].settings.map(\.source) == ["the preset"])
    #expect(presets[1].steps?.value.whole(1...1_000_000) == 100_000 && presets[1].laneCount?.source == "a guess")
  }

  @Test func `one preset stands at the top of its file`() throws {
    let presets = try read("settings: {discount: 0.9}")
    #expect(presets.count == 1 && presets[0].algorithm == nil && presets[0].settings[0].source == "my.yaml")
  }

  @Test(arguments: [
    ("setings: {}", "did you mean settings?"), ("discount: 0.9", "hyperparameters go under settings"),
    ("settings: 5", "settings must be a mapping"), ("[1]", "is not a mapping"),
    ("presets: {}", "presets must be a mapping"), ("presets: {A: 5}", "A must be a mapping"),
    ("steps: 0.5\nsettings: {}", "steps cannot be 0.5"),
    ("environments: 0\nsettings: {}", "environments cannot be 0"),
    ("summary: 5\nsettings: {}", "summary must be text"),
    ("settings: {discount: {value: 1, sauce: x}}", "did you mean source?"),
  ])
  func `what is not understood is named`(text: String, says: String) throws {
    let error = try #require(throws: PresetError.self) { try read(text) }
    #expect(error.description.contains(says) && error.description.hasPrefix("my.yaml"), "\(error)")
  }
}
