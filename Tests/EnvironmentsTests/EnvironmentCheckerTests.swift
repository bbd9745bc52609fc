import Environments
import Testing

@Suite struct EnvironmentCheckerTests {
  @Test(arguments: EnvironmentReport.Rule.allCases)
  func `a task that breaks a rule is found out`(rule: EnvironmentReport.Rule) throws {
    let report = EnvironmentChecker.check(
      rule == .goalsAreRecomputed ? Reach.entry(.reward) : Walk.entry(breaking: rule))
    let finding = try #require(report.findings.first { $0.rule == rule }, "\(report.findings)")
    #expect(finding.severity == rule.severity)
    #expect(finding.remedy == rule.remedy && !finding.what.isEmpty && !finding.place.isEmpty)
    #expect(report.isValid == (rule.severity == .warning))
    let others = report.findings.map(\.rule).filter { $0 != rule }
    #expect(others == Self.consequences[rule, default: []], "\(report.findings)")
  }

  /// A task that ignores its seed cannot repeat a reset, and without that it cannot repeat a step.
  static let consequences: [EnvironmentReport.Rule: [EnvironmentReport.Rule]] = [
    .seedIsUsed: [.resetRepeats, .stepsRepeat],
    .resetRepeats: [.stepsRepeat],
  ]

  @Test func `a task that keeps every rule has no findings`() {
    #expect(EnvironmentChecker.check(Walk.entry(breaking: nil)).findings == [])
  }

  @Test(arguments: EnvironmentRegistry.builtIn.entries.map(\.id))
  func `every built-in task keeps the rules`(id: String) throws {
    let report = EnvironmentChecker.check(try EnvironmentRegistry.builtIn.entry(id))
    #expect(report.isValid)
    // Pendulum's torque is in [−2, 2]
    #expect(report.findings.map(\.rule) == (id == "Pendulum-v1" ? [.actionBoundsAreUnit] : []))
  }

  @Test(
    arguments: [
      (nil, ""), (.reward, "computed from the goals"), (.terminated, "the other way"),
      (.row, "is not what it is alone"),
    ] as [(Reach.Fault?, String)])
  func `goals that are computed otherwise than by the step, or not row by row, are found out`(
    fault: Reach.Fault?, what: String
  ) {
    let findings = EnvironmentChecker.check(Reach.entry(fault)).findings
    #expect(findings.map(\.rule) == (fault == nil ? [] : [.goalsAreRecomputed]))
    #expect(findings.first?.what.contains(what) ?? true, "\(findings)")
  }

  @Test func `an entry that says other goals than its task has is found out`() {
    for goals in [nil, GoalLayout(observationSize: 0, goalSize: 1), GoalLayout(observationSize: 1, goalSize: 2)] {
      let entry = EnvironmentEntry(
        id: "Reach-v0", summary: "", observationSize: 3, actionSpace: Reach.actions, maximumEpisodeSteps: 20,
        goals: goals
      ) { Reach(nil) }
      #expect(EnvironmentChecker.check(entry).findings.map(\.rule) == [.entryIsTrue])
    }
  }

  @Test func `a state is saved before the end of a short episode`() throws {
    let report = EnvironmentChecker.check(Walk.entry(breaking: .stateIsComplete, maximumEpisodeSteps: 3))
    #expect(report.findings.map(\.rule) == [.stateIsComplete])
    #expect(report.findings.first?.place.hasSuffix("from the state saved after step 2") == true)
  }

  @Test func `episodes of a single step are allowed where the entry says so`() {
    #expect(EnvironmentChecker.check(Walk.entry(breaking: nil, maximumEpisodeSteps: 1)).findings == [])
  }

  @Test func `an environment without a time limit is in order where its episodes end by themselves`() {
    #expect(EnvironmentChecker.check(Walk.entry(breaking: nil, maximumEpisodeSteps: nil)).findings == [])
  }

  @Test func `a finding reads as one line`() {
    let report = EnvironmentChecker.check(Walk.entry(breaking: .observationIsWritten))
    #expect(
      report.findings.map(\.description) == [
        "error: observation[1] is never written, after reset(seed: 123); "
          + "write every value of the observation at each reset and step"
      ])
  }
}

/// A noisy walk along a line that keeps every rule of the checker but one.
private final class Walk: Environment {
  let broken: EnvironmentReport.Rule?
  var position = 0.0
  var velocity = 0.0
  var steps = 0.0
  var generator = NumPyGenerator(seed: 0)

  let observationSpace: Box
  let actionSpace: Space

  init(breaking rule: EnvironmentReport.Rule?) {
    broken = rule
    observationSpace = Box(low: -10, high: rule == .observationIsInSpace ? 0.5 : 10, count: 2)
    actionSpace = Self.actionSpace(breaking: rule)
  }

  static func actionSpace(breaking rule: EnvironmentReport.Rule?) -> Space {
    switch rule {
    case .actionBoundsAreFinite: .box(Box(low: -1, high: .infinity, count: 1))
    case .actionBoundsAreUnit: .box(Box(low: 0, high: 1, count: 1))
    default: .box(Box(low: -1, high: 1, count: 1))
    }
  }

  static func entry(breaking rule: EnvironmentReport.Rule?, maximumEpisodeSteps: Int? = 50) -> EnvironmentEntry {
    EnvironmentEntry(
      id: "Walk-v0", summary: "", observationSize: rule == .entryIsTrue ? 3 : 2,
      actionSpace: actionSpace(breaking: rule),
      maximumEpisodeSteps: rule == .episodesEnd ? nil : maximumEpisodeSteps
    ) { Walk(breaking: rule) }
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    steps += 1
    if broken == .works && steps == 4 { throw SimulatorFault("the walker stumbled") }
    velocity += 0.1 * min(max(Double(action[0]), -1), 1)
    position += 0.1 * velocity + 0.01 * generator.standardNormal()
    if broken == .episodesEnd { position = min(max(position, -5), 5) }
    let terminated = abs(position) > 5
    observe(into: &observation)
    if broken == .observationIsFinite && steps == 5 { observation[0] = .infinity }
    let reward = broken == .rewardIsFinite && steps == 5 ? Double.nan : -abs(position)
    return StepOutcome(
      reward: reward, terminated: terminated, truncated: broken == .firstStepIsNotTruncated && steps == 1)
  }

  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) {
    if let seed, broken != .seedIsUsed { generator = NumPyGenerator(seed: seed) }
    position = (broken == .resetRepeats ? 0.1 * position : 0) + generator.uniform(-1, 1)
    if broken != .stepsRepeat { velocity = 0 }
    steps = 0
    observe(into: &observation)
  }

  /// The velocity is hidden.
  func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(position)
    if broken != .observationIsWritten { observation[1] = Float(steps / 200) }
  }

  func saveState() -> EnvironmentState {
    EnvironmentState(values: [position, broken == .stateIsComplete ? 0 : velocity, steps], generator: generator)
  }

  func restore(_ state: EnvironmentState) throws {
    try state.requireValues(3, for: "Walk-v0")
    (position, velocity, steps) = (state.values[0], state.values[1], state.values[2])
    generator = state.generator
  }
}

/// A point on a line that ends where it comes within 0.2 of its goal, with a fault in what it computes from goals.
final class Reach: GoalEnvironment {
  enum Fault { case reward, terminated, row }

  static let actions = Space.box(Box(low: -1, high: 1, count: 1))
  let fault: Fault?
  var position = 0.0
  var goal = 0.0
  var generator = NumPyGenerator(seed: 0)

  let observationSpace = Box(low: -30, high: 30, count: 3)
  let actionSpace = actions
  let goalLayout = GoalLayout(observationSize: 1, goalSize: 1)

  init(_ fault: Fault?) { self.fault = fault }

  static func entry(_ fault: Fault?) -> EnvironmentEntry {
    EnvironmentEntry(
      id: "Reach-v0", summary: "", observationSize: 3, actionSpace: actions, maximumEpisodeSteps: 20,
      goals: GoalLayout(observationSize: 1, goalSize: 1)
    ) { Reach(fault) }
  }

  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) throws -> StepOutcome {
    position += Double(action[0])
    observe(into: &observation)
    let distance = abs(Double(observation[1]) - Double(observation[2]))
    return StepOutcome(reward: -distance, terminated: distance < 0.2)
  }

  func recompute(
    achieved: Span<Float>, desired: Span<Float>, rewards: inout MutableSpan<Float>,
    terminated: inout MutableSpan<Bool>
  ) {
    for row in 0..<rewards.count {
      rewards[row] = -Float(abs(Double(achieved[row]) - Double(desired[row]))) * (fault == .reward ? 1.001 : 1)
      // as if the first row's answer were that of all
      let row0 = fault == .row ? 0 : row
      terminated[row] = fault != .terminated && abs(Double(achieved[row0]) - Double(desired[row0])) < 0.2
    }
  }

  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) throws {
    if let seed { generator = NumPyGenerator(seed: seed) }
    position = 0
    goal = generator.uniform(-2, 2)
    observe(into: &observation)
  }

  private func observe(into observation: inout MutableSpan<Float>) {
    observation[0] = Float(position)
    observation[1] = Float(position)
    observation[2] = Float(goal)
  }

  func saveState() throws -> EnvironmentState { EnvironmentState(values: [position, goal], generator: generator) }

  func restore(_ state: EnvironmentState) throws {
    try state.requireValues(2, for: "Reach-v0")
    (position, goal) = (state.values[0], state.values[1])
    generator = state.generator
  }
}
