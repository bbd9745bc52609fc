// Curves.swift — the lines of several runs, and of each group the interquartile mean with its 95 % band.

import Platform

/// Which column of a log a curve shows.
struct Curve {
  enum Log { case episodes, metrics, evaluations, health }

  var log: Log
  var column: String
  /// The column of the x axis: `step` or `seconds`.
  var against = "step"

  func points(of run: RunData) -> [Point] { table(of: run).points(against, column) }

  private func table(of run: RunData) -> LogTable {
    switch log {
    case .episodes: run.episodes
    case .metrics: run.metrics
    case .evaluations: run.evaluations
    case .health: run.health
    }
  }
}

struct Curves {
  let groups: [RunGroup]
  /// The most points of a line.
  let limit: Int

  /// A thin line for each run, and a bold one for the mean of a group; a run that is alone in its group is bold.
  ///
  /// - Parameter hasBand: an interval around the bold line, from resampled seeds.
  func lines(
    hasBand: Bool, together: ([[Point]]) -> [[Point]] = Curves.atCommonPlaces, _ points: (RunData) -> [Point]
  ) -> [Series] {
    var lines: [Series] = []
    for (index, group) in groups.enumerated() {
      let ofRuns = group.runs.map { points($0) }
      for (run, points) in zip(group.runs, ofRuns) where !points.isEmpty {
        let isAlone = group.runs.count == 1
        lines.append(
          Series(
            name: isAlone ? group.label : "\(group.label), seed \(run.run.seed)", group: index,
            kind: isAlone ? .bold : .thin, points: points.thinned(to: limit)))
      }
      guard group.runs.count > 1 else { continue }
      let aligned = together(ofRuns.map { $0.thinned(to: limit) })
      guard let first = aligned.first, !first.isEmpty else { continue }
      var bootstrap = StratifiedBootstrap(resamples: 1000)
      var line = Series(name: "\(group.label), IQM of \(group.runs.count) seeds", group: index, kind: .bold, points: [])
      for place in first.indices {
        let values = aligned.map { $0[place].y }
        line.points.append(Point(x: first[place].x, y: Statistics.interquartileMean(values)))
        if hasBand { line.band.append(bootstrap.interval([values], of: Statistics.aggregateInterquartileMean)) }
      }
      lines.append(line)
    }
    return lines
  }

  func lines(_ curve: Curve, hasBand: Bool = false) -> [Series] {
    lines(hasBand: hasBand, together: curve.against == "step" ? Curves.atCommonPlaces : Curves.onOneGrid) {
      curve.points(of: $0)
    }
  }

  // MARK: alignment

  /// The points at the x values that every line has.
  static func atCommonPlaces(_ lines: [[Point]]) -> [[Point]] {
    guard let first = lines.first else { return [] }
    var common = Set(first.map(\.x))
    for line in lines.dropFirst() { common.formIntersection(line.map(\.x)) }
    return lines.map { line in
      var seen: Set<Double> = []
      return line.filter { common.contains($0.x) && seen.insert($0.x).inserted }
    }
  }

  /// Every line at 60 x values within the range that all lines cover, interpolated linearly.
  static func onOneGrid(_ lines: [[Point]]) -> [[Point]] {
    guard let start = lines.map({ $0.first?.x ?? .infinity }).max(),
      let end = lines.map({ $0.last?.x ?? -.infinity }).min(), start.isFinite, start < end
    else { return lines.map { _ in [] } }
    let places = (0..<60).map { start + (end - start) * Double($0) / 59 }
    return lines.map { line in
      var index = 0
      return places.map { x in
        while index + 2 < line.count, line[index + 1].x < x { index += 1 }
        guard index + 1 < line.count else { return Point(x: x, y: line[index].y) }
        let (a, b) = (line[index], line[index + 1])
        let share = b.x > a.x ? min(1, max(0, (x - a.x) / (b.x - a.x))) : 1
        return Point(x: x, y: a.y + share * (b.y - a.y))
      }
    }
  }

  /// Means within equal parts of the steps up to `last`; a part without an episode has no point.
  static func binned(_ points: [Point], last: Double, count: Int) -> [Point] {
    guard last > 0 else { return [] }
    var sums = [Double](repeating: 0, count: count)
    var sizes = sums
    for point in points {
      let bin = min(count - 1, max(0, Int(clampingWhole: (point.x - 1) / last * Double(count))))
      sums[bin] += point.y
      sizes[bin] += 1
    }
    return (0..<count).compactMap { bin in
      sizes[bin] > 0 ? Point(x: last * Double(bin + 1) / Double(count), y: sums[bin] / sizes[bin]) : nil
    }
  }
}
