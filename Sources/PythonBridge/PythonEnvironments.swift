// PythonEnvironments.swift — environments of Python processes as a vector: lanes divided among some workers, stepped together.

import Environments
import Platform

/// N Python environments. Workers have lanes in a row; all step at once, and none spins while it waits.
///
/// A lane whose environment failed throws at its outcome: a `SimulatorFault` where faults are counted and environments made
/// anew, else a `PythonFault`, which ends the run. The other lanes of its process throw `LostEpisode`.
final class PythonEnvironments: VectorEnvironment {
  let count: Int
  let observationSpace: Box
  let actionSpace: Space
  let resumePromise: ResumePromise
  var goals: (any GoalEnvironment)?
  private let reference: String
  private let options: EnvironmentOptions
  private let settings: PythonSettings
  private var workers: [Worker] = []
  /// Of each lane.
  private var outcomes: [Result<StepOutcome, any Error>]
  /// Of each lane: whether its process has ended since its last reset.
  private var isLost: [Bool]
  /// Of each lane: steps since its last reset.
  private var elapsed: [Int]
  private var actions: [Float]
  /// Of each worker: whether it has a step to answer for, and what went wrong when it was asked.
  private var isStepping: [Bool] = []
  private var errors: [(any Error)?] = []

  /// A process and its lanes; without a process after a fault.
  private struct Worker {
    var process: PythonWorker?
    var lanes: Range<Int>
  }

  init(
    _ reference: String, _ options: EnvironmentOptions, count: Int, resumePromise: ResumePromise,
    _ settings: PythonSettings
  ) throws {
    self.resumePromise = resumePromise
    (self.reference, self.options, self.count, self.settings) = (reference, options, count, settings)
    let wanted = settings.workers ?? min(count, WorkerPool.coreCount)
    let used = max(1, min(count, wanted))
    for worker in 0..<used {
      let lanes = (worker * count / used)..<((worker + 1) * count / used)
      let process = try PythonWorker(reference, options, lanes: lanes.count, looks: false, settings)
      workers.append(Worker(process: process, lanes: lanes))
    }
    guard let description = workers[0].process?.description else { preconditionFailure("there is one worker at least") }
    observationSpace = Box(low: -.infinity, high: .infinity, count: description.observationSize)
    actionSpace = description.actionSpace
    goals = nil
    outcomes = Array(repeating: .success(StepOutcome(reward: 0)), count: count)
    isLost = Array(repeating: false, count: count)
    elapsed = Array(repeating: 0, count: count)
    actions = [Float](repeating: 0, count: count * actionSpace.count)
    isStepping = Array(repeating: false, count: workers.count)
    errors = Array(repeating: nil, count: workers.count)
  }

  func reset(lane: Int, seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    let worker = index(of: lane)
    do {
      // after a fault the environment is made anew
      if workers[worker].process == nil {
        workers[worker].process = try PythonWorker(
          reference, options, lanes: workers[worker].lanes.count, looks: false, settings)
      }
      try workers[worker].process?.reset(
        lane: lane - workers[worker].lanes.lowerBound, seed: seed, into: &observation)
    } catch {
      throw failed(worker, error)
    }
    (isLost[lane], elapsed[lane]) = (false, 0)
    try checkFinite(observation.span, step: 0)
  }

  func step(_ given: Span<Float>, isActive: [Bool]) {
    beginStep(given, isActive: isActive)
    finishStep()
  }

  func beginStep(_ given: Span<Float>, isActive: [Bool]) {
    for i in 0..<given.count { actions[i] = given[i] }
    let width = actionSpace.count
    for (n, worker) in workers.enumerated() {
      errors[n] = nil
      let steps = worker.lanes.map { isActive[$0] && !isLost[$0] }
      isStepping[n] = steps.contains(true)
      for (lane, takesStep) in zip(worker.lanes, steps) {
        outcomes[lane] = takesStep ? .success(StepOutcome(reward: 0)) : .failure(LostEpisode())
      }
      guard isStepping[n] else { continue }
      let range = (worker.lanes.lowerBound * width)..<(worker.lanes.upperBound * width)
      do {
        guard let process = worker.process else { throw PythonFault(description: "\(reference) has ended") }
        try process.beginStep(actions.span.extracting(range), isActive: steps)
      } catch {
        errors[n] = error
      }
    }
  }

  func finishStep() {
    for (n, worker) in workers.enumerated() where isStepping[n] {
      isStepping[n] = false
      if errors[n] == nil {
        do { try worker.process?.finishStep() } catch { errors[n] = error }
      }
      guard let error = errors[n] else { continue }
      // the lane of the fault is unknown: it is reported once, for the first lane that was stepped
      var failure = failed(n, error)
      for lane in worker.lanes where (try? outcomes[lane].get()) != nil {
        outcomes[lane] = .failure(failure)
        failure = LostEpisode()
      }
    }
  }

  func outcome(lane: Int, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    _ = try outcomes[lane].get()
    let worker = workers[index(of: lane)]
    guard let process = worker.process else { throw PythonFault(description: "\(reference) has ended") }
    let outcome = process.outcome(lane: lane - worker.lanes.lowerBound, into: &observation)
    elapsed[lane] += 1
    try checkFinite(observation.span, step: elapsed[lane])
    guard Float(outcome.reward).isFinite else {
      throw ContractViolation(environment: reference, step: elapsed[lane], fault: .reward(outcome.reward))
    }
    return outcome
  }

  func recompute(achieved: Span<Float>, desired: Span<Float>, rows: Int) throws -> ([Float], [UInt8]) {
    guard let process = workers[0].process else { throw PythonFault(description: "\(reference) has ended") }
    return try process.goals(achieved: achieved, desired: desired, rows: rows)
  }

  // MARK: state

  func saveState(lane: Int) throws -> EnvironmentState {
    let worker = workers[index(of: lane)]
    guard let process = worker.process else { throw PythonFault(description: "\(reference) has ended") }
    return EnvironmentState(bytes: try process.saveState(lane: lane - worker.lanes.lowerBound))
  }

  func restore(_ state: EnvironmentState, lane: Int) throws {
    let worker = workers[index(of: lane)]
    guard let process = worker.process else { throw PythonFault(description: "\(reference) has ended") }
    try process.restore(try state.bytes(for: reference), lane: lane - worker.lanes.lowerBound)
  }

  // MARK: faults

  private func index(of lane: Int) -> Int { workers.firstIndex { $0.lanes.contains(lane) } ?? 0 }

  /// The process is not to be used any more.
  private func failed(_ worker: Int, _ error: any Error) -> any Error {
    workers[worker].process = nil
    for lane in workers[worker].lanes { isLost[lane] = true }
    return settings.onFault == .restart ? SimulatorFault("\(error)") : error
  }

  private func checkFinite(_ observation: Span<Float>, step: Int) throws {
    for i in 0..<observation.count where !observation[i].isFinite {
      throw ContractViolation(
        environment: reference, step: step, fault: .observation(index: i, value: observation[i]))
    }
  }
}

extension EnvironmentState {
  /// Bytes as whole numbers, six in each: a number of 48 bits is exact, and always finite.
  init(bytes: [UInt8]) {
    var values = [Double(bytes.count)]
    for start in stride(from: 0, to: bytes.count, by: 6) {
      var word: UInt64 = 0
      for i in start..<min(start + 6, bytes.count) { word |= UInt64(bytes[i]) << UInt64(8 * (i - start)) }
      values.append(Double(word))
    }
    self.init(values: values, generator: NumPyGenerator(seed: 0))
  }

  func bytes(for name: String) throws -> [UInt8] {
    guard let first = values.first, let count = Int(exactly: first), count >= 0, values.count == 1 + (count + 5) / 6
    else {
      throw MismatchedState(task: name, expected: 1, actual: values.count)
    }
    return try (0..<count).map { i in
      guard let word = UInt64(exactly: values[1 + i / 6]) else {
        throw MismatchedState(task: name, expected: count, actual: i)
      }
      return UInt8(truncatingIfNeeded: word >> UInt64(8 * (i % 6)))
    }
  }
}
