import Algorithms
import Environments
import Formats
import Testing

@testable import Presets

@Suite struct PresetTests {
  private let sac = try! AlgorithmRegistry.entry("sac")

  private func preset(_ settings: [String: JSONValue], algorithm: String? = "sac") -> Preset {
    var preset = Preset(name: "p", algorithm: algorithm)
    preset.settings = settings.sorted { $0.key < $1.key }.map {
      Preset.Setting(name: $0, value: $1, source: "a paper")
    }
    return preset
  }

  @Test func `what is set wins over a preset, a preset over what the environment suggests, that over the default`()
    throws
  {
    let task = try EnvironmentRegistry.builtIn.entry("Pendulum-v1")
    func resolve(_ preset: Preset?, _ settings: [String]) throws -> ResolvedSettings {
      try ResolvedSettings(of: sac, for: task, preset: preset, settings: settings)
    }
    let plain = try resolve(nil, [])
    #expect(plain.configuration.values["randomSteps"] == .number(1000))
    #expect(plain.sources == ["randomSteps": "suggested by the environment"])
    let own = preset(["randomSteps": .number(50), "temperature.learned.initial": .number(0.5)])
    let with = try resolve(own, [])
    #expect(with.configuration.values["randomSteps"] == .number(50))
    #expect(with.configuration.values["temperature"]?["learned"]?["initial"] == .number(0.5))
    #expect(with.sources == ["randomSteps": "preset p: a paper", "temperature": "preset p: a paper"])
    let set = try resolve(own, ["randomSteps=7", "temperature=0.2"])
    #expect(set.configuration.values["randomSteps"] == .number(7))
    #expect(set.configuration.values["temperature"]?["fixed"] != nil)
    #expect(set.sources == ["randomSteps": "set for this run", "temperature": "set for this run"])
  }

  @Test func `a preset of another algorithm, an unknown setting and a value out of range are refused by name`() throws {
    func refusal(_ preset: Preset) throws -> String {
      try #require(throws: PresetError.self) {
        try ResolvedSettings(of: sac, for: nil, preset: preset, settings: [])
      }.description
    }
    #expect(try refusal(preset([:], algorithm: "td3")) == "the preset p is for td3, not for sac")
    #expect(try refusal(preset(["gamma": .number(1)])).contains("did you mean discount?"))
    #expect(try refusal(preset(["discount": .number(2)])).contains("discount cannot be 2"))
  }
}
