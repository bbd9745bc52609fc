// SweepCommandTests.swift — `sweep` as a person runs it: tables, failures, kills, signals, arrays of jobs.

import Foundation
import OffPolicy
import Testing

@Suite struct SweepCommandTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func sweep(_ steps: Int, _ more: [String] = [], into name: String = "sweep") -> [String] {
    [
      "sweep", "td3", "Pendulum-v1", "--steps", "\(steps)", "--set", "hiddenSizes=16,16", "--set", "batchSize=32",
      "--set", "randomSteps=100", "--evaluate-every", "500", "--evaluation-episodes", "2", "--jobs", "2", "--directory",
      folder.path(name),
    ] + more
  }

  private func digests(_ name: String) throws -> [String: String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("\(name)/runs"))
    return try Dictionary(
      uniqueKeysWithValues: names.map { run in
        let path = folder.path("\(name)/runs/\(run)")
        return (run, try Program.run("inspect", path, "--json").json()["digest"]?.string ?? "none")
      })
  }

  /// Rows of a run's log.
  private func rows(_ run: String, _ name: String = "sweep") -> Int {
    let path = folder.path("\(name)/runs/\(run)/episodes.csv")
    return (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n").count ?? 0
  }

  @Test func `every run of a sweep is the run that train makes, and one table is printed at the end`() throws {
    let result = try Program.run(
      sweep(400, ["--seeds", "1..2", "--set", "lr=1e-3,1e-4", "--json"]), in: folder.url)
    try #require(result.status == 0, "\(result.errors)")
    let report = try result.json()
    let runs = report["runs"]?.array ?? []
    #expect(runs.count == 4 && runs.allSatisfy { $0["state"]?.string == "done" && $0["step"]?.number == 400 })
    let rows = report["table"]?["rows"]?.array ?? []
    #expect(rows.count == 2 && rows.allSatisfy { $0["count"]?.number == 2 })
    let differing = report["table"]?["differences"]?.array.compactMap { $0["name"]?.string } ?? []
    #expect(Set(differing) == ["criticLearningRate", "policyLearningRate", "seeds"])
    let alone = folder.path("alone")
    let arguments =
      shortRun("td3", into: alone, steps: 400, seed: 2) + [
        "--set", "randomSteps=100", "--set", "criticLearningRate=1e-4", "--set", "policyLearningRate=1e-4",
      ]
    #expect(try Program.run(arguments).status == 0)
    let digest = try Program.run("inspect", alone, "--json").json()["digest"]?.string
    #expect(try digests("sweep")["td3-Pendulum-v1-lr=1e-4-seed2"] == digest)
    // once more: nothing is left to do, and the table is the same
    let again = try Program.run(["sweep", folder.path("sweep")], in: folder.url)
    #expect(again.status == 0 && again.errors.contains("was done already") && again.output.contains("IQM"))
    // more seeds are added, other values are not
    let more = try Program.run(sweep(400, ["--seeds", "1..3", "--set", "lr=1e-3,1e-4"]), in: folder.url)
    #expect(more.status == 0 && more.errors.contains("had 4 runs, and gets 2 more"), "\(more.errors)")
    let other = try Program.run(sweep(500, ["--seeds", "1", "--set", "lr=1e-3,1e-4"]), in: folder.url)
    #expect(other.status == 1 && other.errors.contains("was begun with other arguments"), "\(other.errors)")
    // and compare-runs takes the sweep's folder
    #expect(try Program.run("compare-runs", folder.path("sweep"), "--json").json()["rows"]?.array.count == 2)
  }

  @Test func `a sweep that was killed with its runs goes on, with the bits of one that never was`() throws {
    let whole = try Program.run(sweep(3000, ["--seeds", "0..3"], into: "whole"), in: folder.url)
    try #require(whole.status == 0, "\(whole.errors)")
    let more = ["--seeds", "0..3", "--checkpoint-every", "200"]
    for kill in 0..<3 {
      let result = try Program.run(
        sweep(3000, more), in: folder.url,
        signal: (SIGKILL, { (0..<4).contains { rows("td3-Pendulum-v1-seed\($0)") > 3 + 4 * kill } }))
      #expect(result.status == 128 + SIGKILL || result.status == 0)
      // its children go on by themselves: they are killed as well, in the middle of whatever they do
      if kill != 1 { killRuns() }
    }
    let last = try Program.run(sweep(3000, more), in: folder.url)
    try #require(last.status == 0, "\(last.errors)")
    #expect(try digests("sweep") == digests("whole"))
  }

  /// Kills the processes that hold runs of the sweep: each run's lock says whose it is.
  private func killRuns() {
    for seed in 0..<4 {
      let path = folder.path("sweep/runs/td3-Pendulum-v1-seed\(seed)/lock")
      guard let text = try? String(contentsOfFile: path, encoding: .utf8), let process = Int32(text) else { continue }
      // only one that works in this very folder
      let line = try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
      if line?.contains(folder.path("sweep")) == true { kill(process, SIGKILL) }
    }
  }

  @Test func `Ctrl-C saves every run, and the folder's name goes on with all of them`() throws {
    let result = try Program.run(
      sweep(20_000, ["--seeds", "0..1"]), in: folder.url,
      signal: (SIGINT, { rows("td3-Pendulum-v1-seed0") > 3 && rows("td3-Pendulum-v1-seed1") > 3 }))
    #expect(
      result.status == 130 && result.errors.contains("stopped, every run saved; go on with: "), "\(result.errors)")
    for seed in 0..<2 {
      let run = try Program.run("inspect", folder.path("sweep/runs/td3-Pendulum-v1-seed\(seed)"), "--json").json()
      // saved where it stopped, not at an earlier checkpoint
      let (step, logged) = (run["step"]?.number ?? 0, run["loggedStep"]?.number ?? 0)
      #expect(step >= logged && step < 20_000 && step > 0)
    }
    #expect(try Program.run(["sweep", folder.path("sweep"), "--seeds", "3"]).errors.contains("is a sweep already"))
  }

  @Test func `one run that fails is named, and the others are made`() throws {
    // the second value leaves no step to learn from
    let arguments = sweep(300, ["--seeds", "0..1"]).map { $0 == "randomSteps=100" ? "randomSteps=100,300" : $0 }
    let result = try Program.run(arguments, in: folder.url)
    #expect(result.status == 1)
    #expect(
      result.errors.contains("failed: td3-Pendulum-v1-randomSteps=300-seed0: 300 steps teach nothing"),
      "\(result.errors)")
    #expect(result.errors.contains("2 of 4 runs failed") && result.output.contains("IQM"))
    #expect(try digests("sweep").count == 2)
  }

  @Test func `an array of jobs makes the same runs, a job each`() throws {
    let script = folder.path("jobs.sh")
    let written = try Program.run(sweep(300, ["--seeds", "0..1", "--slurm", script]), in: folder.url)
    #expect(written.status == 0 && written.errors.contains("sbatch"), "\(written.errors)")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [script]
    process.environment = ProcessInfo.processInfo.environment.merging(["SLURM_ARRAY_TASK_ID": "1"]) { $1 }
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try digests("sweep").keys.sorted() == ["td3-Pendulum-v1-seed1"])
    let result = try Program.run(["sweep", folder.path("sweep"), "--json"], in: folder.url)
    #expect(try result.json()["runs"]?.array.count == 2)
    #expect(try Program.run(["sweep", folder.path("sweep"), "--only", "2"]).errors.contains("the runs 0 to 1"))
  }

  @Test func `what starts no run takes no option of runs that are started`() throws {
    for more in [["--dry-run", "--json"], ["--dry-run", "--only", "0"], ["--dry-run", "--slurm", "x"]] {
      let result = try Program.run(sweep(300, more), in: folder.url)
      #expect(result.status == 64 && result.errors.contains("starts none: leave out"), "\(result.errors)")
    }
    let script = try Program.run(sweep(300, ["--slurm", "x", "--only", "0"]), in: folder.url)
    #expect(script.status == 64 && script.errors.contains("starts none: leave out"), "\(script.errors)")
    #expect(folder.contents.isEmpty)
  }

  @Test func `a sweep may be a file, and what the command line says wins`() throws {
    try """
    algorithms: [td3, ddpg]
    environments: Pendulum-v1
    seeds: 0..4
    steps: 300
    evaluationEpisodes: 2
    set: {hiddenSizes: [8, 8], batchSize: 8, randomSteps: 100, discount: [0.9, 0.99]}
    """.write(toFile: folder.path("my.yaml"), atomically: true, encoding: .utf8)
    let plan = try Program.run(["sweep", "my.yaml", "--seeds", "3", "--set", "gamma=0.5", "--dry-run"], in: folder.url)
    #expect(plan.status == 1 && plan.errors.contains("discount is set twice"), "\(plan.errors)")
    let result = try Program.run(["sweep", "my.yaml", "--seeds", "3", "--set", "discount=0.5"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try digests("sweeps/my").keys.sorted() == ["ddpg-Pendulum-v1-seed3", "td3-Pendulum-v1-seed3"])
  }

  @Test(
    arguments: [
      (["sac"], "name the environments too"), (["sec", "Pendulum-v1"], "did you mean sac?"),
      (["sac", "Pendulun-v1"], "did you mean Pendulum-v1"), (["dqn", "Pendulum-v1"], "real-valued actions"),
      (["td3-bc", "Pendulum-v1"], "does not learn in an environment"),
      (["sac", "Pendulum-v1", "--set", "lrr=1"], "no hyperparameter \"lrr\""),
      (["sac", "Pendulum-v1", "--seeds", "x"], "write them as 0..9"),
      (["sac", "Pendulum-v1", "--set", "discount=3"], "discount cannot be 3"),
      (["sac", "Pendulum-v1", "--preset", "nope"], "there is no preset"), (["none.yaml"], "none.yaml does not exist"),
      (["sac", "Pendulum-v1", "--option", "x=1"], "x"),
    ] as [([String], String)])
  func `a sweep that cannot be made is refused in one line before anything is written`(
    words: [String], says: String
  ) throws {
    let result = try Program.run(["sweep"] + words, in: folder.url)
    #expect(result.status == 1 && result.errorLines.count == 1 && result.errors.contains(says), "\(result.errors)")
    #expect(folder.contents.isEmpty)
  }
}
