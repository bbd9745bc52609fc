// LearnerLoop.swift — the C functions of the loop: begin, act, observe, learn; or run, in a built-in environment.

import OffPolicy

func withLearner(_ handle: Int64, _ body: (LearnerHandle) throws -> Int64) -> Int64 {
  Handles.with(handle, "learner", body)
}

private func withDriven(_ handle: Int64, _ body: (LearnerHandle) throws -> Int64) -> Int64 {
  withLearner(handle) {
    try $0.require(builtIn: false)
    return try body($0)
  }
}

@_cdecl("offpolicy_begin")
public func begin(_ handle: Int64, _ lane: Int64, _ observation: UnsafePointer<Float>?, _ count: Int64) -> Int64 {
  withDriven(handle) {
    try $0.begin($0.lane(lane), numbers(observation, count, expected: $0.observationSize, "an observation"))
    return 0
  }
}

@_cdecl("offpolicy_act")
public func act(_ handle: Int64, _ actions: UnsafeMutablePointer<Float>?, _ count: Int64) -> Int64 {
  withDriven(handle) {
    try $0.act(into: room(actions, count, expected: $0.lanes * $0.actionSize, "all actions"))
    return 0
  }
}

@_cdecl("offpolicy_replace_actions")
public func replaceActions(_ handle: Int64, _ actions: UnsafePointer<Float>?, _ count: Int64) -> Int64 {
  withDriven(handle) {
    try $0.replaceActions(numbers(actions, count, expected: $0.lanes * $0.actionSize, "all actions"))
    return 0
  }
}

@_cdecl("offpolicy_observe")
public func observe(
  _ handle: Int64, _ lane: Int64, _ reward: Double, _ terminated: Int64, _ truncated: Int64,
  _ next: UnsafePointer<Float>?, _ count: Int64
) -> Int64 {
  withDriven(handle) {
    let lane = try $0.lane(lane)
    let next = try numbers(next, count, expected: $0.observationSize, "an observation")
    try $0.check(lane, reward: reward, next: next)
    try $0.observe(
      lane, StepOutcome(reward: reward, terminated: terminated != 0, truncated: truncated != 0), next: next)
    return 0
  }
}

/// What a lane's step was, as bits of its flag.
enum StepFlag {
  static let terminated: UInt8 = 1
  static let truncated: UInt8 = 2
  static let skipped: UInt8 = 4

  static func of(_ outcome: StepOutcome) -> UInt8 {
    (outcome.terminated ? terminated : 0) | (outcome.truncated ? truncated : 0)
  }
}

/// What a step of all lanes gave, checked: N rewards and flags, N × S next and first observations.
private struct RoundOutcome {
  let learner: LearnerHandle
  let rewards: UnsafeBufferPointer<Double>
  let flags: UnsafeBufferPointer<UInt8>
  let next: UnsafeBufferPointer<Float>
  /// nil: the lanes' next episodes are begun by other calls.
  let first: UnsafeBufferPointer<Float>?

  init(
    _ learner: LearnerHandle, _ rewards: UnsafePointer<Double>?, _ flags: UnsafePointer<UInt8>?,
    _ next: UnsafePointer<Float>?, _ first: UnsafePointer<Float>?, _ lanes: Int64
  ) throws {
    let (count, size) = (learner.lanes, learner.observationSize)
    self.learner = learner
    self.rewards = try numbers(rewards, lanes, expected: count, "rewards")
    self.flags = try numbers(flags, lanes, expected: count, "flags")
    self.next = try numbers(next, Int64(count * size), expected: count * size, "the next observations")
    self.first = try first.map {
      try numbers($0, Int64(count * size), expected: count * size, "the first observations")
    }
    // all lanes are looked at before any is taken
    for lane in 0..<count {
      guard self.flags[lane] < 8 else {
        throw Refusal("flag \(lane) is \(self.flags[lane]); expected a sum of 1, 2 and 4")
      }
      if !wasStepped(lane) { continue }
      try learner.check(lane, reward: self.rewards[lane], next: row(self.next, lane))
      if let first = self.first, ends(lane) {
        try checkFinite(row(first, lane), "the first observation of lane \(lane)")
      }
    }
  }

  private func row(_ values: UnsafeBufferPointer<Float>, _ lane: Int) -> UnsafeBufferPointer<Float> {
    let size = learner.observationSize
    return UnsafeBufferPointer(rebasing: values[(lane * size)..<((lane + 1) * size)])
  }

  private func wasStepped(_ lane: Int) -> Bool { flags[lane] & StepFlag.skipped == 0 }
  private func ends(_ lane: Int) -> Bool { flags[lane] & (StepFlag.terminated | StepFlag.truncated) != 0 }

  /// Takes the steps, and begins the episodes that follow.
  func observe() throws {
    for lane in flags.indices where wasStepped(lane) {
      let outcome = StepOutcome(
        reward: rewards[lane], terminated: flags[lane] & StepFlag.terminated != 0,
        truncated: flags[lane] & StepFlag.truncated != 0)
      try learner.observe(lane, outcome, next: row(next, lane))
    }
    guard let first else { return }
    for lane in flags.indices where wasStepped(lane) && ends(lane) { try learner.begin(lane, row(first, lane)) }
  }
}

@_cdecl("offpolicy_observe_all")
public func observeAll(
  _ handle: Int64, _ rewards: UnsafePointer<Double>?, _ flags: UnsafePointer<UInt8>?, _ next: UnsafePointer<Float>?,
  _ first: UnsafePointer<Float>?, _ lanes: Int64
) -> Int64 {
  withDriven(handle) {
    try RoundOutcome($0, rewards, flags, next, first, lanes).observe()
    return 0
  }
}

@_cdecl("offpolicy_round")
public func takeRound(
  _ handle: Int64, _ rewards: UnsafePointer<Double>?, _ flags: UnsafePointer<UInt8>?, _ next: UnsafePointer<Float>?,
  _ first: UnsafePointer<Float>?, _ lanes: Int64, _ actions: UnsafeMutablePointer<Float>?, _ count: Int64
) -> Int64 {
  withDriven(handle) {
    guard first != nil else { throw Refusal("expected the first observations, got a null pointer") }
    let actions = try room(actions, count, expected: $0.lanes * $0.actionSize, "all actions")
    try RoundOutcome($0, rewards, flags, next, first, lanes).observe()
    let updates = try $0.trainer.learn()
    try $0.act(into: actions)
    return Int64(updates)
  }
}

@_cdecl("offpolicy_abandon")
public func abandon(_ handle: Int64, _ lane: Int64) -> Int64 {
  withDriven(handle) {
    try $0.abandon($0.lane(lane))
    return 0
  }
}

@_cdecl("offpolicy_learn")
public func learn(_ handle: Int64) -> Int64 {
  withDriven(handle) { Int64(try $0.trainer.learn()) }
}

@_cdecl("offpolicy_update")
public func update(_ handle: Int64, _ updates: Int64) -> Int64 {
  withLearner(handle) {
    guard updates >= 0, updates < 1 << 40 else { throw Refusal("expected a number of updates from 0, got \(updates)") }
    return Int64(try $0.trainer.update(Int(updates)))
  }
}

@_cdecl("offpolicy_run")
public func run(_ handle: Int64, _ steps: Int64, _ milliseconds: Double) -> Int64 {
  withLearner(handle) {
    try $0.require(builtIn: true)
    guard steps >= 0, milliseconds >= 0 else {
      throw Refusal("expected steps and milliseconds from 0, got \(steps) and \(milliseconds)")
    }
    let trainer = $0.trainer
    let (first, episodes) = (trainer.step, trainer.episodes)
    let start = ContinuousClock.now
    let limit = Duration.seconds(min(milliseconds, 3.6e6) / 1000)
    // whoever keeps a log writes it where an episode ends, and not where a chunk of time does
    while trainer.step - first < Int(steps) && trainer.episodes == episodes {
      try trainer.advance()
      if ContinuousClock.now - start >= limit { break }
    }
    return Int64(trainer.step - first)
  }
}

@_cdecl("offpolicy_last_round")
public func lastRound(
  _ handle: Int64, _ actions: UnsafeMutablePointer<Float>?, _ rewards: UnsafeMutablePointer<Double>?,
  _ flags: UnsafeMutablePointer<UInt8>?, _ observations: UnsafeMutablePointer<Float>?
) -> Int64 {
  withLearner(handle) { learner in
    let (trainer, count) = (learner.trainer, learner.lanes)
    func write<T>(_ values: [T], to pointer: UnsafeMutablePointer<T>?, _ what: String) throws {
      guard let pointer else { return }
      let room = try room(pointer, Int64(values.count), expected: values.count, what)
      for i in room.indices { room[i] = values[i] }
    }
    try write(trainer.lastActions, to: actions, "actions")
    try write(trainer.lastOutcomes.map(\.reward), to: rewards, "rewards")
    try write(trainer.lastOutcomes.map(StepFlag.of), to: flags, "flags")
    try write(trainer.lanes.flatMap(\.observation), to: observations, "observations")
    return Int64(count)
  }
}

@_cdecl("offpolicy_counts")
public func counts(_ handle: Int64, _ counts: UnsafeMutablePointer<Int64>?, _ capacity: Int64) -> Int64 {
  withLearner(handle) { learner in
    let trainer = learner.trainer
    let values = [
      trainer.step, trainer.episodes, trainer.updates, trainer.buffer.count, trainer.buffer.capacity, learner.lanes,
      learner.observationSize, learner.actionSize, trainer.scaling.choices ?? 0,
    ]
    if let counts, capacity > 0 {
      let room = try room(
        counts, min(capacity, Int64(values.count)), expected: min(Int(capacity), values.count), "counts")
      for i in room.indices { room[i] = Int64(values[i]) }
    }
    return Int64(values.count)
  }
}

@_cdecl("offpolicy_set_goal_function")
public func setGoalFunction(
  _ handle: Int64,
  _ function: (
    @convention(c) (
      UnsafePointer<Float>?, UnsafePointer<Float>?, Int64, UnsafeMutablePointer<Float>?, UnsafeMutablePointer<UInt8>?
    ) -> Int64
  )?
) -> Int64 {
  withDriven(handle) {
    guard let goals = $0.outside?.outsideGoals else { throw Refusal("this learner was made without goals") }
    goals.function = function
    return 0
  }
}
