import Algorithms
import Testing

@testable import Sweeps

@Suite struct SweepPlanTests {
  private func plan(
    _ algorithms: [String] = ["sac"], _ environments: [String] = ["Pendulum-v1"], _ axes: [String] = [],
    seeds: [UInt64] = [0], common: [String] = []
  ) throws -> SweepPlan {
    try SweepPlan(
      algorithms: algorithms.map { try AlgorithmRegistry.entry($0) }, environments: environments,
      axes: { algorithm in try axes.map { try SettingAxis($0, for: algorithm) } }, seeds: seeds, common: common)
  }

  @Test func `every combination is a run of its own`() throws {
    let plan = try plan(
      ["sac", "td3"], ["Pendulum-v1", "gym:A/B-v0"], ["discount=0.9,0.99", "batchSize=32"], seeds: [0, 5],
      common: ["--steps", "100"])
    #expect(plan.runs.count == 2 * 2 * 2 * 2)
    #expect(Set(plan.runs.map(\.name)).count == 16)
    #expect(plan.runs[0].name == "sac-Pendulum-v1-discount=0.9-seed0")
    let first = plan.runs[0]
    #expect(first.algorithm == "sac" && first.environment == "Pendulum-v1" && first.seed == 0)
    #expect(first.settings == ["discount=0.9", "batchSize=32"] && first.further == ["--steps", "100"])
    #expect(plan.runs.contains { $0.name == "td3-gym_A_B-v0-discount=0.99-seed5" })
  }

  @Test func `a short text that means more runs than there can be is refused before they are made`() throws {
    let keys = ["discount", "batchSize", "policyLearningRate", "criticLearningRate", "randomSteps", "updateEvery"]
    let axes = keys.map { key in
      let values = (1...150).map { key == "discount" || key.hasSuffix("Rate") ? "0.\(1000 + $0)" : "\($0)" }
      return "\(key)=" + values.joined(separator: ",")
    }
    let error = try #require(throws: SweepError.self) { try plan(["sac"], ["Pendulum-v1"], axes, seeds: [0, 1]) }
    #expect(error.description.contains("runs or more: more than 10000 are a typing error"))
    #expect(try plan(["sac"], ["Pendulum-v1"], [], seeds: Array(0..<10_000)).runs.count == 10_000)
  }

  @Test func `one key in two ways is refused`() throws {
    let error = try #require(throws: SweepError.self) { try plan(axes: ["lr=1e-3", "criticLearningRate=1e-4"]) }
    #expect(error.description.contains("criticLearningRate is set twice"))
  }

  @Test func `an algorithm or an environment that is named twice is refused: the same runs would count as others`() {
    for (algorithms, environments) in [(["sac", "td3", "sac"], ["Pendulum-v1"]), (["sac"], ["A-v0", "A-v0"])] {
      let error = #expect(throws: SweepError.self) { try plan(algorithms, environments) }
      #expect(error?.description.contains("is named twice") == true)
    }
  }

  private func plan(axes: [String]) throws -> SweepPlan { try plan(["sac"], ["Pendulum-v1"], axes) }

  @Test func `names are those of folders, also where values are long or strange`() throws {
    let long = (0..<3).map {
      "explorationNoise.ornsteinUhlenbeck={\"stiffness\":0.15,\"standardDeviation\":0.\($0 + 1),\"timestep\":0.01}"
    }
    let plan = try SweepPlan(
      algorithms: [try AlgorithmRegistry.entry("td3")], environments: ["python:/home/me/task.py:make"],
      axes: { td3 in
        [
          try SettingAxis(
            "explorationNoise.ornsteinUhlenbeck="
              + long.map { $0.split(separator: "=", maxSplits: 1)[1] }.joined(separator: ","), for: td3)
        ]
      }, seeds: [0, 1], common: [])
    #expect(plan.runs.count == 6)
    for run in plan.runs {
      #expect(run.name.utf8.count < 250 && run.name.allSatisfy { $0.isASCII && !"/ {}\"".contains($0) }, "\(run.name)")
    }
  }

  @Test func `a sweep grows by runs that are new, and not by others of the same name`() throws {
    let first = try plan(seeds: [0, 1])
    let grown = try first.adding(try plan(seeds: [0, 1, 2]))
    #expect(grown.runs.map(\.name) == ["sac-Pendulum-v1-seed0", "sac-Pendulum-v1-seed1", "sac-Pendulum-v1-seed2"])
    #expect(try grown.adding(first) == grown)
    let error = try #require(throws: SweepError.self) {
      try first.adding(try plan(seeds: [0], common: ["--steps", "5"]))
    }
    #expect(error.description.contains("sac-Pendulum-v1-seed0 was begun with other arguments"))
  }
}
