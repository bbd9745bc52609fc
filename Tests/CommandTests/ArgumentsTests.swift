// ArgumentsTests.swift — what is wrong with a command line, in one line that says what to type.

import Foundation
import OffPolicy
import Testing

@Suite struct ArgumentsTests {
  func refusal(_ arguments: [String], status: Int32 = 64, says parts: String...) throws {
    let result = try Program.run(arguments)
    #expect(result.status == status && result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
    for part in parts { #expect(result.errors.contains(part), "\(part) in \(result.errors)") }
    #expect(result.errors.count < 300)
  }

  @Test func `a command that there is not is told with the nearest`() throws {
    try refusal(["trian", "sac", "Pendulum-v1"], says: "there is no command \"trian\": did you mean train?", "--help`")
    try refusal(["dataset", "inof", "x"], says: "no command \"inof\": did you mean info?", "dataset --help`")
    try refusal(["frobnicate"], says: "no command \"frobnicate\"; `")
  }

  @Test func `help about a command that there is not is refused, and about one that there is given`() throws {
    try refusal(["help", "trian"], says: "there is no command \"trian\": did you mean train?", "--help`")
    try refusal(["help", "dataset", "inof"], says: "no command \"inof\": did you mean info?", "dataset --help`")
    for words in [["help"], ["help", "train"], ["help", "dataset", "info"], ["help", "train", "sac"]] {
      let run = try Program.run(words)
      #expect(run.status == 0 && run.output.contains("USAGE"), "\(words)")
    }
  }

  @Test func `an option that there is not is told with the nearest, and where help is`() throws {
    try refusal(["train", "sac", "Pendulum-v1", "--stepz", "5"], says: "--stepz", "--steps", "train --help`")
    try refusal(["evaluate"], says: "<policy>", "evaluate --help`")
    try refusal(["environment", "speed", "Pendulum-v1", "--threads", "0"], says: "--threads must be 1 to 256, not 0")
  }

  @Test func `a number below zero is a value, not an option`() throws {
    try refusal(["train", "sac", "Pendulum-v1", "--steps", "-5"], says: "--steps must be 1 to", "not -5")
    try refusal(
      ["collect", "random", "Pendulum-v1", "--steps", "5", "--out", "x", "--noise", "-0.5"], says: "not -0.5")
  }

  @Test func `help and the version are answered in full`() throws {
    for arguments in [["--help"], ["train", "--help"], ["--version"]] {
      let result = try Program.run(arguments)
      #expect(result.status == 0 && !result.output.isEmpty && result.errors.isEmpty)
    }
  }

  @Test func `of what is given twice the last holds, and a line says so`() throws {
    let folder = try TemporaryFolder()
    let twice =
      shortRun("td3", into: folder.path("run"), steps: 300) + [
        "--seed", "7", "--seed=8", "--set", "discount=0.9", "--set", "targetTracking.soft.rate=0.1", "--set",
        "discount=0.8", "--set", "targetTracking={\"hard\":{\"every\":3}}", "--set", "batchSize=32", "--option",
        "max_episode_steps=90",
        "--option", "max_episode_steps=80", "--tensorboard", "--tensorboard",
      ]
    let result = try Program.run(twice)
    #expect(result.status == 0, "\(result.errors)")
    let notes = [
      "--seed is given twice: 8 holds, not 3", "discount is set twice: discount=0.8 holds, not discount=0.9",
      "targetTracking is set twice: targetTracking={\"hard\":{\"every\":3}} holds, not targetTracking.soft.rate=0.1",
      "max_episode_steps is set twice: max_episode_steps=80 holds, not max_episode_steps=90",
    ]
    #expect(result.errorLines.filter { $0.contains("twice") }.map(String.init).sorted() == notes.sorted())
    let run = try JSONValue(text: String(contentsOfFile: folder.path("run/run.json"), encoding: .utf8))["run"]
    #expect(run?["seed"]?.number == 8 && run?["configuration"]?["discount"]?.number == 0.8)
    // flags are no options whose value is the next word, and the same value twice is no question
    let again = try Program.run("inspect", "--json", folder.path("run"), "--json")
    #expect(again.status == 0 && again.errors.isEmpty)
  }

  @Test func `help and the version are output too: a full disk is an error`() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    for arguments in [["--help"], ["help", "train"], ["--version"]] {
      let shell = Process()
      let errors = Pipe()
      shell.executableURL = URL(fileURLWithPath: "/bin/sh")
      shell.arguments = ["-c", "exec \"$0\" \"$@\" >/dev/full", Program.path] + arguments
      shell.standardError = errors
      try shell.run()
      let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      shell.waitUntilExit()
      #expect(shell.terminationStatus == 1 && said.contains("the disk is full"), "\(said)")
    }
  }

  @Test func `a path that is empty is refused`() throws {
    try refusal(["train", "sac", "Pendulum-v1", "--run-directory", ""], says: "--run-directory is empty: give a path")
    try refusal(["collect", "random", "Pendulum-v1", "--steps", "9", "--out", ""], says: "--out is empty: give a path")
  }
}
