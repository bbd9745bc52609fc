// LivePage.swift — the report on runs that still train, made again when their files change. It only reads files.

import Formats
import Platform
import Training

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A report that is made again when the files of its runs change.
public final class LivePage {
  private let paths: [String]
  private let title: String
  private let make: ([RunData]) throws -> ReportPage
  /// Tells this page's versions from those of a page that was served here before.
  private let began: String
  private var marks: [FileMark?] = []
  private var changes = 0
  /// The last page that could be made, and of which change it is.
  private var shown: (change: Int, html: String, isOver: Bool)?
  /// Why no page could be made of the last change.
  private var problem: String?

  /// The files that a report reads.
  private static let files = [
    "run.json", "episodes.csv", "metrics.csv", "evaluations.csv", "health.csv", "checkpoint/state.safetensors",
  ]

  /// - Parameters:
  ///   - paths: the folders of the runs, at least one.
  ///   - make: makes the page of runs that have something to show.
  /// - Throws: for a folder that is no run, and for runs that cannot be shown together.
  public init(_ paths: [String], make: @escaping ([RunData]) throws -> ReportPage) throws {
    let runs = try paths.map { try RunDirectory.describe($0).run }
    try ReportPage.checkTogether(zip(paths, runs).map { ($0, $1.environment) })
    (self.paths, self.make) = (paths, make)
    let names = Set(runs.map(\.algorithm)).sorted().joined(separator: ", ")
    title = runs.first.map { $0.environment.isEmpty ? names : "\(names) on \($0.environment)" } ?? names
    began = "\(Int(Date().timeIntervalSince1970 * 1000))"
    look()
  }

  /// Notices whether a file has changed.
  private func look() {
    let found = paths.flatMap { path in
      let folder = try? Folder(path)
      return Self.files.map { folder?.mark($0) }
    }
    if found != marks { (marks, changes) = (found, changes + 1) }
  }

  /// The page as it is now. What cannot be read at the moment leaves the last one.
  var html: String {
    look()
    if let shown, shown.change == changes { return shown.html }
    let change = changes
    do {
      let runs = try paths.map { try RunData($0) }
      let isOver = runs.allSatisfy { $0.lastStep >= Double($0.run.steps) }
      problem = nil
      shown = (change, try page(of: runs.filter { !$0.isEmpty }, version: version(change)), isOver)
    } catch {
      problem = oneLine("\(error)")
    }
    return shown?.html ?? waiting(version: version(change))
  }

  /// What the page asks again and again: whether there is something new, as JSON.
  var state: String {
    look()
    let written = marks.compactMap { $0?.written }.max()
    let age = written.map { max(0, Date().timeIntervalSince1970 - $0) }
    var members: [String: JSONValue] = [
      "version": .string(version(changes)), "isOver": .bool(shown?.isOver ?? false),
    ]
    if let age { members["secondsSinceWritten"] = .number(age.rounded()) }
    if let problem { members["problem"] = .string(problem) }
    return JSONValue.object(members).text()
  }

  private func version(_ change: Int) -> String { "\(began)-\(change)" }

  private func page(of runs: [RunData], version: String) throws -> String {
    guard !runs.isEmpty else { return waiting(version: version) }
    var page = try make(runs)
    page.liveVersion = version
    return page.html
  }

  /// Until there is something to show.
  private func waiting(version: String) -> String {
    let runs = paths.count == 1 ? "The run has" : "The runs have"
    return PageDocument(
      title: title,
      header: """
        <h1>\(title.escaped)</h1>
        <p class="verdict">\(runs) no episode, no evaluation and no update yet. The page fills as training goes on.</p>
        """,
      main: "", liveVersion: version
    ).html
  }
}
