// Progress.swift — prints the progress of a run: a live line on a terminal, plain lines elsewhere.

import OffPolicy

final class Progress: MetricSink {
  private let total: Int
  /// Steps before the first update. They are many times as fast as steps with updates, so the time left ignores them.
  private let learningBegins: Int
  private let isTerminal = Output.isTerminal
  private var lastShown = ContinuousClock.now
  private var lastStep: Int
  private var isLearning: Bool
  private var rate = 0.0
  /// Names of the findings that were shown: each is shown once, and again only after it was gone.
  private var shown: Set<String> = []

  init(total: Int, firstStep: Int, learningBegins: Int = 0) {
    (self.total, lastStep, self.learningBegins) = (total, firstStep, learningBegins)
    isLearning = firstStep > learningBegins
  }

  /// Shows where the run is, if enough time has passed: 0.2 s on a terminal, 10 s elsewhere.
  func show(_ trainer: any TrainingRun) {
    let now = ContinuousClock.now
    let elapsed = (now - lastShown).seconds
    guard elapsed >= (isTerminal ? 0.2 : 10) else { return }
    let current = Double(trainer.step - lastStep) / elapsed
    let learns = trainer.step > learningBegins
    // the rate begins anew with the first update; an interval with steps of both kinds counts for neither
    rate = rate == 0 || learns != isLearning ? current : 0.7 * rate + 0.3 * current
    let isMixed = learns && !isLearning
    (lastShown, lastStep, isLearning) = (now, trainer.step, learns)
    let line = line(trainer, knowsRate: learns && !isMixed)
    if isMixed { rate = 0 }
    Output.note(isTerminal ? Output.clearLine + line : line, terminator: isTerminal ? "" : "\n")
  }

  func receive(_ record: RunRecord) {
    switch record {
    case .evaluation(let record): show(record)
    case .health(let record): show(record)
    case .simulatorFault(let record):
      Output.note("the simulator broke off an episode at step \(record.step.text): \(record.description)")
    case .episode, .metrics: break
    }
  }

  /// Shows an evaluation on a line of its own.
  private func show(_ record: EvaluationRecord) {
    let result = record.evaluation
    let clear = isTerminal ? Output.clearLine : ""
    Output.note(
      "\(clear)step \(record.step.text): return \(result.mean.text()) ± \(result.standardDeviation.text()) over "
        + "\(result.episodes) episodes\(record.isBest ? ", the best so far" : "")"
        + (result.faults > 0 ? ", \(result.faults) of them broken off by the simulator" : ""))
  }

  /// Shows the health findings that are new.
  private func show(_ record: HealthRecord) {
    let findings = record.findings
    for finding in findings where !shown.contains(finding.name) {
      Output.note("\(isTerminal ? Output.clearLine : "")step \(record.step.text), health: \(finding.text)")
    }
    shown = Set(findings.map(\.name))
  }

  /// Ends the live line.
  func finish() {
    if isTerminal { Output.note(Output.clearLine, terminator: "") }
  }

  /// - Parameter knowsRate: steps with updates have been timed.
  private func line(_ trainer: any TrainingRun, knowsRate: Bool) -> String {
    let percent = 100 * Double(trainer.step) / Double(max(1, total))
    var parts = ["\(trainer.step.text) of \(total.text) steps (\(percent.text()) %)"]
    if !isLearning {
      parts.append("learning begins after \(learningBegins.text) steps")
    } else if knowsRate && rate > 0 {
      parts += ["\(clock(Double(total - trainer.step) / rate)) left", "\(rate.text(0)) steps/s"]
    }
    if let last = trainer.lastEvaluation { parts.append("return \(last.evaluation.mean.text())") }
    if !trainer.temperature.isNaN { parts.append("temperature \(trainer.temperature.text(4))") }
    return Output.fit(parts)
  }
}

/// The progress of other work: a count, its unit, and a note.
struct WorkProgress {
  private let total: Int
  private let unit: String
  private let isTerminal = Output.isTerminal
  private let start = ContinuousClock.now
  private var lastShown = ContinuousClock.now

  init(total: Int, of unit: String) { (self.total, self.unit) = (total, unit) }

  /// Shows how far the work is, if enough time has passed: 0.2 s on a terminal, 10 s elsewhere.
  mutating func show(_ done: Int, _ more: @autoclosure () -> String = "") {
    let now = ContinuousClock.now
    guard (now - lastShown).seconds >= (isTerminal ? 0.2 : 10) else { return }
    lastShown = now
    let rate = Double(done) / max(1e-9, (now - start).seconds)
    let more = more()
    let line = Output.fit(
      [
        "\(done.text) of \(total.text) \(unit)", "\(clock(Double(total - done) / rate)) left",
        "\(rate.text(0)) per second",
      ] + (more.isEmpty ? [] : [more]))
    Output.note((isTerminal ? Output.clearLine : "") + line, terminator: isTerminal ? "" : "\n")
  }

  /// Ends the live line.
  func finish() {
    if isTerminal { Output.note(Output.clearLine, terminator: "") }
  }
}
