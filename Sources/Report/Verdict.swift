// Verdict.swift — the result of a report in a few sentences: returns, confidence intervals, and health.

import Platform
import Training

struct Verdict {
  let sentences: [String]
  /// Whether no run has a health finding.
  let isSound: Bool

  init(_ groups: [RunGroup], threshold: Double?) {
    let runs = groups.flatMap(\.runs)
    let task = runs[0].run.environment
    var sentences: [String] = []
    if groups.count == 1 {
      sentences.append(Self.level(groups[0], on: task))
      if let threshold { sentences.append(Self.solved(groups[0], threshold)) }
    } else {
      sentences.append(Self.ranking(groups, on: task))
    }
    let unfinished = runs.filter { $0.lastStep < Double($0.run.steps) }
    if unfinished.count == 1 && runs.count == 1 {
      sentences.append(
        "The run is at step \(Int(clampingWhole: unfinished[0].lastStep).grouped) of \(unfinished[0].run.steps.grouped)."
      )
    } else if !unfinished.isEmpty {
      sentences.append("\(unfinished.count) of \(runs.count) runs have not reached their last step.")
    }
    let ill = runs.filter { $0.inspection.health.status == "warning" }
    isSound = ill.isEmpty
    if ill.isEmpty {
      sentences.append("Health: no findings.")
    } else {
      let count = runs.reduce(0) { $0 + $1.inspection.health.findings.count }
      sentences.append(
        runs.count == 1
          ? "Health: \(count) \(count == 1 ? "finding" : "findings"), see below."
          : "Health: \(ill.count) of \(runs.count) runs have findings, see below.")
    }
    self.sentences = sentences
  }

  /// A sentence on the evaluations of one group.
  private static func level(_ group: RunGroup, on task: String) -> String {
    let last = group.lastReturns
    let who = "\(group.label) on \(task)"
    guard !last.isEmpty else {
      let episodes = group.runs.flatMap { $0.episodes["return"].suffix(20) }
      return "\(who) has no evaluations; its last training episodes returned "
        + (episodes.isEmpty ? "nothing yet." : "\(Statistics.mean(episodes).short) on average.")
    }
    let best = group.bestReturns.max() ?? .nan
    if last.count == 1 {
      let table = group.runs.first { !$0.evaluated.isEmpty }?.evaluations
      let deviation = table?["return_sd"].last ?? .nan
      let episodes = Int(clampingWhole: table?["episodes"].last ?? 0)
      return "\(who) (one seed) ends at a return of \(last[0].text(deviation: deviation)) over \(episodes) episodes; "
        + "its best evaluation was \(best.short)."
    }
    var bootstrap = StratifiedBootstrap()
    let interval = bootstrap.interval([last], of: Statistics.aggregateInterquartileMean)
    return "\(who), \(last.count) seeds, ends at a return of \(Statistics.interquartileMean(last).short) "
      + "(interquartile mean, 95 % interval \(interval.low.short) to \(interval.high.short)); the best evaluation of any "
      + "seed was \(best.short)."
  }

  private static func solved(_ group: RunGroup, _ threshold: Double) -> String {
    let count = group.bestReturns.count { $0 >= threshold }
    guard !group.bestReturns.isEmpty else { return "The environment counts as solved at \(threshold.short)." }
    if group.bestReturns.count == 1 {
      return "The environment counts as solved at \(threshold.short): "
        + (count == 1 ? "an evaluation reached that." : "no evaluation reached that.")
    }
    return
      "The environment counts as solved at \(threshold.short): \(count) of \(group.bestReturns.count) seeds reached "
      + "that in some evaluation."
  }

  /// Sentences on the best group, and the probability that it is better than the next one.
  private static func ranking(_ groups: [RunGroup], on task: String) -> String {
    let ranked = groups.filter { !$0.lastReturns.isEmpty }
      .sorted { Statistics.interquartileMean($0.lastReturns) > Statistics.interquartileMean($1.lastReturns) }
    guard ranked.count > 1 else { return "Of \(groups.count) settings on \(task), fewer than two have evaluations." }
    let (first, second) = (ranked[0], ranked[1])
    let text =
      "On \(task), \(first.label) ends highest, at a return of \(end(first)), and \(second.label) next, at \(end(second))."
    let fewest = min(first.lastReturns.count, second.lastReturns.count)
    guard fewest > 1 else { return text + " One seed is too few to compare them: the order may be chance." }
    var bootstrap = StratifiedBootstrap()
    let (x, y) = ([first.lastReturns], [second.lastReturns])
    let chance = Statistics.probabilityOfImprovement(x, over: y)
    let interval = bootstrap.interval(x, y) { Statistics.probabilityOfImprovement($0, over: $1) }
    return text + " A run of \(first.label) ends higher than a run of \(second.label) with probability "
      + "\(chance.digits(2)) (95 % interval \(interval.low.digits(2)) to \(interval.high.digits(2)))"
      + (interval.low > 0.5 ? "." : ": these seeds cannot tell which is better.")
      + (fewest < 5 ? " Fewer than five seeds make this interval too narrow." : "")
  }

  private static func end(_ group: RunGroup) -> String {
    let count = group.lastReturns.count
    let mean = Statistics.interquartileMean(group.lastReturns).short
    return count == 1 ? "\(mean) (one seed)" : "\(mean) (interquartile mean of \(count) seeds)"
  }
}
