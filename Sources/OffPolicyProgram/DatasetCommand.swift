// DatasetCommand.swift — `offpolicy dataset`: describes a data set, or writes it in another layout.

import ArgumentParser
import OffPolicy

struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset", abstract: "Describe a data set, or write it in another layout.",
    subcommands: [Info.self, Convert.self])

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Show the number of transitions and episodes of data, how episodes end, and ranges of rewards and actions.")

    @Argument(help: "A run's folder, a folder of data, a .npz or a .hdf5 file.")
    var data: String

    @OptionGroup var reading: ReadingOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      var reading = try reading.reading()
      reading.acceptsUnknownBounds = true
      try DatasetReport(try DatasetFiles.read(data, reading), path: data).show(json: json)
    }
  }

  struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write data in another layout: .npz, .hdf5 (D4RL) or, without an extension, a folder.")

    @Argument(help: "What to read: a run's folder, a folder of data, a .npz or a .hdf5 file.")
    var `in`: String

    @Argument(help: "What to write; it must not exist.")
    var out: String

    @Option(help: .layout)
    var layout: DatasetLayout?

    @OptionGroup var reading: ReadingOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      try DatasetFiles.refuseUnwritable(out, as: layout)
      let dataset = try DatasetFiles.read(self.in, try reading.reading())
      try DatasetFiles.write(dataset, to: out, as: layout)
      try DatasetReport(dataset, path: out).show(json: json)
    }
  }
}

extension DatasetLayout: ExpressibleByArgument {}

extension ArgumentHelp {
  static let observations = ArgumentHelp(
    "Parts of Minari's dictionary observations to join, in this order: a,b. Default: all, sorted by name.")
  static let timeouts = ArgumentHelp(
    "How to find time-outs in data that do not record them: from-next-observations, none, or \"every N\".")
  static let layout = ArgumentHelp(
    "The layout, where the extension of OUT does not say it. minari: the folder of Minari; it needs libhdf5.")
}

/// Options for facts that a file may leave out.
struct ReadingOptions: ParsableArguments {
  @Option(help: .timeouts)
  var timeouts: String?

  @Option(help: .observations)
  var observations: String?

  @Option(help: "The environment that the data come from; its bounds scale the actions.")
  var environment: String?

  func reading() throws -> DatasetReading {
    var reading = DatasetReading(
      timeouts: try TimeoutReading.argument(timeouts),
      environment: try environment.map { try Program.environment($0) })
    reading.observations = DatasetReading.parts(observations)
    return reading
  }
}

extension DatasetReading {
  /// The names in the value of --observations.
  static func parts(_ text: String?) -> [String]? { text.map { $0.split(separator: ",").map(String.init) } }
}

extension TimeoutReading {
  /// The value of --timeouts; without it the file must record the time-outs itself.
  static func argument(_ text: String?) throws -> TimeoutReading {
    guard let text else { return .stored }
    guard let reading = TimeoutReading(text: text) else {
      throw ArgumentMismatch(
        "--timeouts must be from-next-observations, none or \"every N\", not \(text.debugDescription)")
    }
    return reading
  }
}

/// What `dataset info` shows.
struct DatasetReport: Encodable {
  let path: String
  let description: DatasetDescription
  let statistics: DatasetStatistics
  let digest: String
  let warnings: [String]

  init(_ dataset: borrowing Dataset, path: String) {
    self.path = path
    (description, statistics, digest) = (dataset.description, DatasetStatistics(dataset), dataset.digest)
    warnings = [statistics.warning].compactMap { $0 }
  }

  func show(json: Bool) throws {
    if json { return try Output.json(self) }
    let s = statistics
    print("data         \(path), \(description.source)")
    print("environment  \(description.environment ?? "not said")")
    print(
      "sizes        \(description.observationSize) observations, "
        + (description.choices.map { "one of \($0) choices" } ?? "\(description.actionSize) actions"))
    print("transitions  \(s.transitions.text), \(s.starts.text) starts of episodes, \(s.episodes.text) whole episodes")
    print("ends         \(s.terminated.text) terminated, \(s.truncated.text) timed out, \(s.broken.text) broken off")
    func row(_ name: String, _ summary: DatasetStatistics.Summary) {
      print(
        "\(name)  \(summary.mean.text(2)) ± \(summary.standardDeviation.text(2)), \(summary.least.text(2)) to "
          + "\(summary.greatest.text(2))")
    }
    if s.episodes > 0 {
      row("return     ", s.returns)
      row("length     ", s.lengths)
    }
    row("reward     ", s.rewards)
    row("action     ", s.actions)
    for warning in warnings { print("warning      \(warning)") }
    if description.boundsAreOfData == true {
      print(
        "             scaled by their own range, since the data have no bounds: name the environment with --environment"
      )
    }
    print("digest       \(digest)")
  }
}
