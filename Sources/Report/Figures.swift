// Figures.swift — the figures of a report, in their order.

import Formats
import Training

/// A section of the page with its figures.
struct FigureSection: Sendable {
  var id: String
  var title: String
  var figures: [Figure]
}

/// Makes the figures of runs.
struct Figures {
  private let groups: [RunGroup]
  private let curves: Curves
  /// The return that counts as solved, where the environment has one.
  private let threshold: Double?

  init(_ groups: [RunGroup], threshold: Double?) {
    (self.groups, self.threshold) = (groups, threshold)
    // so that the page stays well below two megabytes
    let runs = groups.reduce(0) { $0 + $1.runs.count }
    curves = Curves(groups: groups, limit: max(24, min(240, 1400 / max(1, runs))))
  }

  var sections: [FigureSection] {
    [
      FigureSection(id: "learning", title: "Learning curves", figures: learning),
      FigureSection(id: "health", title: "Health", figures: health),
      FigureSection(id: "training", title: "Losses, exploration and speed", figures: training),
    ].map { section in
      var section = section
      section.figures.removeAll(where: \.isEmpty)
      return section
    }
  }

  // MARK: learning

  private var learning: [Figure] {
    let together =
      groups.contains { $0.runs.count > 1 }
      ? " Thin: each seed. Bold: interquartile mean (IQM) of the seeds, with its 95 % bootstrap band." : ""
    return [
      Figure(
        id: "evaluations-by-steps", title: "Evaluations by steps",
        explanation: "Mean return of the evaluation episodes, without exploration." + together
          + (groups.allSatisfy { $0.runs.count == 1 } ? " Band: 95 % interval of the mean over the episodes." : ""),
        xLabel: "environment steps", yLabel: "return", series: evaluations(against: "step")),
      Figure(
        id: "evaluations-by-time", title: "Evaluations by wall time",
        explanation: "The same evaluations by seconds of training.", xLabel: "seconds of training", yLabel: "return",
        series: evaluations(against: "seconds")),
      Figure(
        id: "training-by-steps", title: "Training returns by steps",
        explanation: "Return of the training episodes, with exploration: means over equal parts of the run." + together,
        xLabel: "environment steps", yLabel: "return", series: episodes("return", hasBand: true)),
      Figure(
        id: "training-by-time", title: "Training returns by wall time",
        explanation: "The same episodes by seconds of training.", xLabel: "seconds of training", yLabel: "return",
        series: curves.lines(Curve(log: .episodes, column: "return", against: "seconds"))),
    ]
  }

  private func evaluations(against: String) -> [Series] {
    var lines = curves.lines(Curve(log: .evaluations, column: "return_mean", against: against), hasBand: true)
    // a single run has no other seeds: the interval of its mean comes from its episodes
    for index in lines.indices where lines[index].kind == .bold && groups[lines[index].group].runs.count == 1 {
      let table = groups[lines[index].group].runs[0].evaluations
      let rows = zip(zip(table["return_mean"], table["return_sd"]), table["episodes"])
      let bands = rows.compactMap { values, episodes -> Interval95? in
        guard values.0.isFinite else { return nil }
        let half = episodes > 1 ? 1.96 * values.1 / (episodes - 1).squareRoot() : .nan
        return Interval95(low: values.0 - half, high: values.0 + half)
      }
      if bands.count == lines[index].points.count { lines[index].band = bands }
    }
    let ends = lines.flatMap { [$0.points.first?.x, $0.points.last?.x].compactMap { $0 } }
    if let threshold, let first = ends.min(), let last = ends.max() {
      lines.append(
        Series(
          name: "counts as solved", group: 0, kind: .reference,
          points: [Point(x: first, y: threshold), Point(x: last, y: threshold)]))
    }
    return lines
  }

  private func episodes(_ column: String, hasBand: Bool = false) -> [Series] {
    curves.lines(hasBand: hasBand) { run in
      let points = run.episodes.points("step", column)
      return Curves.binned(
        points, last: Double(run.run.steps), count: max(1, min(60, curves.limit, points.count / 2)))
    }
  }

  // MARK: health

  private var health: [Figure] {
    func figure(
      _ id: String, _ title: String, _ explanation: String, _ yLabel: String, _ columns: [(String, String)],
      isLogarithmic: Bool = false
    ) -> Figure {
      of(id, title, explanation, yLabel, .health, columns, isLogarithmic: isLogarithmic)
    }
    return [
      Figure(
        id: "predicted-and-obtained", title: "Predicted value minus obtained value",
        explanation: "Mean over the last episodes of Q at their first step, minus the discounted return that followed. "
          + "Above 0 the critics overestimate, below 0 they underestimate.",
        xLabel: "environment steps", yLabel: "difference",
        series: curves.lines(Curve(log: .health, column: "value_bias")) + zero),
      figure(
        "relative-bias", "Size of the obtained values",
        "Mean absolute discounted return: the scale of the difference above.", "size",
        [("value_scale", "")]),
      figure(
        "largest-value", "Largest value and its bound",
        "The largest |Q| of a batch, and the largest that the rewards allow.", "|Q|",
        [("value_max", "largest"), ("value_bound", "bound")], isLogarithmic: true),
      figure(
        "dead-units", "Dead units", "Share of hidden units that are zero for a whole batch.", "share",
        [("dead_policy_units", "policy"), ("dead_critic_units", "critics")]),
      figure(
        "saturated-actions", "Saturated actions", "Share of the policy's actions that are at their bounds.", "share",
        [("saturated_actions", "")]),
      figure(
        "gradient-norms", "Gradient norms", "Euclidean norm of the last gradient.", "norm",
        [("policy_gradient_norm", "policy"), ("critic_gradient_norm", "critics")], isLogarithmic: true),
      figure(
        "parameter-norms", "Parameter norms", "Euclidean norm of all parameters.", "norm",
        [("policy_norm", "policy"), ("critic_norm", "critics")]),
      figure(
        "replay-ratio", "Replay ratio", "How often a stored transition was learned from, on average.", "times",
        [("replay_ratio", "")]),
    ]
  }

  private var zero: [Series] {
    let steps = groups.flatMap { $0.runs.flatMap { $0.health["step"] } }
    guard let first = steps.min(), let last = steps.max() else { return [] }
    return [
      Series(
        name: "no bias", group: 0, kind: .reference, points: [Point(x: first, y: 0), Point(x: last, y: 0)])
    ]
  }

  // MARK: training

  private var training: [Figure] {
    var figures = [
      of(
        "critic-loss", "Critic loss", "Mean squared error of the critics against their targets, summed over critics.",
        "loss", .metrics, [("critic_loss", "")], isLogarithmic: true),
      of(
        "policy-loss", "Policy loss", "The objective that the policy descends.", "loss", .metrics, [("policy_loss", "")]
      ),
      of("targets", "Targets", "Mean of the critics' targets.", "value", .metrics, [("target_mean", "")]),
      of(
        "temperature", "Temperature α", "Weight of the entropy against the reward.", "α", .metrics,
        [("temperature", "")]),
      of("entropy", "Entropy", "Mean of −log π, in nats.", "nats", .metrics, [("entropy", "")]),
    ]
    figures.append(
      Figure(
        id: "epsilon", title: "Exploration ε", explanation: "Share of random actions, computed from the settings.",
        xLabel: "environment steps", yLabel: "ε", series: epsilon))
    let known = [
      "step", "updates", "critic_loss", "policy_loss", "target_mean", "temperature", "entropy", "seconds",
    ]
    var further: [String] = []
    for run in groups.flatMap(\.runs) {
      for name in run.metrics.names where !known.contains(name) && !further.contains(name) { further.append(name) }
    }
    for name in further {
      let words = name.split(separator: "_").joined(separator: " ")
      // a name of a file too: of others' logs only letters and digits are taken
      let id = name.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }.joined(separator: "-")
      figures.append(
        of("metric-" + id, words, "A metric of this algorithm; see its guide.", words, .metrics, [(name, "")]))
    }
    figures.append(
      Figure(
        id: "episode-length", title: "Episode length", explanation: "Steps of the training episodes.",
        xLabel: "environment steps", yLabel: "steps", series: episodes("length")))
    figures.append(
      Figure(
        id: "speed", title: "Steps per second",
        explanation: "Environment steps by seconds of training, updates and evaluations included.",
        xLabel: "environment steps", yLabel: "steps per second", series: curves.lines(hasBand: false) { Self.speed($0) }
      ))
    return figures
  }

  /// The schedule of ε where the algorithm has one: linear, after the first random steps.
  private var epsilon: [Series] {
    groups.enumerated().compactMap { index, group in
      let run = group.runs[0].run
      func setting(_ name: String) -> Double? {
        if case .number(let value)? = run.configuration[name] { value } else { nil }
      }
      guard let first = setting("initialEpsilon"), let last = setting("finalEpsilon"),
        let steps = setting("epsilonSteps"), let start = setting("randomSteps")
      else { return nil }
      let end = Double(run.steps)
      let falls = max(0, min(steps, end - start))
      let lowest = steps > 0 ? first + (last - first) * falls / steps : last
      var points = [Point(x: start, y: first), Point(x: start + falls, y: lowest)]
      if start + falls < end { points.append(Point(x: end, y: lowest)) }
      return Series(name: group.label, group: index, kind: .bold, points: points)
    }
  }

  /// Steps by seconds between rows of the log.
  private static func speed(_ run: RunData) -> [Point] {
    let rows = (run.metrics.count > 2 ? run.metrics : run.episodes).points("step", "seconds")
    return zip(rows, rows.dropFirst()).compactMap { before, after in
      after.y > before.y ? Point(x: after.x, y: (after.x - before.x) / (after.y - before.y)) : nil
    }
  }

  private func of(
    _ id: String, _ title: String, _ explanation: String, _ yLabel: String, _ log: Curve.Log,
    _ columns: [(name: String, label: String)], isLogarithmic: Bool = false
  ) -> Figure {
    var series: [Series] = []
    for (place, column) in columns.enumerated() {
      for var line in curves.lines(Curve(log: log, column: column.name)) {
        if !column.label.isEmpty { line.name += ", " + column.label }
        // several columns in one figure have different colours
        line.group = line.group * columns.count + place
        series.append(line)
      }
    }
    // a figure of a bound alone is left out
    if columns.count > 1, !series.contains(where: { $0.group % columns.count == 0 }) { series = [] }
    var figure = Figure(
      id: id, title: title, explanation: explanation, xLabel: "environment steps", yLabel: yLabel, series: series)
    figure.isLogarithmic = isLogarithmic && figure.isPositive
    return figure
  }
}
