import Testing

@testable import Report

@Suite struct RunTableTests {
  private let runs = Runs()

  @Test func `each environment has its settings, with the statistics of the last evaluations`() throws {
    var all: [RunData] = []
    for (environment, offset) in [("Pendulum-v1", 0.0), ("Hopper-v5", 1000)] {
      for seed in UInt64(0)..<5 {
        for (algorithm, better) in [("sac", 100.0), ("td3", 0)] {
          let last = offset + better + Double(seed)
          all.append(
            try runs.run(
              "\(algorithm)-\(environment)-\(seed)", algorithm: algorithm, environment: environment, seed: seed,
              returns: [-5000, last]))
        }
      }
    }
    let table = RunTable(all)
    #expect(table.rows.map(\.setting) == ["sac", "td3", "sac", "td3"])
    #expect(table.rows.map(\.environment) == ["Pendulum-v1", "Pendulum-v1", "Hopper-v5", "Hopper-v5"])
    #expect(table.rows.map(\.mean) == [102, 2, 1102, 1002] && table.rows.map(\.median) == [102, 2, 1102, 1002])
    #expect(
      table.rows.map(\.interquartileMean) == [102, 2, 1102, 1002] && table.rows.map(\.best) == [104, 4, 1104, 1004])
    #expect(table.rows.allSatisfy { $0.interval[0] >= $0.mean - 2 && $0.interval[1] <= $0.mean + 2 })
    #expect(table.improvements.map(\.environment) == ["Pendulum-v1", "Hopper-v5", nil])
    #expect(table.improvements.allSatisfy { $0.probability == 1 && $0.interval == [1, 1] })
    #expect(table.differences.contains { $0.name == "algorithm" && $0.values["sac"] == "sac" })
  }

  @Test func `over environments the probability of improvement is the mean of theirs`() throws {
    var all: [RunData] = []
    // better in one, worse in the other, equal in the third: 1, 0 and a half
    for (environment, value) in [("A-v0", 1.0), ("B-v0", -1), ("C-v0", 0)] {
      all.append(try runs.run("x-\(environment)", algorithm: "sac", environment: environment, returns: [value]))
      all.append(try runs.run("y-\(environment)", algorithm: "td3", environment: environment, returns: [0]))
    }
    let overall = try #require(RunTable(all).improvements.last)
    #expect(overall.environment == nil && overall.probability == 0.5)
    #expect(overall.interval.allSatisfy { $0.isNaN })
  }

  @Test func `a run without an evaluation is in no row`() throws {
    let table = RunTable([try runs.run("a"), try runs.run("b", seed: 1, returns: [])])
    #expect(table.rows.map(\.count) == [1])
    #expect(RunTable([try runs.run("c", returns: [])]).rows.isEmpty)
  }
}
