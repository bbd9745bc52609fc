import Algorithms
import Environments
import Testing

@Suite struct ActionKindTests {
  static let box = Space.box(Box(low: -1, high: 1, count: 3))
  static let choices = Space.discrete(Discrete(4))

  @Test func `a discrete action is one value, a continuous one has its own`() {
    #expect(ActionKind(Self.box) == .continuous && ActionKind(Self.choices) == .discrete)
    #expect(ActionKind.continuous.width(actionSize: 3) == 3 && ActionKind.discrete.width(actionSize: 4) == 1)
  }

  @Test(arguments: AlgorithmRegistry.all.map(\.name))
  func `an algorithm takes the tasks whose actions it chooses, and refuses others with who does`(name: String) throws {
    let entry = try AlgorithmRegistry.entry(name)
    let isDiscrete = ["dqn", "sac-discrete", "fqe-discrete"].contains(name)
    #expect(entry.actions == (isDiscrete ? .discrete : .continuous) && entry.defaults.actions == entry.actions)
    try entry.checkActions(isDiscrete ? Self.choices : Self.box, of: "Task-v0")
    let error = #expect(throws: UnfitAlgorithm.self) {
      try entry.checkActions(isDiscrete ? Self.box : Self.choices, of: "Task-v0")
    }
    let fitting = AlgorithmRegistry.all.filter { $0.actions != entry.actions && $0.source == entry.source }.map(\.name)
    #expect(error?.fitting == fitting)
    let text = error?.description ?? ""
    #expect(text.hasPrefix("Task-v0 has \(isDiscrete ? "real-valued" : "4 discrete") actions, but \(name) chooses "))
    for other in fitting { #expect(text.contains(other)) }
    #expect(!text.contains("\n"))
  }
}
