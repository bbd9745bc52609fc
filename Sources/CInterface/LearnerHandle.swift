// LearnerHandle.swift — a run behind a handle: everything that a call may do wrong is refused before the run sees it.

import OffPolicy

/// A trainer whose steps come from outside, or one that steps built-in environments.
final class LearnerHandle: Handle, @unchecked Sendable {
  let trainer: Trainer
  let records = RecordList()
  /// The environments of its caller; nil: it has its own.
  let outside: OutsideLanes?
  /// N, S, A
  let (lanes, observationSize, actionSize): (Int, Int, Int)
  /// What `offpolicy_predict` draws from.
  var prediction: RandomStream?
  /// Lanes that have an action and wait for what it gave.
  private var isAwaited: [Bool]
  /// Lanes whose restored frames end in mid-episode, with the observation that came last.
  var openEnds: [Int: [Float]] = [:]

  init(_ specification: LearnerSpecification) throws {
    let task = try specification.builtInEnvironment()
    let run = try specification.run(task)
    try Processor.check()
    let workers = WorkerPool(
      count: run.threads, patience: task == nil ? WorkerPool.shortPatience : WorkerPool.longPatience)
    if let task {
      outside = nil
      trainer = try Trainer(run, workers: workers) { try task.make() }
    } else {
      let environments = try specification.outsideLanes()
      outside = environments
      trainer = try Trainer(run, workers: workers, environments: environments, makeEvaluationEnvironment: nil)
    }
    (lanes, observationSize, actionSize) = (run.laneCount, trainer.buffer.observationSize, trainer.scaling.count)
    isAwaited = [Bool](repeating: false, count: lanes)
    prediction = RandomStream(seed: run.seed, purpose: "prediction")
    trainer.learnsFromFewerThanABatch = specification.updatesBeforeFirstBatch ?? false
    super.init()
    records.watch(trainer)
  }

  /// - Throws: where the learner steps environments of its own, or the other way round.
  func require(builtIn: Bool) throws {
    guard (outside == nil) != builtIn else { return }
    throw Refusal(
      builtIn
        ? "this learner's environments are stepped by its caller: call offpolicy_act, offpolicy_observe and offpolicy_learn"
        : "this learner steps a built-in environment itself: call offpolicy_run")
  }

  func lane(_ number: Int64) throws -> Int {
    guard number >= 0, number < Int64(lanes) else {
      throw Refusal("expected a lane from 0 to \(lanes - 1), got \(number)")
    }
    return Int(number)
  }

  func begin(_ lane: Int, _ observation: UnsafeBufferPointer<Float>) throws {
    guard trainer.lanes[lane].needsReset else {
      throw Refusal("lane \(lane) is in the middle of an episode: observe its end, or call offpolicy_abandon first")
    }
    try checkFinite(observation, "the first observation of lane \(lane)")
    try closeOpenEnd(lane)
    isAwaited[lane] = false
    trainer.begin(lane: lane, observation.span)
  }

  /// Ends the episode in which a lane's restored frames end.
  func closeOpenEnd(_ lane: Int) throws {
    // a state that was restored afterwards goes on in that episode itself
    guard let last = openEnds.removeValue(forKey: lane), trainer.lanes[lane].needsReset else { return }
    try trainer.restoreBuffer {
      $0.resumeEpisode(last.span, lane: lane)
      $0.abandonEpisode(lane: lane)
    }
  }

  func act(into actions: UnsafeMutableBufferPointer<Float>) throws {
    guard trainer.lanes.contains(where: { !$0.needsReset }) else {
      throw Refusal("no lane has begun an episode: call offpolicy_begin first")
    }
    var span = actions.mutableSpan
    try trainer.action(into: &span)
    for lane in isAwaited.indices { isAwaited[lane] = !trainer.lanes[lane].needsReset }
  }

  func replaceActions(_ actions: UnsafeBufferPointer<Float>) throws {
    guard isAwaited.contains(true) else { throw Refusal("no action was chosen: call offpolicy_act first") }
    try checkFinite(actions, "the actions")
    try checkChoices(actions, of: trainer.scaling.choices)
    try trainer.replaceActions(by: actions.span)
  }

  /// Throws where a lane's step cannot be taken, before anything of it is.
  func check(_ lane: Int, reward: Double, next: UnsafeBufferPointer<Float>) throws {
    guard isAwaited[lane] else { throw Refusal("lane \(lane) has no action to observe: call offpolicy_act first") }
    guard Float(reward).isFinite else {
      throw Refusal("the reward of lane \(lane) is \(reward); expected a finite number below 3.4e38")
    }
    try checkFinite(next, "the next observation of lane \(lane)")
  }

  func observe(_ lane: Int, _ outcome: StepOutcome, next: UnsafeBufferPointer<Float>) throws {
    isAwaited[lane] = false
    try trainer.observe(lane: lane, outcome, next: next.span)
  }

  func abandon(_ lane: Int) throws {
    isAwaited[lane] = false
    try trainer.breakOff(lane: lane)
  }

  /// What was begun belongs to no episode any more: another state is about to come.
  func abandonAll() throws {
    for lane in 0..<lanes { try abandon(lane) }
  }
}

@_cdecl("offpolicy_learner_make")
public func learnerMake(_ bytes: UnsafePointer<UInt8>?, _ length: Int64) -> Int64 {
  answering { Handles.add(try LearnerHandle(LearnerSpecification(json: json(bytes, length)))) }
}
