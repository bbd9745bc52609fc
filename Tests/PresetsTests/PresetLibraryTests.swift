import Algorithms
import Environments
import Formats
import Testing

@testable import Presets

@Suite struct PresetLibraryTests {
  @Test(arguments: PresetLibrary.all.map(\.name))
  func `every preset is for an algorithm and values that there are, each with a source`(
    name: String
  ) throws {
    let preset = try #require(PresetLibrary.all.first { $0.name == name })
    let algorithm = try AlgorithmRegistry.entry(try #require(preset.algorithm))
    _ = try ResolvedSettings(of: algorithm, for: nil, preset: preset, settings: [])
    // those named fast are for no environment
    #expect(preset.environments.isEmpty == name.hasSuffix("/fast") && !preset.summary.isEmpty && preset.leftOut.isEmpty)
    for setting in preset.settings + [preset.steps, preset.laneCount].compactMap({ $0 }) {
      #expect(setting.source.count > 10, "\(setting.name): \(setting.source)")
      // what is the default anyway tells nobody anything
      let alone = try? algorithm.defaults.setting(["\(setting.name)=\(setting.value.settingText)"]).values
      #expect(alone != algorithm.defaults.values, "\(setting.name) is the default")
    }
  }

  @Test func `no environment has two presets of one algorithm, and no name is there twice`() {
    let pairs = PresetLibrary.all.flatMap { preset in
      preset.environments.map { "\(preset.algorithm ?? "") \($0)" }
    }
    #expect(Set(pairs).count == pairs.count)
    #expect(Set(PresetLibrary.all.map(\.name)).count == PresetLibrary.all.count)
  }

  @Test func `a preset is found by algorithm and environment, also of Gymnasium's name`() {
    #expect(PresetLibrary.matching(algorithm: "sac", environment: "Hopper-v5")?.name == "sac/Hopper-v5")
    #expect(PresetLibrary.matching(algorithm: "sac", environment: "gym:Hopper-v5")?.name == "sac/Hopper-v5")
    #expect(
      PresetLibrary.matching(algorithm: "td3", environment: "gym:LunarLanderContinuous-v3")?.name
        == "td3/LunarLanderContinuous")
    for (algorithm, environment) in [
      ("td3", "Hopper-v5"), ("sac", "HalfCheetah-v5"), ("sac", "Hopper-v4"), ("fqe", "x"),
    ] {
      #expect(PresetLibrary.matching(algorithm: algorithm, environment: environment) == nil)
    }
  }

  @Test func `a preset for no environment is used by its name alone`() throws {
    #expect(try PresetLibrary.named("fast", for: "sac").laneCount?.value == .number(4))
    #expect(try PresetLibrary.named("sac/fast", for: "td3").environments.isEmpty)
    #expect(try PresetLibrary.named("fast", for: "crossq").name == "crossq/fast")
    #expect(PresetLibrary.matching(algorithm: "sac", environment: "fast") == nil)
  }

  @Test func `a name is a whole one or the algorithm's, and a wrong one is answered with the nearest`() throws {
    #expect(try PresetLibrary.named("Hopper-v5", for: "sac").name == "sac/Hopper-v5")
    #expect(try PresetLibrary.named("sac/Hopper-v5", for: "td3").algorithm == "sac")
    #expect(try PresetLibrary.named("LunarLanderContinuous-v3", for: "sac").name == "sac/LunarLanderContinuous")
    let error = try #require(throws: PresetError.self) { try PresetLibrary.named("Hoper-v5", for: "sac") }
    #expect(error.description == "there is no preset \"Hoper-v5\": did you mean Hopper-v5?")
    let none = try #require(throws: PresetError.self) { try PresetLibrary.named("x", for: "fqe") }
    #expect(none.description.hasSuffix("fqe has none"))
  }
}
