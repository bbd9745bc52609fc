// RobotOptionsTests.swift — every option of every robot does what Gymnasium's argument of that name does.

import Environments
import Formats
import Testing

@testable import MuJoCoTasks

/// A set of arguments that Gymnasium was recorded with.
struct RecordedOptions: Sendable, CustomStringConvertible {
  let id: String
  let number: Int
  let options: EnvironmentOptions

  var description: String { "\(id) \(options)" }

  func entry() throws -> EnvironmentEntry {
    try #require(MuJoCoTasks.entries.first { $0.id == id }).configured(options)
  }

  static let all: [RecordedOptions] = MuJoCoTasks.entries.flatMap { entry in
    guard let metadata = try? fixture("\(entry.id)-options").metadata else { return [RecordedOptions]() }
    return (0..<10).compactMap { number in
      guard let text = metadata["set_\(number)"], let json = try? JSONValue(text: text),
        let options = try? json.decode(EnvironmentOptions.self)
      else { return nil }
      return RecordedOptions(id: entry.id, number: number, options: options)
    }
  }
}

@Suite struct RobotOptionsTests {
  @Test(.enabled(if: libraryIsPresent), arguments: RecordedOptions.all)
  func `a rollout with options gives what Gymnasium's gives with these arguments, to the bit`(
    recorded: RecordedOptions
  ) throws {
    let difference = try firstDifference(
      of: recorded.entry(), seed: 4, name: "\(recorded.id)-options", prefix: "set_\(recorded.number).")
    #expect(difference == nil)
  }

  @Test(.enabled(if: libraryIsPresent), arguments: RecordedOptions.all)
  func `with options, single steps beyond the limits give what Gymnasium's give`(recorded: RecordedOptions) throws {
    let difference = try firstDifferenceInForcedSteps(
      of: recorded.entry(), name: "\(recorded.id)-options", prefix: "set_\(recorded.number).")
    #expect(difference == nil)
  }

  @Test(.enabled(if: libraryIsPresent), arguments: RecordedOptions.all)
  func `a task with options keeps its contract, and its entry knows its sizes`(recorded: RecordedOptions) throws {
    let report = EnvironmentChecker.check(try recorded.entry(), steps: 60)
    #expect(report.findings.filter { $0.rule != .actionBoundsAreUnit } == [])
  }

  @Test func `every option of every task is in at least one recording, and away from its default`() {
    #expect(RecordedOptions.all.count == 33)
    for entry in MuJoCoTasks.entries {
      let sets = RecordedOptions.all.filter { $0.id == entry.id }
      for option in entry.options {
        let isRecorded = sets.contains { set in set.options[option.name].map { $0 != option.defaultValue } ?? false }
        // the time limit is not the task's own: a few recordings of it are enough
        #expect(isRecorded || option.name == "max_episode_steps", "\(entry.id) \(option.name)")
      }
    }
  }

  @Test(.enabled(if: libraryIsPresent)) func `a body that the model does not have is an error that names it`() throws {
    let entry = try #require(MuJoCoTasks.entries.first { $0.id == "Ant-v5" }).configured(["main_body": "wing"])
    let error = #expect(throws: MuJoCoUnavailable.self) { try entry.make() }
    #expect(error?.description == "the model ant has no body wing")
  }

  @Test(arguments: [
    ("Humanoid-v5", "exclude_current_positions_from_observation", 350),
    ("Ant-v5", "include_cfrc_ext_in_observation", 27),
    ("Humanoid-v5", "include_cinert_in_observation", 218),
    ("Swimmer-v5", "exclude_current_positions_from_observation", 10),
  ])
  func `the size of the observation is known without the simulator`(id: String, flag: String, size: Int) throws {
    let entry = try #require(MuJoCoTasks.entries.first { $0.id == id })
    #expect(try entry.configured([flag: false]).observationSize == size)
    #expect(try entry.configured([flag: true]).observationSize == entry.observationSize)
  }
}
