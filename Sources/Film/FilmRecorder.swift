// FilmRecorder.swift — plays episodes of a policy and hands out their pictures, one after another.

import Environments
import MuJoCoTasks
import Pictures
import Training

/// An environment that cannot be filmed.
public struct FilmError: Error, CustomStringConvertible {
  /// The reason, in one line.
  public let description: String

  /// An error in one line.
  public init(_ description: String) { self.description = description }
}

/// The settings of a film.
public struct FilmSettings: Sendable {
  /// Pixels from left to right. 480 × 360: chosen so that a picture of a robot takes about a tenth of a second to draw.
  public var width = 480
  /// Pixels from top to bottom.
  public var height = 360
  /// Number of episodes.
  public var episodes = 3
  /// Seed of the first episode; the next episodes have the next numbers.
  public var seed: UInt64 = 1_000_000
  /// Control steps from picture to picture; nil: as many as make at most 30 pictures a second.
  public var every: Int?
  /// Pictures a second; nil: the speed of the environment's own time, at most 50.
  public var rate: Double?
  /// Time for which the last picture of an episode stays.
  public var hold = 0.8  // s

  /// The defaults.
  public init() {}
}

/// A picture of a film.
public struct FilmFrame: Sendable {
  /// The picture.
  public let canvas: Canvas
  /// Time for which it is shown, in milliseconds.
  public let milliseconds: Int
  /// From 1.
  public let episode: Int
  /// Control steps since the reset.
  public let step: Int
  /// Sum of the episode's rewards so far.
  public let total: Double
  /// Whether the episode ended with this step.
  public let isLastOfEpisode: Bool
}

/// Plays episodes and hands out their pictures. The same policy, seeds and settings give the same pictures.
///
///     let recorder = try FilmRecorder(registry.make("Pendulum-v1"), name: "Pendulum-v1", FilmSettings())
///     var film = AnimatedGIF(width: 480, height: 360)
///     try recorder.run(act: { policy.act($0, into: &$1) }) { film.add($0.canvas, milliseconds: $0.milliseconds) }
public final class FilmRecorder {
  private let settings: FilmSettings
  private let loop: CollectionLoop
  private let subject: any Drawable
  private let name: String
  /// Control steps from picture to picture.
  public let every: Int
  /// Pictures a second.
  public let rate: Double

  /// A recorder of one environment.
  ///
  /// - Parameter name: what the caption and messages call the environment.
  /// - Throws: `FilmError` when the environment is neither `Drawable` nor a `Robot`; `MuJoCoUnavailable` without MuJoCo.
  /// - Precondition: sizes, episodes, `every` and `rate` are positive.
  public init(_ environment: any Environment, name: String, _ settings: FilmSettings) throws {
    precondition(settings.width > 0 && settings.height > 0 && settings.episodes > 0, "\(settings)")
    precondition((settings.every ?? 1) > 0 && (settings.rate ?? 1) > 0, "\(settings)")
    (self.settings, self.name) = (settings, name)
    subject = try Self.subject(of: environment, name)
    loop = CollectionLoop(environment)
    every = settings.every ?? max(1, Int((subject.stepsPerSecond / 30 - 1e-9).rounded(.up)))
    rate = settings.rate ?? min(50, subject.stepsPerSecond / Double(every))
  }

  /// The object that draws an environment, or the environment that it wraps.
  private static func subject(of environment: any Environment, _ name: String) throws -> any Drawable {
    var inner = environment
    while true {
      if let drawable = inner as? any Drawable { return drawable }
      if let robot = inner as? any Robot { return try RobotPainter(robot) }
      if let limited = inner as? TimeLimit {
        inner = limited.environment
      } else if let guarded = inner as? ContractGuard {
        inner = guarded.environment
      } else {
        throw FilmError("\(name) cannot be filmed: its class does not conform to Drawable")
      }
    }
  }

  /// Plays the episodes.
  ///
  /// - Parameters:
  ///   - isCancelled: asked before each step.
  ///   - act: writes the action for an observation.
  ///   - show: receives each picture.
  /// - Returns: returns and lengths of the episodes that ended.
  /// - Throws: errors of the environment and of `show`; `SimulatorFault` when the simulation breaks off.
  @discardableResult
  public func run(
    isCancelled: () -> Bool = { false }, act: (Span<Float>, inout MutableSpan<Float>) -> Void,
    show: (FilmFrame) throws -> Void
  ) throws -> Evaluation {
    try withoutActuallyEscaping(act) { act in
      try withoutActuallyEscaping(show) { show in
        let player = Player(self, act: act, show: show)
        while player.evaluation.episodes < settings.episodes && !isCancelled() {
          guard player.length < Evaluator.longestEpisode else {
            throw FilmError(
              "\(name) has not ended an episode in \(player.length) steps: give it a limit of steps, such as max_episode_steps"
            )
          }
          try loop.round(player)
        }
        return player.evaluation
      }
    }
  }

  /// Adds up the rewards of an episode and draws its pictures.
  private final class Player: StepCollector {
    private let recorder: FilmRecorder
    private let act: (Span<Float>, inout MutableSpan<Float>) -> Void
    private let show: (FilmFrame) throws -> Void
    private(set) var evaluation = Evaluation(returns: [], lengths: [])
    private var observation: [Float]  // (S)
    private var total = 0.0
    private(set) var length = 0
    private var isRunning = false
    /// The film's time so far in whole milliseconds, as handed out, and exactly.
    private var told = 0  // ms
    private var time = 0.0  // ms

    init(
      _ recorder: FilmRecorder, act: @escaping (Span<Float>, inout MutableSpan<Float>) -> Void,
      show: @escaping (FilmFrame) throws -> Void
    ) {
      (self.recorder, self.act, self.show) = (recorder, act, show)
      observation = [Float](repeating: 0, count: recorder.loop.environments.observationSpace.count)
    }

    func needsReset(lane: Int) -> Bool { !isRunning }
    func seed(lane: Int) -> UInt64? { recorder.settings.seed &+ UInt64(evaluation.episodes) }

    func begin(lane: Int, _ observation: Span<Float>) throws {
      (total, length, isRunning) = (0, 0, true)
      keep(observation)
      try showFrame(isLast: false)
    }

    func action(into actions: inout MutableSpan<Float>) { act(on: observation, into: &actions) }

    // the array is a parameter because a span of a class property does not compile
    private func act(on observation: [Float], into actions: inout MutableSpan<Float>) {
      act(observation.span, &actions)
    }

    func observe(lane: Int, _ outcome: StepOutcome, next: Span<Float>) throws {
      keep(next)
      total += outcome.reward
      length += 1
      if outcome.endsEpisode || length % recorder.every == 0 { try showFrame(isLast: outcome.endsEpisode) }
      guard outcome.endsEpisode else { return }
      evaluation.returns.append(total)
      evaluation.lengths.append(length)
      isRunning = false
    }

    private func showFrame(isLast: Bool) throws {
      let settings = recorder.settings
      var canvas = Canvas(width: settings.width, height: settings.height, background: Paint.paper)
      try recorder.subject.draw(on: &canvas)
      let episode = evaluation.episodes + 1
      Caption(
        name: recorder.name, episode: episode, episodes: settings.episodes, step: length, total: total
      ).write(on: &canvas)
      time += 1000 / recorder.rate + (isLast ? 1000 * settings.hold : 0)
      let milliseconds = Int(time.rounded()) - told
      told += milliseconds
      try show(
        FilmFrame(
          canvas: canvas, milliseconds: milliseconds, episode: episode, step: length, total: total,
          isLastOfEpisode: isLast))
    }

    private func keep(_ values: Span<Float>) {
      for i in observation.indices { observation[i] = values[i] }
    }
  }
}
