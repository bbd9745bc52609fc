// ConformanceCommand.swift — `offpolicy conformance`: computes given updates from given weights, for other programs to compare.

import ArgumentParser
import OffPolicy

struct ConformanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance", abstract: "Run given updates from given weights, for comparison with another program.",
    discussion: "Guides/Conformance.md lists the names and shapes of the file's tensors.")

  @Argument(help: "The case: a safetensors file with weights, batches and noise.")
  var `case`: String

  @Argument(help: "The file to write: all parameters and losses after the updates.")
  var out: String

  @Option(help: "Threads of an update; the result is the same.", transform: wholeNumber)
  var threads: Int = 1

  func validate() throws {
    try Limits.threads.check(threads, "--threads")
  }

  func run() throws {
    try Conformance.run(try SafeTensors(contentsOf: self.case), threads: threads, algorithms: Program.algorithms)
      .write(to: out)
  }
}
