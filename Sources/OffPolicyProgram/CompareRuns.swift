// CompareRuns.swift — `offpolicy compare-runs`: compares learning runs, with confidence intervals of the differences.

import ArgumentParser
import Foundation
import OffPolicy
import Report

struct CompareRuns: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare-runs",
    abstract: "Compare learning runs: returns of the last evaluations with intervals, and the settings that differ.",
    discussion: """
      Runs that differ only in their seed are one row. IQM, the interquartile mean, leaves out the lowest and the highest \
      quarter; its 95 % interval is a bootstrap over seeds. `offpolicy compare` compares policies; `offpolicy report` draws curves.
      """)

  @Argument(
    help: ArgumentHelp("The folders of the runs, of sweeps, or folders that have runs in them.", valueName: "run"))
  var folders: [String]

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    var seen: Set<String> = []
    let paths = try folders.flatMap(Self.runs(in:)).filter {
      seen.insert(URL(fileURLWithPath: $0).standardizedFileURL.path).inserted
    }
    let runs = try paths.map { try RunData($0) }
    for run in runs where run.inspection.lastReturn == nil {
      Output.note("\(run.path) has no evaluation: it is left out of the statistics")
    }
    for run in runs where run.inspection.lastReturn != nil && run.inspection.step < run.run.steps {
      Output.note("\(run.path) is at step \(run.inspection.step.text) of \(run.run.steps.text)")
    }
    let table = RunTable(runs)
    guard !table.rows.isEmpty else {
      throw RunDirectoryError("no run has an evaluation yet, so there is nothing to compare: wait for the first one")
    }
    if json { return try Output.json(table) }
    table.show()
  }

  /// A run's folder, the runs of a sweep's, or those of a folder of runs.
  private static func runs(in path: String) throws -> [String] {
    func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: file) }
    let isSweep = exists("\(path)/sweep.json")
    guard isSweep || !exists("\(path)/run.json") else { return [path] }
    let parent = isSweep ? "\(path)/runs" : path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent))?.sorted() ?? []
    let runs = names.map { "\(parent)/\($0)" }.filter { exists("\($0)/run.json") }
    guard !isSweep || !runs.isEmpty else { throw RunDirectoryError("the sweep \(path) has no run yet") }
    return runs.isEmpty ? [path] : runs
  }
}

extension RunTable {
  /// Prints everything as text.
  func show() {
    let isWide = Set(rows.map(\.environment)).count > 1
    func place(_ environment: String?) -> [String] { isWide ? [environment ?? "all"] : [] }
    let first = isWide ? ["environment"] : []
    TextTable.show(
      [first + ["setting", "runs", "mean ± sd", "median", "IQM [95 % interval]", "best"]]
        + rows.map { row in
          place(row.environment) + [
            row.setting, "\(row.count)",
            row.mean.text() + (row.standardDeviation.isNaN ? "" : " ± \(row.standardDeviation.text())"),
            row.median.text(), row.interquartileMean.text() + Self.interval(row.interval, 1), row.best.text(),
          ]
        }, numeric: Set((first.count + 1)...(first.count + 5)))
    if rows.contains(where: { (2..<5).contains($0.count) }) {
      print("intervals from fewer than five seeds are too narrow: run more seeds")
    }
    if !improvements.isEmpty {
      print("")
      TextTable.show(
        [first + ["a run of", "is better than one of", "with probability [95 % interval]"]]
          + improvements.map {
            place($0.environment) + [$0.setting, $0.against, $0.probability.text(3) + Self.interval($0.interval, 3)]
          }, numeric: [first.count + 2])
    }
    for environment in Set(differences.map(\.environment)).sorted() {
      let own = differences.filter { $0.environment == environment }
      var labels: [String] = []
      for row in rows where row.environment == environment { labels.append(row.setting) }
      print("")
      TextTable.show(
        [[isWide ? "differs in \(environment)" : "differs"] + labels]
          + own.map { difference in [difference.name] + labels.map { difference.values[$0] ?? "–" } })
    }
  }

  private static func interval(_ ends: [Double], _ digits: Int) -> String {
    ends.contains(where: \.isNaN) ? "" : " [\(ends.map { $0.text(digits) }.joined(separator: ", "))]"
  }
}
