// CompareRunsTests.swift — `compare-runs` as a person runs it.

import Foundation
import OffPolicy
import Testing

@Suite struct CompareRunsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func `runs of one setting are one row, and the settings that differ are named`() throws {
    for seed in [1, 2] {
      for algorithm in ["td3", "ddpg"] {
        let name = folder.path("\(algorithm)-\(seed)")
        #expect(try Program.run(shortRun(algorithm, into: name, steps: 300, seed: seed)).status == 0)
      }
    }
    let runs = ["td3-1", "td3-2", "ddpg-1", "ddpg-2"].map(folder.path)
    let table = try Program.run(["compare-runs"] + runs + ["--json"]).json()
    let rows = table["rows"]?.array ?? []
    #expect(rows.map { $0["setting"]?.string } == ["td3", "ddpg"] && rows.allSatisfy { $0["count"]?.number == 2 })
    for (row, algorithm) in zip(rows, ["td3", "ddpg"]) {
      let last = try [1, 2].map { seed in
        try Program.run("inspect", folder.path("\(algorithm)-\(seed)"), "--json").json()["lastReturn"]?.number ?? .nan
      }
      #expect(row["mean"]?.number == (last[0] + last[1]) / 2 && row["best"]?.number == last.max())
    }
    // the folder that they are in has the same runs
    #expect(try Program.run(["compare-runs", folder.path("."), "--json"]).json()["rows"]?.array.count == 2)
    let improvement = table["improvements"]?.array.first
    #expect(improvement?["setting"]?.string == "td3" && improvement?["probability"]?.number != nil)
    #expect(table["differences"]?.array.contains { $0["name"]?.string == "policyDelay" } == true)
    let text = try Program.run(["compare-runs"] + runs)
    #expect(text.status == 0 && text.output.contains("IQM [95 % interval]") && text.output.contains("policyDelay"))
    #expect(text.output.contains("intervals from fewer than five seeds are too narrow"))
  }

  @Test func `a run without an evaluation is told, and only such runs are refused`() throws {
    let silent = folder.path("silent")
    #expect(try Program.run(shortRun("td3", into: silent, steps: 300, ["--evaluate-every", "0"])).status == 0)
    let result = try Program.run("compare-runs", silent)
    #expect(result.status == 1 && result.errors.contains("no run has an evaluation yet"))
    #expect(try Program.run("compare-runs", folder.path("nothing")).errors.contains("is no run"))
  }
}
