// NumbersTests.swift — no number that a person gives to an option or writes into run.json traps: it is obeyed or refused in words.

import Foundation
import OffPolicy
import Testing

/// What an option may be given: the ends of every type, and what lies beyond.
private let extremes = [
  "9223372036854775807", "-9223372036854775808", "18446744073709551615", "4611686018427387904", "1e15", "1e308",
  "-1e308",
  "5e-324", "0", "-1", "nan", "inf", "",
]

/// An option of a command, as the program itself tells it.
private struct CommandOptions: Sendable, CustomTestStringConvertible {
  var path: [String]
  var options: [String]
  var testDescription: String { path.joined(separator: " ") }

  /// Every command that the program has, with its options that take a value.
  static let all: [CommandOptions] = {
    guard let result = try? Program.run("--experimental-dump-help"), let root = try? result.json()["command"] else {
      return []
    }
    // its one option is a path, into which it would fetch
    return leaves(root, []).filter { $0.path != ["fetch-mujoco"] }
  }()

  private static func leaves(_ command: JSONValue, _ path: [String]) -> [CommandOptions] {
    let children = (command["subcommands"]?.array ?? []).filter { $0["commandName"]?.string != "help" }
    guard children.isEmpty else {
      return children.flatMap { leaves($0, path + [$0["commandName"]?.string ?? ""]) }
    }
    let options = (command["arguments"]?.array ?? []).filter { $0["kind"]?.string == "option" }
      .compactMap { $0["preferredName"]?["name"]?.string }
    return [CommandOptions(path: path, options: options.map { "--" + $0 })]
  }
}

@Suite struct NumbersTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A call that ends, or that is ended after half a second because it was obeyed; never by a trap.
  private func endsInOrder(_ arguments: [String]) throws {
    let start = ContinuousClock.now
    let result = try Program.run(
      arguments, in: folder.url, environment: ["SWIFT_BACKTRACE": "enable=no"],
      signal: (SIGKILL, { ContinuousClock.now - start > .milliseconds(500) }))
    #expect([0, 1, 3, 64, 128 + SIGKILL].contains(result.status), "\(arguments): \(result.status) \(result.errors)")
    if result.status == 1 || result.status == 64 {
      let said = result.errorLines.filter { $0.hasPrefix("Error: ") }
      #expect(said.count == 1, "\(arguments): \(result.errors)")
    }
  }

  /// Arguments with which each command does something short.
  private func base(_ path: [String]) throws -> [String] {
    let (run, data) = (folder.path("run"), folder.path("data.npz"))
    if !FileManager.default.fileExists(atPath: run) {
      #expect(try Program.run(shortRun("td3", into: run, steps: 300)).status == 0)
      #expect(try Program.run("collect", "random", "Pendulum-v1", "--steps", "300", "--out", data).status == 0)
    }
    let small = ["--set", "hiddenSizes=8", "--set", "batchSize=8"]
    let fit = ["--updates", "8", "--episodes", "2", "--set", "discount=0.5"] + small
    switch path.joined(separator: " ") {
    case "train":
      return ["sac", "Pendulum-v1", "--steps", "60", "--set", "randomSteps=20", "--evaluate-every", "0"] + small
    case "resume", "inspect", "compare-runs": return [run]
    case "clone": return [run, "--run-directory", folder.path(UUID().uuidString)]
    case "sweep":
      return [
        "sac", "Pendulum-v1", "--steps", "60", "--set", "randomSteps=20", "--directory", folder.path("sweep"),
        "--dry-run",
      ]
    case "report": return [run, "--out", folder.path("\(UUID().uuidString).html")]
    case "plot": return [run, "--out", folder.path(UUID().uuidString)]
    case "export": return [run, "--format", "c", "--out", folder.path("\(UUID().uuidString).h")]
    case "evaluate": return [run, "--episodes", "1"]
    case "record":
      let out = folder.path("\(UUID().uuidString).gif")
      return [run, "--out", out, "--width", "16", "--height", "16", "--every", "100"]
    case "list": return []
    case "environment check": return ["Pendulum-v1", "--steps", "20"]
    case "environment speed": return ["Pendulum-v1", "--seconds", "0.05"]
    case "environment rollout": return ["Pendulum-v1", folder.path("none"), folder.path("out.safetensors")]
    case "conformance": return [folder.path("none"), folder.path("out.safetensors")]
    case "bench": return ["--seconds", "0.02", "--buffer", "300", "--hidden", "8", "--batch", "8", "--warm-up", "2"]
    case "collect": return ["random", "Pendulum-v1", "--steps", "40", "--out", folder.path("out-\(UUID().uuidString)")]
    case "dataset info": return [data]
    case "dataset convert": return [data, folder.path("out-\(UUID().uuidString)")]
    case "value": return [run, "--dataset", data, "--environment", "Pendulum-v1"] + fit
    case "compare": return [run, run, "--dataset", data, "--environment", "Pendulum-v1"] + fit
    default:
      Issue.record("a new command: say here what it is called with: \(path)")
      return []
    }
  }

  @Test func `the program tells all its commands and options`() {
    #expect(CommandOptions.all.count >= 14)
    #expect(CommandOptions.all.first { $0.path == ["train"] }?.options.contains("--steps") == true)
  }

  @Test(arguments: CommandOptions.all)
  fileprivate func `no value of any option of any command traps`(_ command: CommandOptions) throws {
    for option in command.options {
      for value in extremes { try endsInOrder(command.path + (try base(command.path)) + [option, value]) }
    }
  }

  @Test func `no number in run json traps`() throws {
    let run = folder.path("run")
    #expect(try Program.run(shortRun("td3", into: run, steps: 300, ["--checkpoint-every", "100"])).status == 0)
    let text = try String(contentsOfFile: run + "/run.json", encoding: .utf8)
    for key in ["steps", "threads", "evaluateEvery", "evaluationEpisodes", "checkpointEvery", "seed", "formatVersion"] {
      for value in [
        "9223372036854775807", "-9223372036854775808", "18446744073709551615", "0", "-1", "1e300", "0.5", "null",
      ] {
        let edited = text.replacing(try Regex("\"\(key)\" : [0-9]+"), with: "\"\(key)\" : \(value)")
        #expect(edited != text || key == "seed", "\(key)")
        try edited.write(toFile: run + "/run.json", atomically: true, encoding: .utf8)
        try endsInOrder(["inspect", run])
        try endsInOrder(["resume", run])
        try endsInOrder(["dataset", "info", run])
      }
    }
    for (key, value) in [("steps", "-1"), ("threads", "0"), ("threads", "1000000000"), ("evaluationEpisodes", "-1")] {
      try text.replacing(try Regex("\"\(key)\" : [0-9]+"), with: "\"\(key)\" : \(value)")
        .write(toFile: run + "/run.json", atomically: true, encoding: .utf8)
      let result = try Program.run("resume", run)
      #expect(result.status == 1 && result.errors.contains("\(key) cannot be \(value): it must be a whole number in ["))
    }
  }

  @Test(arguments: [
    ("--steps", "1e3"), ("--steps", "1_000"), ("--steps", "1,000"), ("--steps", "1000"), ("--seed", "0"),
    ("--seed", "1e6"),
  ])
  func `a whole number may be written as people write it`(option: String, value: String) throws {
    let result = try Program.run(shortRun("td3", into: folder.path("run"), steps: 1000) + [option, value])
    #expect(result.status == 0 && result.errors.contains("done: 1,000 steps"), "\(result.errors)")
  }

  @Test(arguments: [
    ("--steps", "-5", "--steps must be 1 to 1,000,000,000,000,000, not -5"),
    ("--steps", "9223372036854775807", "--steps must be 1 to 1,000,000,000,000,000"),
    ("--steps", "1e300", "it is too large"),
    ("--steps", "1.5", "give a whole number, such as 1000000, 1_000_000 or 1e6"),
    ("--steps", "1,5", "give a whole number, such as 1000000, 1_000_000 or 1e6"),
    ("--steps", ",500", "give a whole number"), ("--steps", "1,000,00", "give a whole number"),
    ("--steps", "many", "'many' is invalid for '--steps <steps>': give a whole number"),
    ("--seed", "-1", "give a whole number from 0 to 18446744073709551615"),
    ("--seed", "18446744073709551616", "give a whole number from 0 to 18446744073709551615"),
  ])
  func `a number that is none is refused in one line that says why`(option: String, value: String, why: String) throws {
    let result = try Program.run(["train", "sac", "Pendulum-v1", option, value])
    #expect(result.status == 64 && result.errorLines.count == 1 && result.errors.contains(why), "\(result.errors)")
  }

  @Test func `the largest seed is a seed`() throws {
    #expect(try Program.run(shortRun("td3", into: folder.path("run"), steps: 300)).status == 0)
    let result = try Program.run("evaluate", folder.path("run"), "--seed", "18446744073709551615", "--episodes", "3")
    #expect(result.status == 0 && result.output.contains("seeds 18446744073709551615 to 1"), "\(result.errors)")
  }
}
