// RunData.swift — one run as a report reads it: its description, its logs as columns of numbers, its health.

import Algorithms
import Formats
import Training

/// The error for a report that cannot be made, in one line.
public struct ReportError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// A log as columns of numbers.
struct LogTable: Sendable {
  private(set) var columns: [String: [Double]] = [:]
  private(set) var names: [String] = []
  private(set) var count = 0

  /// - Parameter lines: the header, then rows; an incomplete row ends the table.
  init(_ lines: [[String]]) {
    guard let header = lines.first else { return }
    names = header
    var values = [[Double]](repeating: [], count: header.count)
    for row in lines.dropFirst() {
      guard row.count == header.count else { break }
      for (column, text) in row.enumerated() { values[column].append(Double(text) ?? .nan) }
      count += 1
    }
    for (name, column) in zip(header, values) { columns[name] = column }
  }

  subscript(name: String) -> [Double] { columns[name] ?? [] }

  /// The pairs of two columns in which both are finite.
  func points(_ x: String, _ y: String) -> [Point] {
    zip(self[x], self[y]).compactMap { $0.isFinite && $1.isFinite ? Point(x: $0, y: $1) : nil }
  }
}

/// One run as a report shows it.
public struct RunData: Sendable {
  /// The path of the folder, as it was given.
  public let path: String
  /// The last part of the path.
  public let name: String
  public let description: RunDescription
  public let inspection: RunInspection
  let episodes: LogTable
  let metrics: LogTable
  let evaluations: LogTable
  let health: LogTable

  public var run: RunConfiguration { description.run }

  /// - Throws: `RunDirectoryError` for a folder that holds no run.
  public init(_ path: String) throws {
    let directory = try RunDirectory.open(path)
    self.path = path
    name = path.split(separator: "/").last.map(String.init) ?? path
    description = directory.description
    inspection = try RunInspection(directory)
    episodes = LogTable(directory.lines("episodes.csv"))
    metrics = LogTable(directory.lines("metrics.csv"))
    evaluations = LogTable(directory.lines("evaluations.csv"))
    health = LogTable(directory.lines("health.csv"))
  }

  /// Whether there is nothing to show yet.
  var isEmpty: Bool { episodes.count == 0 && evaluations.count == 0 && metrics.count == 0 }

  /// The mean returns of the evaluations, by step.
  var evaluated: [Point] { evaluations.points("step", "return_mean") }

  /// The last step in any log, which may be later than the last checkpoint.
  var lastStep: Double {
    [Double(inspection.step), episodes["step"].last ?? 0, evaluations["step"].last ?? 0, metrics["step"].last ?? 0]
      .max() ?? 0
  }

  var seconds: Double {
    [inspection.seconds, episodes["seconds"].last ?? 0, evaluations["seconds"].last ?? 0].filter(\.isFinite).max() ?? 0
  }
}
