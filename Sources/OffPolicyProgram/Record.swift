// Record.swift — `offpolicy record`: plays episodes of a policy into a film, a picture or the terminal.

import ArgumentParser
import Foundation
import OffPolicy

struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Film a policy: MP4 (with ffmpeg), GIF or animated PNG; one picture; or live in the terminal.",
    discussion: """
      The episodes are those of `evaluate`: the same seeds, without exploration. Nothing needs a display or OpenGL.

        offpolicy record runs/sac-Pendulum-v1-seed0 --out pendulum.gif
        offpolicy record runs/sac-Hopper-v5-seed0 --best --episodes 1 --out hopper.mp4
        offpolicy record runs/sac-Hopper-v5-seed0 --still 200 --out hopper.png
        offpolicy record runs/sac-Pendulum-v1-seed0 --live
      """)

  @Argument(help: "The folder of a run, or a policy file.")
  var policy: String

  @Option(help: "Episodes to film. Default: 3.", transform: wholeNumber)
  var episodes: Int?

  @Option(
    help: "The file to write: .mp4, .gif, or .png for an animated PNG; an older one is replaced. Default: film.mp4.")
  var out: String?

  @Option(
    help:
      "Write one picture of this step of the first episode, or of its last step if it is shorter. Default file: film.png.",
    transform: wholeNumber)
  var still: Int?

  @Flag(help: "Show the episodes in this terminal; a file is written only where --out names one.")
  var live = false

  @Option(help: "Seed of the first episode; the next ones follow. Default: 1000000.", transform: seedNumber)
  var seed: UInt64?

  @Option(help: "The environment's id. Default: the one the policy was trained on.")
  var environment: String?

  @OptionGroup var environmentOptions: EnvironmentOptionArguments

  @Flag(help: "Use the run's best policy, not its last.")
  var best = false

  @Option(help: "Pixels from left to right. Default: 480.", transform: wholeNumber)
  var width: Int?

  @Option(help: "Pixels from top to bottom. Default: 360.", transform: wholeNumber)
  var height: Int?

  @Option(
    help: "Steps from picture to picture. Default: as many as make at most 30 pictures a second.",
    transform: wholeNumber)
  var every: Int?

  @Option(help: "Pictures a second, 1 to 120. Default: the speed of the environment's own time, at most 50.")
  var fps: Double?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try Limits.episodes.check(episodes, "--episodes")
    try Self.sides.check(width, "--width")
    try Self.sides.check(height, "--height")
    try (1...1_000_000).check(every, "--every")
    try (0...1_000_000_000).check(still, "--still")
    if let fps, !(1...120).contains(fps) { throw ValidationError("--fps must be 1 to 120, not \(fps)") }
  }

  private static let sides = 16...4096
  /// Bytes of a film that an encoder of our own makes.
  private static let largest = 2_000_000_000

  func run() throws {
    if still != nil && (live || every != nil || fps != nil || episodes != nil) {
      throw ArgumentMismatch("--still writes one picture: leave out --live, --every, --fps and --episodes")
    }
    let usual = still == nil ? "film.mp4" : "film.png"
    let file = try live && out == nil ? nil : FilmFile(out ?? usual, still: still != nil)
    let subject = try FilmSubject(policy, best: best, environment: environment, environmentOptions)
    var settings = FilmSettings()
    settings.width = width ?? settings.width
    settings.height = height ?? settings.height
    settings.episodes = still == nil ? episodes ?? 3 : 1
    settings.seed = seed ?? settings.seed
    settings.every = still.map { max(1, $0) } ?? every
    settings.rate = fps
    let recorder = try subject.recorder(settings)
    let terminal = try live ? LiveTerminal() : nil
    let sink = try file?.sink(settings, rate: recorder.rate)
    if file?.format == .mp4, settings.width % 2 + settings.height % 2 > 0 {
      let sides = [settings.width, settings.height].map { "\($0 + $0 % 2)" }.joined(separator: " × ")
      Output.note("the sides of an MP4 are even: the film has \(sides) pixels")
    }
    let stop = StopSignal.listen("stopping: the film so far is kept …")
    var progress = WorkProgress(total: settings.episodes, of: "episodes")
    // the file is made of what is held, beside it
    let room = min(Self.largest, (Memory.available ?? .max) / 4)
    var (frames, isDone, ended) = (0, false, 0)
    defer { terminal?.leave() }
    let result = try recorder.run(
      isCancelled: { stop.wasReceived || isDone }, act: { subject.policy.act($0, into: &$1) }
    ) { frame in
      if let still {
        guard frame.step == still || frame.isLastOfEpisode else { return }
        isDone = true
      }
      frames += 1
      try sink?.add(frame.canvas, milliseconds: frame.milliseconds)
      if let held = sink?.held, held > room {
        Output.note(
          "the film has \(Memory.text(held)), which are in memory until its end: it ends here, before it is too large")
        isDone = true
      }
      terminal?.show(frame)
      if frame.isLastOfEpisode { ended += 1 }
      if terminal == nil && still == nil { progress.show(ended) }
    }
    progress.finish()
    terminal?.leave()
    guard frames > 0 else { throw ExitCode(128 + stop.number) }
    let bytes = try sink?.finish()
    try tell(file, bytes, frames, result)
    if stop.wasReceived { throw ExitCode(128 + stop.number) }
  }

  private func tell(_ file: FilmFile?, _ bytes: Int?, _ frames: Int, _ result: Evaluation) throws {
    if json {
      return try Output.json(
        Report(path: file?.path, bytes: bytes, frames: frames, returns: result.returns, lengths: result.lengths))
    }
    if let file, let bytes {
      print("\(file.path)  \(frames.text) \(frames == 1 ? "picture" : "pictures"), \(bytes.text) bytes")
    }
    if !result.returns.isEmpty { print("returns  \(result.returns.map { $0.text(1) }.joined(separator: ", "))") }
  }

  private struct Report: Encodable {
    let path: String?
    let bytes: Int?
    let frames: Int
    let returns: [Double]
    let lengths: [Int]
  }
}

/// A policy and the environment that it is filmed in.
struct FilmSubject {
  let policy: Policy
  let task: EnvironmentEntry

  /// - Parameters:
  ///   - argument: a run's folder or a policy file.
  ///   - environment: the environment's id; nil: the policy's own.
  init(
    _ argument: String, best: Bool, environment: String? = nil, _ options: EnvironmentOptionArguments? = nil
  ) throws {
    policy = try loadPolicy(argument, best: best)
    let id = environment ?? policy.description.environment
    if id.isEmpty { throw RunDirectoryError("\(argument) does not say its environment: name it with --environment") }
    if PythonBridge.isReference(id) {
      throw ArgumentMismatch(
        "\(id) runs in Python and cannot be drawn: only the environments of `\(Output.command) list` can")
    }
    let kept = KeptOptions(policy)
    if let options {
      task = try options.entry(id, over: [kept])
    } else {
      task = try Program.environment(id, kept.options)
    }
    try task.requireLimit(for: "a film")
    try policy.check(fits: task, as: argument)
  }

  func recorder(_ settings: FilmSettings) throws -> FilmRecorder {
    try FilmRecorder(ContractGuard(try task.make(), name: task.id), name: task.id, settings)
  }
}
