// FilmRecorderTests.swift — pictures of every built-in environment, and the film that they make.

import Formats
import Foundation
import Testing

@testable import Environments
@testable import Film
@testable import MuJoCoTasks
@testable import Pictures

let libraryIsPresent = (try? MuJoCoLibrary.shared.get()) != nil

/// Small films of the first action of each step's box, or the first choice.
func frames(
  _ environment: any Environment, _ name: String, until step: Int, _ change: (inout FilmSettings) -> Void = { _ in }
) throws -> [FilmFrame] {
  var settings = FilmSettings()
  (settings.width, settings.height, settings.seed, settings.episodes) = (96, 72, 1, 1)
  change(&settings)
  let recorder = try FilmRecorder(ContractGuard(environment, name: name), name: name, settings)
  let space = environment.actionSpace
  var (result, isDone): ([FilmFrame], Bool) = ([], false)
  try recorder.run(
    isCancelled: { isDone },
    act: { _, action in
      for i in 0..<action.count { action[i] = space.choices == nil ? 0.5 : 0 }
    }
  ) { frame in
    result.append(frame)
    isDone = frame.step >= step
  }
  return result
}

/// Where the picture of an environment is kept.
private func golden(_ name: String) -> URL {
  // the source: where new ones are written
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name).png")
}

/// Holds a picture against the kept one. With OFFPOLICY_WRITE_PICTURES=1 it becomes the kept one instead: look at it then.
private func check(_ picture: Canvas, _ name: String) throws {
  if ProcessInfo.processInfo.environment["OFFPOLICY_WRITE_PICTURES"] == "1" {
    try Data(picture.png).write(to: golden(name))
  }
  let kept = try decodedPNG([UInt8](Data(contentsOf: golden(name))))
  #expect(kept.width == picture.width && kept.height == picture.height)
  // sine and cosine of another C library may differ in their last bit, and a pixel at an edge then by a little
  let differences = zip(picture.pixels, kept.pixels).map { abs(Int($0) - Int($1)) }
  let mean = Double(differences.reduce(0, +)) / Double(differences.count)
  #expect(mean < 0.05 && differences.filter { $0 > 40 }.count < 20, "\(name): mean difference \(mean)")
}

@Suite struct FilmRecorderTests {
  @Test(arguments: EnvironmentRegistry.builtIn.entries.map(\.id))
  func `the picture of a built-in environment is the kept one`(id: String) throws {
    let made = try frames(EnvironmentRegistry.builtIn.make(id), id, until: 8) { $0.every = 8 }
    #expect(made.map(\.step) == [0, 8])
    try check(made[1].canvas, id)
    // and the first is another
    #expect(made[0].canvas != made[1].canvas)
  }

  @Test(.enabled(if: libraryIsPresent), arguments: MuJoCoTasks.entries.map(\.id))
  func `the picture of a robot is the kept one`(id: String) throws {
    let entry = try #require(MuJoCoTasks.entries.first { $0.id == id })
    let made = try frames(entry.make(), id, until: 4) { $0.every = 4 }
    try check(try #require(made.last).canvas, id)
  }

  @Test func `a film has the frames that its settings say, and the time of its episodes`() throws {
    let made = try frames(TimeLimit(Pendulum(), maximumEpisodeSteps: 20), "Pendulum-v1", until: 10_000) {
      $0.episodes = 2
      $0.every = 3
      $0.hold = 0.5
    }
    // 0, 3 … 18 and the last, 20, of each episode
    #expect(made.map(\.step) == [0, 3, 6, 9, 12, 15, 18, 20, 0, 3, 6, 9, 12, 15, 18, 20])
    #expect(made.filter(\.isLastOfEpisode).count == 2 && made.last?.episode == 2)
    // 20 steps a second, every third: 16 frames of 150 ms, and 500 ms after each episode
    #expect(made.reduce(0) { $0 + $1.milliseconds } == 16 * 150 + 1000)
  }

  @Test func `the same seed gives the same pictures, another one others`() throws {
    let first = try frames(Pendulum(), "Pendulum-v1", until: 6)
    #expect(try frames(Pendulum(), "Pendulum-v1", until: 6).map(\.canvas) == first.map(\.canvas))
    #expect(try frames(Pendulum(), "Pendulum-v1", until: 6) { $0.seed = 2 }.map(\.canvas) != first.map(\.canvas))
  }

  @Test func `the returns of a film are those of the episodes`() throws {
    var observation: [Float] = [0, 0, 0]
    let plain = TimeLimit(Pendulum(), maximumEpisodeSteps: 5)
    var sum = 0.0
    func reset(_ observation: inout [Float]) throws {
      var span = observation.mutableSpan
      try plain.reset(seed: 1, into: &span)
    }
    func step(_ observation: inout [Float]) throws -> Double {
      var span = observation.mutableSpan
      return try plain.step([Float(0.5)].span, into: &span).reward
    }
    try reset(&observation)
    for _ in 0..<5 { sum += try step(&observation) }
    let made = try frames(TimeLimit(Pendulum(), maximumEpisodeSteps: 5), "Pendulum-v1", until: 5)
    #expect(made.last?.total == sum && made.last?.step == 5)
  }

  @Test func `an environment that cannot be drawn is refused by name`() {
    let error = #expect(throws: FilmError.self) {
      _ = try FilmRecorder(ContractGuard(Unseen(), name: "Unseen-v0"), name: "Unseen-v0", FilmSettings())
    }
    #expect(error?.description == "Unseen-v0 cannot be filmed: its class does not conform to Drawable")
  }

  @Test(.enabled(if: libraryIsPresent)) func `drawing a robot changes nothing of its simulation`() throws {
    let seen = try #require(try Hopper.entry.makeEndless() as? Hopper)
    let unseen = try #require(try Hopper.entry.makeEndless() as? Hopper)
    let painter = try RobotPainter(seen)
    var (first, second) = ([Float](repeating: 0, count: 11), [Float](repeating: 0, count: 11))
    func advance(_ robot: Hopper, _ observation: inout [Float], isReset: Bool) throws {
      var span = observation.mutableSpan
      if isReset {
        try robot.reset(seed: 3, into: &span)
      } else {
        _ = try robot.step([Float(0.3), 0.2, -0.1].span, into: &span)
      }
    }
    for step in 0..<20 {
      try advance(seen, &first, isReset: step == 0)
      try advance(unseen, &second, isReset: step == 0)
      var canvas = Canvas(width: 20, height: 15, background: .white)
      try painter.draw(on: &canvas)
    }
    #expect(first == second)
    #expect(try seen.saveState() == unseen.saveState())
  }

  @Test(.enabled(if: libraryIsPresent)) func `a robot's shapes are where the camera should see them`() throws {
    // the target of Reacher is the only red ball: its middle in the picture follows from the camera's geometry
    let entry = try #require(MuJoCoTasks.entries.first { $0.id == "Reacher-v5" })
    let robot = try #require(try entry.makeEndless() as? Reacher)
    var observation = [Float](repeating: 0, count: 10)
    func reset(_ observation: inout [Float]) throws {
      var span = observation.mutableSpan
      try robot.reset(seed: 5, into: &span)
    }
    try reset(&observation)
    var canvas = Canvas(width: 400, height: 300, background: .white)
    try RobotPainter(robot).draw(on: &canvas)
    var (sum, count) = (SIMD2<Double>.zero, 0.0)
    for y in 0..<300 {
      for x in 0..<400 {
        let colour = canvas[x, y]
        if colour.red > 120, Int(colour.red) > 2 * Int(colour.green), Int(colour.red) > 2 * Int(colour.blue) {
          (sum, count) = (sum + SIMD2(Double(x) + 0.5, Double(y) + 0.5), count + 1)
        }
      }
    }
    #expect(count > 20)
    // the camera is 1.05 m from (0, −0.02, 0), 75° above the plane, and sees 45° from top to bottom; the ball is 0.01 m high
    let (x, y, z) = (robot.simulation.positions[2], robot.simulation.positions[3] + 0.02, 0.01)
    let (sine, cosine) = (sin(75 * Double.pi / 180), cos(75 * Double.pi / 180))
    let depth = 1.05 + y * cosine - z * sine
    let scale = 150 / tan(22.5 * Double.pi / 180)
    let expected = SIMD2(200 + scale * x / depth, 150 - scale * (y * sine + z * cosine) / depth)
    #expect((sum / count - expected).length < 2, "\(sum / count) for \(expected)")
  }
}

/// An environment without a picture.
private final class Unseen: Environment {
  let observationSpace = Box(low: -1, high: 1, count: 1)
  let actionSpace = Space.box(Box(low: -1, high: 1, count: 1))
  func reset(seed: UInt64?, into observation: inout MutableSpan<Float>) { observation[0] = 0 }
  func step(_ action: Span<Float>, into observation: inout MutableSpan<Float>) -> StepOutcome { StepOutcome(reward: 0) }
  func saveState() -> EnvironmentState { EnvironmentState(values: [], generator: NumPyGenerator(seed: 0)) }
  func restore(_ state: EnvironmentState) {}
}
