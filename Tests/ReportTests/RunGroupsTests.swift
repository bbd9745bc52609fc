// RunGroupsTests.swift — runs that differ in their seed are one setting.

import Testing

@testable import Report

@Suite struct RunGroupsTests {
  @Test func seedsOfOneSettingAreOneGroup() throws {
    let runs = Runs()
    let groups = RunGroups.of([try runs.run("a", seed: 1), try runs.run("b", seed: 2)])
    #expect(groups.count == 1 && groups[0].label == "sac" && groups[0].lastReturns == [-150, -150])
  }

  @Test func groupsOfOneAlgorithmAreNamedByWhatTellsThemApart() throws {
    let runs = Runs()
    let groups = RunGroups.of([
      try runs.run("a"), try runs.run("b", settings: ["discount": .number(0.9)]),
    ])
    #expect(groups.map(\.label) == ["sac discount=0.99", "sac discount=0.9"])
  }

  @Test func differencesNameTheSettingAndEachGroupsValue() throws {
    let runs = Runs()
    let differences = RunGroups.differences(
      RunGroups.of([
        try runs.run("a", seed: 1), try runs.run("b", seed: 2, settings: ["batchSize": .number(64)]),
      ]))
    #expect(differences.map(\.name) == ["batchSize", "seeds"])
    #expect(differences.map(\.values) == [["–", "64"], ["1", "2"]])
  }
}
