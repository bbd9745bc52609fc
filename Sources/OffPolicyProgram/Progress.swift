// Progress.swift — what a person sees while a run trains: a live line on a terminal, plain lines elsewhere.

import OffPolicy

final class Progress: MetricSink {
  private let total: Int
  private let isTerminal = Output.isTerminal
  private var lastShown = ContinuousClock.now
  private var lastStep: Int
  private var rate = 0.0
  /// Findings that were shown, by name: each is told once until it is gone.
  private var shown: Set<String> = []

  init(total: Int, firstStep: Int) {
    (self.total, lastStep) = (total, firstStep)
  }

  /// Shows where the run is, if enough time has passed: 0.2 s on a terminal, 10 s elsewhere.
  func show(_ trainer: any TrainingRun) {
    let now = ContinuousClock.now
    let elapsed = (now - lastShown).seconds
    guard elapsed >= (isTerminal ? 0.2 : 10) else { return }
    let current = Double(trainer.step - lastStep) / elapsed
    rate = rate == 0 ? current : 0.7 * rate + 0.3 * current
    (lastShown, lastStep) = (now, trainer.step)
    if isTerminal {
      Output.note("\r\u{1b}[2K" + line(trainer), terminator: "")
    } else {
      Output.note(line(trainer))
    }
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
    let clear = isTerminal ? "\r\u{1b}[2K" : ""
    Output.note(
      "\(clear)step \(record.step.text): return \(result.mean.text()) ± \(result.standardDeviation.text()) over "
        + "\(result.episodes) episodes\(record.isBest ? ", the best so far" : "")"
        + (result.faults > 0 ? ", \(result.faults) of them broken off by the simulator" : ""))
  }

  /// Tells what of a run's health has just got out of hand.
  private func show(_ record: HealthRecord) {
    let findings = record.findings
    for finding in findings where !shown.contains(finding.name) {
      Output.note("\(isTerminal ? "\r\u{1b}[2K" : "")step \(record.step.text), health: \(finding.text)")
    }
    shown = Set(findings.map(\.name))
  }

  /// Ends the live line.
  func finish() {
    if isTerminal { Output.note("\r\u{1b}[2K", terminator: "") }
  }

  private func line(_ trainer: any TrainingRun) -> String {
    let percent = 100 * Double(trainer.step) / Double(max(1, total))
    let left = rate > 0 ? Double(total - trainer.step) / rate : .nan
    var parts = [
      "\(trainer.step.text) of \(total.text) steps (\(percent.text()) %)", "\(rate.text(0)) steps/s",
      "\(clock(left)) left",
    ]
    if let last = trainer.lastEvaluation { parts.append("return \(last.evaluation.mean.text())") }
    if !trainer.temperature.isNaN { parts.append("temperature \(trainer.temperature.text(4))") }
    return parts.joined(separator: " · ")
  }
}

/// The same for work that is no run: a count, what is counted, and a word more.
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
    let line =
      "\(done.text) of \(total.text) \(unit) · \(rate.text(0)) per second · \(clock(Double(total - done) / rate)) left"
      + (more.isEmpty ? "" : " · " + more)
    Output.note((isTerminal ? "\r\u{1b}[2K" : "") + line, terminator: isTerminal ? "" : "\n")
  }

  /// Ends the live line.
  func finish() {
    if isTerminal { Output.note("\r\u{1b}[2K", terminator: "") }
  }
}
