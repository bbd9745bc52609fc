// Comparison.swift — compares several runs: statistics of their last evaluations, as rliable defines them.

/// The rows of the comparison table, and the figure below it.
struct Comparison {
  struct Row {
    var label: String
    var count: Int
    var mean: Double
    var deviation: Double
    var median: Double
    var interquartileMean: Double
    var interval: Interval95
    var best: Double
    /// How far the scores are below the solved return; nil where the environment has none.
    var optimalityGap: Double?
  }

  struct Improvement {
    var first: String
    var second: String
    var probability: Double
    var interval: Interval95
  }

  var rows: [Row] = []
  var improvements: [Improvement] = []
  var profile: Figure

  init(_ groups: [RunGroup], threshold: Double?) {
    var bootstrap = StratifiedBootstrap()
    let known = groups.enumerated().filter { !$0.element.lastReturns.isEmpty }
    for (_, group) in known {
      let scores = group.lastReturns
      rows.append(
        Row(
          label: group.label, count: scores.count, mean: Statistics.mean(scores),
          deviation: Statistics.standardDeviation(scores), median: Statistics.median(scores),
          interquartileMean: Statistics.interquartileMean(scores),
          interval: bootstrap.interval([scores], of: Statistics.aggregateInterquartileMean),
          best: group.bestReturns.max() ?? .nan,
          optimalityGap: threshold.map { Statistics.optimalityGap([scores], target: $0) }))
    }
    // pairs of many settings would make a long table: only those of the first eight are shown
    for (a, first) in known.prefix(8) {
      for (b, second) in known.prefix(8) where a < b {
        let (x, y) = ([first.lastReturns], [second.lastReturns])
        improvements.append(
          Improvement(
            first: first.label, second: second.label, probability: Statistics.probabilityOfImprovement(x, over: y),
            interval: bootstrap.interval(x, y) { Statistics.probabilityOfImprovement($0, over: $1) }))
      }
    }
    let all = known.flatMap(\.element.lastReturns)
    profile = Figure(
      id: "performance-profile", title: "Performance profile",
      explanation: "Share of runs whose last evaluation is above a return, with pointwise 95 % bootstrap bands.",
      xLabel: "return", yLabel: "share of runs above", series: [])
    guard let low = all.min(), let high = all.max(), low < high else { return }
    let margin = 0.05 * (high - low)
    let thresholds = (0...60).map { low - margin + (high - low + 2 * margin) * Double($0) / 60 }
    for (index, group) in known {
      let scores: Scores = [group.lastReturns]
      let shares = Statistics.performanceProfile(scores, at: thresholds)
      let bands = bootstrap.intervals([scores]) { Statistics.performanceProfile($0[0], at: thresholds) }
      profile.series.append(
        Series(
          name: group.label, group: index, kind: .bold, points: zip(thresholds, shares).map { Point(x: $0, y: $1) },
          band: group.lastReturns.count > 1 ? bands : []))
    }
  }
}
