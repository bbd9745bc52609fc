// Bench.swift — `offpolicy bench`: updates per second, and the share of the processor's peak.

import ArgumentParser
import OffPolicy

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure updates per second: sample a batch, update everything, track the targets.")

  @Option(help: "The algorithm's name; see `offpolicy list`.")
  var algorithm = "sac"

  @Option(help: "Observation size S.")
  var observations = 17

  @Option(help: "Action size A, or the number of choices.")
  var actions = 6

  @Option(help: "Units in each hidden layer.")
  var hidden = "256,256"

  @Option(help: "Transitions in an update.")
  var batch = 256

  @Option(name: .customLong("set"), help: "Set a hyperparameter: key=value. May be repeated.")
  var settings: [String] = []

  @Option(help: "Threads of an update.")
  var threads = 1

  @Option(help: "Transitions in the buffer.")
  var buffer = 1_000_000

  @Option(help: "Seconds to measure for.")
  var seconds = 3.0

  @Option(help: "Updates before the measurement begins.")
  var warmUp = 200

  @Option(help: "Share of the first hidden layers' units that die early in the warm-up, from 0 to 1.")
  var deadUnits = 0.0

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if observations < 1 { throw ValidationError("--observations must be at least 1") }
    if actions < 1 { throw ValidationError("--actions must be at least 1") }
    if !(1...256).contains(threads) { throw ValidationError("--threads must be 1 to 256, not \(threads)") }
    if warmUp < 0 { throw ValidationError("--warm-up must not be negative") }
    if !(deadUnits >= 0 && deadUnits <= 1) { throw ValidationError("--dead-units must be from 0 to 1") }
    if deadUnits > 0 && warmUp < 1 { throw ValidationError("--dead-units needs a --warm-up of at least 1") }
    if !(seconds > 0 && seconds <= 3600) { throw ValidationError("--seconds must be above 0, at most 3600") }
  }

  func run() throws {
    let entry = try Program.algorithms.entry(algorithm)
    let configuration = try entry.defaults.setting(["hiddenSizes=\(hidden)", "batchSize=\(batch)"] + settings)
    let sizes = try configuration.values["hiddenSizes"]?.decode([Int].self) ?? []
    let result = try Benchmark.run(
      algorithm: entry.name, configuration: configuration, observationSize: observations, actionSize: actions,
      hiddenSizes: sizes, bufferCapacity: buffer, threads: threads, seconds: seconds, warmUp: warmUp,
      deadUnits: deadUnits, allocationCount: Program.allocationCount)
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
