import Testing

@testable import Environments

@Suite struct EnvironmentRegistryTests {
  static func entry(_ id: String) -> EnvironmentEntry {
    EnvironmentEntry(
      id: id, summary: "", observationSize: 3, actionSpace: .box(Box(low: -2, high: 2, count: 1)),
      maximumEpisodeSteps: nil
    ) { Pendulum() }
  }

  static let registry = EnvironmentRegistry(
    EnvironmentRegistry.builtIn.entries
      + ["HalfCheetah-v4", "HalfCheetah-v5", "HalfCheetah-v10", "Hopper-v5", "Unversioned"].map(entry))

  @Test func `an id finds its entry, and without a version the highest`() throws {
    #expect(try Self.registry.entry("HalfCheetah-v4").id == "HalfCheetah-v4")
    #expect(try Self.registry.entry("HalfCheetah").id == "HalfCheetah-v10")
    #expect(try Self.registry.entry("Pendulum").id == "Pendulum-v1")
    #expect(try Self.registry.entry("Unversioned").id == "Unversioned")
  }

  @Test(arguments: [
    ("Pendulun-v1", #"no environment is called "Pendulun-v1": did you mean Pendulum-v1?"#),
    ("pendulum", #"no environment is called "pendulum": did you mean Pendulum-v1?"#),
    ("HOPPER-V5", #"no environment is called "HOPPER-V5": did you mean Hopper-v5?"#),
    (
      "HalfCheetah-v3",
      #"no environment is called "HalfCheetah-v3": there is HalfCheetah-v4, HalfCheetah-v5, HalfCheetah-v10"#
    ),
    ("x\ny", #"no environment is called "x\ny": no id is like it"#),
    ("", #"no environment is called "": no id is like it"#),
  ])
  func `an unknown id is answered in one line, with what it may have meant and what to do`(
    id: String, message: String
  ) {
    let error = #expect(throws: UnknownEnvironment.self) { try Self.registry.make(id) }
    #expect(error?.description == message)
  }

  @Test func `a task is made with the limit of its entry, or without one`() throws {
    let limited = try #require(try Self.registry.make("Pendulum-v1") as? TimeLimit)
    #expect(limited.maximumEpisodeSteps == 200)
    #expect(limited.environment is Pendulum)
    #expect(try Self.registry.make("Hopper-v5") is Pendulum)
  }

  @Test func `each make is a new instance`() throws {
    #expect(try Self.registry.make("Pendulum-v1") !== Self.registry.make("Pendulum-v1"))
  }

  @Test(arguments: EnvironmentRegistry.builtIn.entries.map(\.id))
  func `an entry tells the sizes of its task`(id: String) throws {
    let entry = try EnvironmentRegistry.builtIn.entry(id)
    let environment = try entry.make()
    #expect(environment.observationSpace.count == entry.observationSize)
    #expect(environment.actionSpace == entry.actionSpace)
  }

  @Test(arguments: [("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "abd", 1)])
  func `an edit distance counts insertions, deletions and replacements`(a: String, b: String, distance: Int) {
    #expect(editDistance(a, b) == distance)
  }
}
