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

  @Test func `a path that is empty is refused`() throws {
    try refusal(["train", "sac", "Pendulum-v1", "--run-directory", ""], says: "--run-directory is empty: give a path")
    try refusal(["collect", "random", "Pendulum-v1", "--steps", "9", "--out", ""], says: "--out is empty: give a path")
  }
}
