// Bench.swift — `offpolicy bench`: updates per second, and the share of the processor's peak.

import ArgumentParser
import OffPolicy

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure updates per second: sample a batch, update everything, track the targets.")

  @Argument(help: ArgumentHelp("The algorithm's name; see `offpolicy list`. Default: sac.", valueName: "algorithm"))
  var name: String?

  @Option(help: "The same as a flag.")
  var algorithm: String?

  @Option(help: "Observation size S.", transform: wholeNumber)
  var observations: Int = 17

  @Option(help: "Action size A, or the number of choices.", transform: wholeNumber)
  var actions: Int = 6

  @Option(help: "Units in each hidden layer. Default: 256,256.")
  var hidden: String?

  @Option(help: "Transitions in an update. Default: 256.", transform: wholeNumber)
  var batch: Int?

  @Option(
    name: .customLong("set"), help: ArgumentHelp("Set a hyperparameter. May be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: "Threads of an update.", transform: wholeNumber)
  var threads: Int = 1

  @Option(help: "Transitions in the buffer.", transform: wholeNumber)
  var buffer: Int = 1_000_000

  @Option(help: "Seconds to measure for.")
  var seconds = 3.0

  @Option(help: "Updates before the measurement begins.", transform: wholeNumber)
  var warmUp: Int = 200

  @Option(help: "Share of the first hidden layers' units that are made dead early in the warm-up, from 0 to 1.")
  var deadUnits = 0.0

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try Limits.size.check(observations, "--observations")
    try Limits.size.check(actions, "--actions")
    try Limits.collected.check(buffer, "--buffer")
    try Limits.threads.check(threads, "--threads")
    try (0...1_000_000_000).check(warmUp, "--warm-up")
    if name != nil && algorithm != nil { throw ValidationError("the algorithm is given twice: leave --algorithm out") }
    if !(deadUnits >= 0 && deadUnits <= 1) { throw ValidationError("--dead-units must be from 0 to 1") }
    if deadUnits > 0 && warmUp < 1 { throw ValidationError("--dead-units needs a --warm-up of at least 1") }
    if !(seconds > 0 && seconds <= 3600) { throw ValidationError("--seconds must be above 0, at most 3600") }
  }

  func run() throws {
    let entry = try Program.algorithms.entry(name ?? algorithm ?? "sac")
    // an algorithm from another package may have no such hyperparameters
    let own = ["hiddenSizes": hidden ?? "256,256", "batchSize": "\(batch ?? 256)"].filter { size in
      entry.hyperparameters.contains { $0.name == size.key }
    }
    for (flag, name, isGiven) in [("--hidden", "hiddenSizes", hidden != nil), ("--batch", "batchSize", batch != nil)] {
      guard isGiven else { continue }
      try refuseTwice(flag, name, settings)
      if own[name] == nil { throw ArgumentMismatch("\(entry.name) has no \(name): leave out \(flag)") }
    }
    let configuration = try entry.defaults.setting(own.map { "\($0)=\($1)" } + settings)
    let result = try Benchmark.run(
      algorithm: entry.name, configuration: configuration, observationSize: observations, actionSize: actions,
      bufferCapacity: buffer, threads: threads, seconds: seconds, warmUp: warmUp, deadUnits: deadUnits,
      allocationCount: Program.allocationCount)
    if json { return try Output.json(result) }
    print(
      "\(result.updatesPerSecond.text(1)) updates/s, median \(result.medianMicroseconds.text(0)) µs, "
        + "99th percentile \(result.p99Microseconds.text(0)) µs")
    print(
      "\((result.flopsPerUpdate / 1e6).text(0)) MFLOP each, \((100 * result.fractionOfPeak).text(1)) % of "
        + "\(result.peakGFLOPS.text(0)) GFLOP/s on \(result.threads) thread\(result.threads == 1 ? "" : "s"), "
        + "\((100 * result.fractionOfInterleavedPeak).text(1)) % of the \(result.interleavedPeakGFLOPS.text(0)) between updates"
    )
    print(
      "\(result.allocationsPerUpdate?.text(2) ?? "uncounted") allocations per update, "
        + "\(result.actingMicroseconds.text(1)) µs to act; \(result.processor)")
  }
}
