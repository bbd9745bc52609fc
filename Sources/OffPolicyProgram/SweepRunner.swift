// SweepRunner.swift — starts the runs of a sweep as processes, a few at a time, and waits for them.

import Foundation
import OffPolicy
import Sweeps

/// Starts, watches and stops the processes of a sweep.
final class SweepRunner {
  /// How a run ended.
  struct Outcome {
    var run: SweepPlan.Run
    /// Why it failed, in one line; nil where it is done.
    var failure: String?
  }

  private struct Child {
    let run: SweepPlan.Run
    let process: Process
    let log: FileHandle
    /// The size of the log when the process began, in bytes.
    let logStart: UInt64
  }

  private let folder: SweepFolder
  private var queue: [SweepPlan.Run]
  private let (jobs, threads): (Int, Int)
  private let stop: StopSignal
  private let total: Int
  private var children: [Child] = []
  private var outcomes: [String: Outcome] = [:]
  /// Runs that another process trains, and when to look again.
  private var held: [(run: SweepPlan.Run, again: ContinuousClock.Instant)] = []
  private var toldHeld: Set<String> = []
  private var lastShown = ContinuousClock.now
  private var wasForwarded = false

  init(_ folder: SweepFolder, _ runs: [SweepPlan.Run], jobs: Int, threads: Int, _ stop: StopSignal) {
    (self.folder, queue, self.jobs, self.threads, self.stop) = (folder, runs, jobs, threads, stop)
    total = runs.count
  }

  /// Runs everything that is not done. Returns early when a signal came and every process has saved its run.
  ///
  /// - Returns: the outcome of each run that ended, in the order of the plan.
  func run() throws -> [Outcome] {
    let order = queue.map(\.name)
    while !(queue.isEmpty && held.isEmpty) || !children.isEmpty {
      if stop.wasReceived {
        forwardStop()
        if children.isEmpty { break }
      } else {
        let now = ContinuousClock.now
        queue += held.filter { $0.again <= now }.map(\.run)
        held.removeAll { $0.again <= now }
        while children.count < jobs, !queue.isEmpty, !stop.wasReceived { begin(queue.removeFirst()) }
      }
      collect()
      show()
      Thread.sleep(forTimeInterval: 0.05)
    }
    return order.compactMap { outcomes[$0] }
  }

  /// Begins a run or continues it; a run that is done, or that another process trains, is not touched.
  private func begin(_ run: SweepPlan.Run) {
    let path = folder.runPath(run)
    switch folder.state(of: run) {
    case .done: end(run, nil, "was done already")
    case .inUse:
      if toldHeld.insert(run.name).inserted { Output.note("\(run.name): another process works on it; waiting") }
      held.append((run, ContinuousClock.now + .seconds(1)))
    case .broken(let why): end(run, why, "failed")
    case .stopped:
      start(run, ["resume", path, "--threads", "\(threads)"])
    case .absent:
      // remains of a process that was killed before its first checkpoint
      if FileManager.default.fileExists(atPath: path) {
        do { try FileManager.default.removeItem(atPath: path) } catch {
          return end(run, "\(path) cannot be removed: \(FileAccess.reason(of: error))", "failed")
        }
      }
      start(run, ["train"] + run.arguments + ["--threads", "\(threads)", "--run-directory", path])
    }
  }

  private func start(_ run: SweepPlan.Run, _ arguments: [String]) {
    guard let program = ExecutablePath.current else {
      return end(run, "the system does not say where the program is", "failed")
    }
    do {
      let path = folder.logPath(run)
      let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
      if type == nil { try Data().write(to: URL(fileURLWithPath: path), options: .withoutOverwriting) }
      // a link of that name leads to another's file
      guard type == nil || type == .typeRegular else {
        return end(run, "\(path) is no regular file: remove it", "failed")
      }
      let log = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      let start = try log.seekToEnd()
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = log
      process.standardError = log
      try process.run()
      children.append(Child(run: run, process: process, log: log, logStart: start))
    } catch {
      end(run, "no process can be started: \(FileAccess.reason(of: error))", "failed")
    }
  }

  /// Takes note of the processes that have ended.
  private func collect() {
    // asked once: a process that ends meanwhile is taken note of the next time
    let ended = children.filter { !$0.process.isRunning }
    for child in ended {
      try? child.log.close()
      let process = child.process
      if process.terminationReason == .exit && process.terminationStatus == 0 {
        end(child.run, nil, "done")
      } else if !stop.wasReceived {
        let how =
          process.terminationReason == .exit
          ? "exit code \(process.terminationStatus)" : "signal \(process.terminationStatus)"
        end(child.run, lastLine(of: child) ?? how, "failed (\(how))")
      }
    }
    children.removeAll { child in ended.contains { $0.process === child.process } }
  }

  /// The last line of an error that a process wrote.
  private func lastLine(of child: Child) -> String? {
    guard let handle = try? FileHandle(forReadingFrom: URL(fileURLWithPath: folder.logPath(child.run))) else {
      return nil
    }
    defer { try? handle.close() }
    guard (try? handle.seek(toOffset: child.logStart)) != nil, let data = try? handle.readToEnd() else { return nil }
    let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: { $0 == "\n" || $0 == "\r" })
    let error = lines.last { $0.hasPrefix("Error: ") }.map { String($0.dropFirst("Error: ".count)) }
    return error ?? lines.last.map(String.init)
  }

  private func end(_ run: SweepPlan.Run, _ failure: String?, _ word: String) {
    outcomes[run.name] = Outcome(run: run, failure: failure)
    var line = "\(outcomes.count) of \(total): \(run.name) \(word)"
    if let failure {
      line += ": \(failure)"
    } else if let last = lastReturn(of: run) {
      line += ", return \(last.text())"
    }
    Output.note(line)
  }

  private func lastReturn(of run: SweepPlan.Run) -> Double? {
    let rows = (try? RunDirectory.open(folder.runPath(run)))?.rows("evaluations.csv") ?? []
    return rows.last.flatMap { $0.count > 2 ? Double($0[2]) : nil }
  }

  /// Sends SIGTERM to every process, once, so that each saves its run.
  private func forwardStop() {
    guard !wasForwarded else { return }
    wasForwarded = true
    for child in children where child.process.isRunning { kill(child.process.processIdentifier, SIGTERM) }
  }

  /// Prints the progress once a minute.
  private func show() {
    let now = ContinuousClock.now
    guard now - lastShown >= .seconds(60), !children.isEmpty else { return }
    lastShown = now
    let places = children.map { child in
      let rows = (try? RunDirectory.open(folder.runPath(child.run)))?.rows("metrics.csv") ?? []
      return "\(child.run.name) at step \(rows.last?.first.flatMap { Int($0) }.map(\.text) ?? "0")"
    }
    Output.note("\(outcomes.count) of \(total) done; running: \(places.joined(separator: ", "))")
  }
}

extension SweepPlan.Run {
  /// What `train` is called with.
  var arguments: [String] {
    [algorithm, environment, "--seed", "\(seed)"] + settings.flatMap { ["--set", $0] } + further
  }
}
