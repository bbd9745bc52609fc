import Formats
import Presets
import Testing

@testable import Sweeps

@Suite struct SweepFileTests {
  private func read(_ text: String) throws -> SweepFile {
    try SweepFile(try YAMLText.value(text, name: "s.yaml"), name: "s.yaml")
  }

  @Test func `a file says everything that the command line can`() throws {
    let file = try read(
      """
      algorithms: [sac, td3]
      environment: Pendulum-v1
      seeds: [0..2, 7]
      steps: 1e5
      lanes: 4
      jobs: 2
      evaluateEvery: 0
      preset: none
      options: {max_episode_steps: 100}
      set: {discount: [0.9, 0.99], hiddenSizes: [64, 64]}
      """)
    #expect(file.algorithms == ["sac", "td3"] && file.environments == ["Pendulum-v1"])
    #expect(file.seeds == [0, 1, 2, 7] && file.steps == 100_000 && file.lanes == 4 && file.jobs == 2)
    #expect(file.evaluateEvery == 0 && file.preset == "none" && file.options == ["max_episode_steps=100"])
    #expect(file.settings["hiddenSizes"] == .array([.number(64), .number(64)]))
  }

  @Test(arguments: [
    ("seed: 1", "did you mean seeds?"), ("learningRate: 1", "hyperparameters go under set"),
    ("steps: 1.5", "steps cannot be 1.5"),
    ("seeds: x", "seeds cannot be \"x\""), ("algorithms: [1]", "algorithms must be one name or a list"),
    ("set: 5", "set must be a mapping"), ("options: 5", "options must be a mapping"), ("[1]", "must be a mapping"),
    ("preset: 5", "preset must be text"),
  ])
  func `what is not understood is named`(text: String, says: String) {
    do {
      _ = try read(text)
      Issue.record("\(text) was read")
    } catch { #expect("\(error)".contains(says), "\(error)") }
  }
}
