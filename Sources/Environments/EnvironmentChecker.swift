// EnvironmentChecker.swift — checks an environment against the contract of `Environment`.

/// Runs an environment with random actions and reports where it breaks its contract.
///
///     let report = EnvironmentChecker.check(try registry.entry("Pendulum-v1"))
///     report.isValid  // true
public struct EnvironmentChecker {
  private let entry: EnvironmentEntry
  private let steps: Int
  private var report: EnvironmentReport
  private var actions = NumPyGenerator(seed: 9)
  private var action: [Float]  // (A)

  /// Checks two instances of an environment over `steps` control steps within its action bounds.
  public static func check(_ entry: EnvironmentEntry, steps: Int = 1000) -> EnvironmentReport {
    var checker = EnvironmentChecker(entry, steps: steps)
    do {
      try checker.run()
    } catch {
      checker.find(.works, "threw: \(error)", "after \(checker.stage)")
    }
    return checker.report
  }

  private init(_ entry: EnvironmentEntry, steps: Int) {
    self.entry = entry
    self.steps = steps
    report = EnvironmentReport(environment: entry.id)
    action = Array(repeating: 0, count: entry.actionSpace.count)
  }

  private mutating func run() throws {
    var used = Subject(try entry.make())
    var fresh = Subject(try entry.make())
    guard checkSpaces(used.environment) else { return }
    stage = "making it"
    try checkBuffers(&used)
    try checkSeeds(&used)
    try checkFirstStep(&used)
    try checkSteps(&used, &fresh)
    try checkState(&used, &fresh)
    try checkGoals(&used)
  }

  /// The last thing that worked.
  private var stage = "nothing"

  // MARK: The rules

  /// The entry says what the environment is. Returns whether the sizes agree, without which nothing else can be checked.
  private mutating func checkSpaces(_ environment: any Environment) -> Bool {
    let size = environment.observationSpace.count
    let space = environment.actionSpace
    if size != entry.observationSize {
      find(
        .entryIsTrue, "the entry says \(entry.observationSize) observations, the environment \(size)", "in its spaces")
    }
    if space != entry.actionSpace {
      find(.entryIsTrue, "the entry says actions \(entry.actionSpace), the environment \(space)", "in its spaces")
    }
    let layout = environment.goals?.goalLayout
    if layout != entry.goals {
      find(
        .entryIsTrue, "the entry says goals \(Self.text(entry.goals)), the environment \(Self.text(layout))",
        "in its spaces")
    } else if let layout, layout.count != size {
      find(.entryIsTrue, "goals \(Self.text(layout)) take \(layout.count) of \(size) observations", "in its spaces")
    }
    if case .box(let box) = space {
      for i in 0..<box.count {
        let (low, high) = (box.low[i], box.high[i])
        if !low.isFinite || !high.isFinite {
          find(.actionBoundsAreFinite, "action[\(i)] is in [\(low), \(high)]", "in its spaces")
        } else if low != -high || high > 1 {
          find(.actionBoundsAreUnit, "action[\(i)] is in [\(low), \(high)]", "in its spaces")
        }
      }
    }
    return size == entry.observationSize && space.count == entry.actionSpace.count && layout?.count ?? size == size
  }

  private static func text(_ layout: GoalLayout?) -> String {
    layout.map { "of \($0.goalSize) values after \($0.observationSize) others" } ?? "none"
  }

  /// Every observation value is written, by a reset and by a step.
  private mutating func checkBuffers(_ subject: inout Subject) throws {
    subject.fill(Subject.sentinel)
    try subject.reset(seed: 123)
    checkWritten(subject, "after reset(seed: 123)")
    subject.fill(Subject.sentinel)
    try subject.step(nextAction())
    checkWritten(subject, "after step 1")
    subject.fill(0)
  }

  private mutating func checkWritten(_ subject: Subject, _ place: String) {
    for i in subject.observation.indices where subject.observation[i].bitPattern == Subject.sentinel.bitPattern {
      find(.observationIsWritten, "observation[\(i)] is never written", place)
    }
  }

  /// The same seed gives the same start and the same generator; another seed gives a new instance another generator.
  private mutating func checkSeeds(_ subject: inout Subject) throws {
    let first = try start(&subject, seed: 123)
    let firstAgain = try start(&subject, seed: nil)
    let second = try start(&subject, seed: 123)
    let secondAgain = try start(&subject, seed: nil)
    compare(first, second, .resetRepeats, "by a second reset(seed: 123)")
    compare(firstAgain, secondAgain, .resetRepeats, "by the reset() that follows reset(seed: 123)")

    var (one, another) = (Subject(try entry.make()), Subject(try entry.make()))
    if try start(&one, seed: 123) == start(&another, seed: 456) {
      find(.seedIsUsed, "the generator is the same for two seeds", "after reset(seed: 123) and reset(seed: 456)")
    }
  }

  private struct Start: Equatable {
    var observation: [Float]
    /// Nil where the environment cannot save it.
    var state: EnvironmentState?
  }

  private mutating func start(_ subject: inout Subject, seed: UInt64?) throws -> Start {
    try subject.reset(seed: seed)
    stage = seed.map { "reset(seed: \($0))" } ?? "reset()"
    checkObservation(subject, "after \(stage)")
    return Start(observation: subject.observation, state: try subject.savedState())
  }

  private mutating func compare(_ a: Start, _ b: Start, _ rule: EnvironmentReport.Rule, _ place: String) {
    if let i = Subject.firstDifference(a.observation, b.observation) {
      find(rule, "observation[\(i)] is \(a.observation[i]) and then \(b.observation[i])", place)
    }
    if a.state?.generator != b.state?.generator { find(rule, "the generator has two states", place) }
  }

  /// The clock does not end an episode at once, unless the limit is one step.
  private mutating func checkFirstStep(_ subject: inout Subject) throws {
    if entry.maximumEpisodeSteps == 1 { return }
    try subject.reset(seed: 123)
    try subject.step(nextAction())
    if subject.outcome.truncated { find(.firstStepIsNotTruncated, "the episode is truncated", "at step 1") }
  }

  /// A used instance and a fresh one, seeded alike, go the same way; what they give is finite and within the space.
  private mutating func checkSteps(_ used: inout Subject, _ fresh: inout Subject) throws {
    try used.reset(seed: 123)
    try fresh.reset(seed: 123)
    try goTogether(&used, &fresh, steps: steps, .stepsRepeat, "from reset(seed: 123)")
    if entry.maximumEpisodeSteps == nil && used.episodes == 0 && report.isValid {
      find(.episodesEnd, "no episode ended within \(steps) steps", "from reset(seed: 123)")
    }
  }

  /// A state saved in mid-episode goes on in another instance, as if nothing had happened.
  private mutating func checkState(_ saved: inout Subject, _ restored: inout Subject) throws {
    // one that cannot save says so
    guard saved.environment.resumePromise == .exact else { return }
    // where the episode ends within 7 steps, the state is saved one step before
    let plan = actions
    var length = 0
    try saved.reset(seed: 789)
    repeat {
      try saved.step(nextAction())
      length += 1
    } while length < 7 && !saved.outcome.endsEpisode
    if saved.outcome.endsEpisode { length -= 1 }
    actions = plan
    try saved.reset(seed: 789)
    for _ in 0..<length { try saved.step(nextAction()) }
    let state = try saved.environment.saveState()
    stage = "saveState()"

    try restored.reset(seed: 456)
    try restored.step(nextAction())
    try restored.environment.restore(state)
    stage = "restore(_:)"
    if try restored.environment.saveState() != state {
      find(.stateIsComplete, "the state saved after restoring is another", "after step \(length)")
    }
    try goTogether(
      &saved, &restored, steps: min(steps, 200), .stateIsComplete, "from the state saved after step \(length)")
  }

  /// Rewards and terminations computed from the goals are those of the steps, and no row depends on those beside it.
  private mutating func checkGoals(_ subject: inout Subject) throws {
    guard let goals = subject.environment.goals else { return }
    let layout = goals.goalLayout
    var (achieved, desired): ([Float], [Float]) = ([], [])
    try subject.reset(seed: 321)
    for n in 1...max(1, min(steps, 200)) {
      let place = "at step \(n) from reset(seed: 321)"
      try subject.step(nextAction())
      stage = "step \(n) from reset(seed: 321)"
      let reached = Array(subject.observation[layout.achieved])
      let wanted = Array(subject.observation[layout.desired])
      let (reward, terminated) = try Self.recompute(goals, reached, wanted)
      // single precision, as the replay buffer keeps it
      let given = Float(subject.outcome.reward)
      if !(abs(reward[0] - given) <= 1e-5 * max(1, abs(given))) {
        find(.goalsAreRecomputed, "reward is \(given), computed from the goals \(reward[0])", place)
      }
      if terminated[0] != subject.outcome.terminated {
        let ends = subject.outcome.terminated ? "ends" : "does not end"
        find(.goalsAreRecomputed, "the step \(ends) the episode, computed from the goals it is the other way", place)
      }
      achieved += reached
      // every other row is asked for what it has reached: random actions may meet no other goal
      desired += n % 2 == 0 ? reached : wanted
      if subject.outcome.endsEpisode { try subject.reset(seed: nil) }
    }
    let (rewards, terminated) = try Self.recompute(goals, achieved, desired)
    for row in rewards.indices {
      let values = (row * layout.goalSize)..<((row + 1) * layout.goalSize)
      let alone = try Self.recompute(goals, Array(achieved[values]), Array(desired[values]))
      if alone.rewards[0] != rewards[row] || alone.terminated[0] != terminated[row] {
        find(.goalsAreRecomputed, "row \(row) of \(rewards.count) is not what it is alone", "with other goals")
      }
    }
  }

  private static func recompute(
    _ goals: any GoalEnvironment, _ achieved: [Float], _ desired: [Float]
  ) throws -> (rewards: [Float], terminated: [Bool]) {
    let count = achieved.count / goals.goalLayout.goalSize
    var (rewards, terminated) = ([Float](repeating: .nan, count: count), [Bool](repeating: false, count: count))
    var rewardSpan = rewards.mutableSpan
    var terminatedSpan = terminated.mutableSpan
    try goals.recompute(
      achieved: achieved.span, desired: desired.span, rewards: &rewardSpan, terminated: &terminatedSpan)
    return (rewards, terminated)
  }

  // differs: Gymnasium compares one step, to 1e-5
  /// Steps both with the same actions, resets both when an episode ends, and compares every bit.
  private mutating func goTogether(
    _ a: inout Subject, _ b: inout Subject, steps: Int, _ rule: EnvironmentReport.Rule, _ origin: String
  ) throws {
    for n in 1...max(steps, 1) {
      let place = "at step \(n) \(origin)"
      nextAction()
      try a.step(action)
      try b.step(action)
      stage = "step \(n) \(origin)"
      checkObservation(a, place)
      checkReward(a, place)
      if a.outcome.reward.bitPattern != b.outcome.reward.bitPattern {
        find(rule, "reward is \(a.outcome.reward) and then \(b.outcome.reward)", place)
      }
      if a.outcome.terminated != b.outcome.terminated || a.outcome.truncated != b.outcome.truncated {
        find(rule, "the episode ends for one of two instances", place)
        return
      }
      if a.outcome.endsEpisode {
        try a.reset(seed: nil)
        try b.reset(seed: nil)
      }
      if let i = Subject.firstDifference(a.observation, b.observation) {
        find(rule, "observation[\(i)] is \(a.observation[i]) and then \(b.observation[i])", place)
        return
      }
    }
    if try a.savedState() != b.savedState() {
      find(rule, "two instances save different states", "after \(steps) steps \(origin)")
    }
  }

  // MARK: Single values

  private mutating func checkObservation(_ subject: Subject, _ place: String) {
    let (observation, space) = (subject.observation, subject.environment.observationSpace)
    for i in observation.indices {
      let value = observation[i]
      if !value.isFinite {
        find(.observationIsFinite, "observation[\(i)] is \(value)", place)
      } else if value < space.low[i] || value > space.high[i] {
        let bounds = "[\(space.low[i]), \(space.high[i])]"
        find(.observationIsInSpace, "observation[\(i)] is \(value), outside \(bounds)", place)
      }
    }
  }

  private mutating func checkReward(_ subject: Subject, _ place: String) {
    if !subject.outcome.reward.isFinite { find(.rewardIsFinite, "reward is \(subject.outcome.reward)", place) }
  }

  /// The first finding of each rule is enough.
  private mutating func find(_ rule: EnvironmentReport.Rule, _ what: String, _ place: String) {
    if report.findings.contains(where: { $0.rule == rule }) { return }
    report.findings.append(
      EnvironmentReport.Finding(severity: rule.severity, rule: rule, what: what, place: place, remedy: rule.remedy))
  }

  @discardableResult
  private mutating func nextAction() -> [Float] {
    var buffer = action
    var span = buffer.mutableSpan
    entry.actionSpace.sample(into: &span, using: &actions)
    action = buffer
    return buffer
  }
}

/// An environment under test, with its last observation and outcome.
private struct Subject {
  let environment: any Environment
  var observation: [Float]  // (S)
  var outcome = StepOutcome(reward: 0)
  /// Episodes that have ended since the last seeded reset.
  var episodes = 0

  init(_ environment: any Environment) {
    self.environment = environment
    observation = Array(repeating: 0, count: environment.observationSpace.count)
  }

  /// Everything that the environment saves; nil where it cannot.
  func savedState() throws -> EnvironmentState? {
    environment.resumePromise == .exact ? try environment.saveState() : nil
  }

  /// A NaN that no arithmetic gives.
  static let sentinel = Float(bitPattern: 0x7fc5_eed5)

  mutating func fill(_ value: Float) {
    for i in observation.indices { observation[i] = value }
  }

  mutating func reset(seed: UInt64?) throws {
    if seed != nil { episodes = 0 }
    let environment = environment
    var span = observation.mutableSpan
    try environment.reset(seed: seed, into: &span)
  }

  mutating func step(_ action: [Float]) throws {
    let environment = environment
    var span = observation.mutableSpan
    let outcome = try environment.step(action.span, into: &span)
    self.outcome = outcome
    if outcome.endsEpisode { episodes += 1 }
  }

  static func firstDifference(_ a: [Float], _ b: [Float]) -> Int? {
    a.indices.first { a[$0].bitPattern != b[$0].bitPattern }
  }
}
