import Testing

@testable import Environments

@Suite struct ContractGuardTests {
  /// Gives what it is told to give.
  final class Puppet: Environment {
    var next: [Float] = [0, 0]
    var outcome = StepOutcome(reward: 1)
    let observationSpace = Box(low: -1, high: 1, count: 2)
    let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))

    func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) { write(into: &observation) }

    func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) -> StepOutcome {
      write(into: &observation)
      return outcome
    }

    private func write(into observation: inout MutableSpan<Float>) {
      for i in next.indices { observation[i] = next[i] }
    }

    func saveState() -> EnvironmentState { EnvironmentState(values: [7], generator: NumPyGenerator(seed: 0)) }
    func restore(_ state: EnvironmentState) throws { try state.requireValues(1, for: "Puppet-v0") }
  }

  let puppet = Puppet()
  let task: Stepper

  init() throws {
    task = Stepper(ContractGuard(puppet, name: "Puppet-v0"))
  }

  func violation(_ body: () throws -> Void) -> ContractViolation? {
    #expect(throws: ContractViolation.self) { try body() }
  }

  @Test func `what is finite passes unchanged`() throws {
    puppet.next = [0.25, -3]
    #expect(try task.reset(seed: 1) == [0.25, -3])
    #expect(try task.step(0) == StepOutcome(reward: 1))
    puppet.outcome = StepOutcome(reward: -2, terminated: true, truncated: true)
    #expect(try task.step(0) == puppet.outcome)
  }

  @Test(arguments: [.nan, .infinity, -.infinity] as [Float])
  func `an observation that is not a number is named with its index and step`(value: Float) throws {
    try task.reset()
    try task.step(0)
    puppet.next[1] = value
    let error = violation { try task.step(0) }
    #expect(error?.description.hasPrefix("Puppet-v0 gave observation[1] = \(value) at step 2 of the episode; ") == true)
    let first = violation { try task.reset() }
    #expect(first?.description.hasPrefix("Puppet-v0 gave observation[1] = \(value) at reset; ") == true)
  }

  @Test(arguments: [.nan, .infinity] as [Double])
  func `a reward that is not a number is named`(reward: Double) throws {
    try task.reset()
    puppet.outcome.reward = reward
    let error = violation { try task.step(0) }
    #expect(error?.description.hasPrefix("Puppet-v0 gave reward \(reward) at step 1 of the episode; ") == true)
  }

  @Test func `an action that is not a number never reaches the task`() throws {
    try task.reset()
    puppet.outcome.reward = 5
    let error = violation { try task.step(.nan) }
    guard case .action(index: 0, value: let value) = error?.fault else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(value.isNaN && error?.step == 0)
    #expect(try task.step(0).reward == 5)
  }

  @Test func `a step needs a reset before it, at the start and after an end`() throws {
    #expect(violation { try task.step(0) }?.fault == .stepBeforeReset)
    for (terminated, truncated) in [(true, false), (false, true)] {
      puppet.outcome = StepOutcome(reward: 0, terminated: terminated, truncated: truncated)
      try task.reset()
      try task.step(0)
      let error = violation { try task.step(0) }
      #expect(error == ContractViolation(environment: "Puppet-v0", step: 1, fault: .stepAfterEnd))
    }
  }

  @Test func `a saved state remembers the step and whether the episode has ended`() throws {
    try task.reset()
    try task.step(0)
    let running = try task.environment.saveState()
    puppet.outcome.terminated = true
    try task.step(0)
    let ended = try task.environment.saveState()

    let other = ContractGuard(Puppet(), name: "Puppet-v0")
    let goesOn = Stepper(other)
    try other.restore(running)
    #expect(other.elapsedSteps == 1)
    try goesOn.step(0)
    try other.restore(ended)
    #expect(violation { try goesOn.step(0) }?.fault == .stepAfterEnd)
    #expect(throws: MismatchedState.self) { try other.restore(puppet.saveState()) }
  }

  @Test func `each message is one line that ends with what to do`() {
    let faults: [ContractViolation.Fault] = [
      .observation(index: 0, value: .nan), .reward(.infinity), .action(index: 0, value: .nan), .stepBeforeReset,
      .stepAfterEnd,
    ]
    for fault in faults {
      let text = ContractViolation(environment: "Puppet-v0", step: 3, fault: fault).description
      #expect(!text.contains("\n") && text.contains("; "))
    }
  }
}
