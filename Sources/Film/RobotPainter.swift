// RobotPainter.swift — draws a robot of MuJoCo by ray casting: light, shadow and a chequered floor, without OpenGL.

import MuJoCoTasks
import Pictures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Draws the current state of a robot's simulation, through a camera that follows the robot.
final class RobotPainter: Drawable {
  private let robot: any Robot
  private let scene: RayScene
  private let camera: RobotCamera
  /// Target and distance of the camera; computed for the first picture if the model is unknown.
  private var sight: RobotCamera.Sight?

  init(_ robot: any Robot) throws {
    self.robot = robot
    scene = try robot.simulation.makeScene()
    camera = RobotCamera.of(type(of: robot).entry.id)
  }

  var stepsPerSecond: Double { 1 / robot.simulation.controlTimestep }

  func draw(on canvas: inout Canvas) throws {
    try scene.pose(robot.simulation.positions)
    let fixed = sight ?? camera.sight(of: scene)
    sight = fixed
    let view = camera.placed(fixed, scene)
    let light = view.target + 12 * view.distance * Self.toLight
    let (width, height) = (canvas.width, canvas.height)

    var directions: [Double] = []
    directions.reserveCapacity(3 * width * height)
    for y in 0..<height {
      for x in 0..<width { view.append(Double(x) + 0.5, Double(y) + 0.5, width, height, to: &directions) }
    }
    var samples = shade(view, light, directions)

    // four rays instead of one where neighbouring pixels show different things
    var edges: [Int] = []
    for y in 0..<height {
      for x in 0..<width {
        let at = y * width + x
        let kind = samples[at].kind
        if x + 1 < width && samples[at + 1].kind != kind || x > 0 && samples[at - 1].kind != kind
          || y + 1 < height && samples[at + width].kind != kind || y > 0 && samples[at - width].kind != kind
        {
          edges.append(at)
        }
      }
    }
    directions.removeAll(keepingCapacity: true)
    for at in edges {
      let (x, y) = (Double(at % width), Double(at / width))
      // a rotated square, so that both vertical and horizontal edges have four steps
      for (dx, dy) in [(0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875)] {
        view.append(x + dx, y + dy, width, height, to: &directions)
      }
    }
    let finer = shade(view, light, directions)
    for (index, at) in edges.enumerated() {
      var sum = SIMD3<Double>.zero
      for sample in finer[4 * index..<4 * index + 4] { sum += sample.colour }
      samples[at].colour = sum / 4
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(3 * width * height)
    for sample in samples {
      let colour = Colour(sample.colour)
      bytes.append(colour.red)
      bytes.append(colour.green)
      bytes.append(colour.blue)
    }
    canvas = Canvas(width: width, height: height, pixels: bytes)
  }

  // MARK: light

  private struct Sample {
    var colour: SIMD3<Double>
    /// What is visible there, to detect edges: the shape, the kind of square, light or shadow.
    var kind: Int
  }

  private static let toLight = unit(SIMD3(-0.4, -0.5, 0.8))
  private static let zenith = SIMD3(0.55, 0.7, 0.88)
  private static let horizon = SIMD3(0.93, 0.95, 0.97)

  private func shade(_ view: RobotCamera.Placed, _ light: SIMD3<Double>, _ directions: [Double]) -> [Sample] {
    let hits = scene.cast(from: view.eye, directions)
    // the first hit of the ray from the light to each visible point
    var (seen, places, rays): ([Int], [SIMD3<Double>], [Double]) = ([], [], [])
    for ray in hits.geoms.indices where hits.geoms[ray] >= 0 {
      let place = view.eye + hits.distances[ray] * direction(directions, ray)
      let way = unit(place - light)
      seen.append(ray)
      places.append(place)
      rays.append(way.x)
      rays.append(way.y)
      rays.append(way.z)
    }
    let lit = scene.cast(from: light, rays)
    var samples = hits.geoms.indices.map { ray in
      Sample(colour: sky(direction(directions, ray)), kind: -1)
    }
    for (index, ray) in seen.enumerated() {
      let way = direction(directions, ray)
      let far = length(places[index] - light)
      // with a tolerance: both rays end on the same surface only up to rounding
      let isShadowed = lit.distances[index] >= 0 && lit.distances[index] < far - 2e-3 * view.distance
      var normal = hits.normal(ray)
      if dot(normal, way) > 0 { normal = -normal }
      let geom = scene.geoms[Int(hits.geoms[ray])]
      var colour = SIMD3(geom.colour.x, geom.colour.y, geom.colour.z)
      var kind = Int(hits.geoms[ray]) << 2 | (isShadowed ? 1 : 0)
      let distance = hits.distances[ray]
      // distant floor fades into the sky
      let clarity = exp(-pow(distance / (7 * view.distance), 2))
      if geom.isPlane {
        let isDark = square(places[index], view.square)
        colour *= isDark ? 0.74 : 0.92
        if isDark && clarity > 0.1 { kind |= 2 }
      }
      let diffuse = isShadowed ? 0 : max(0, dot(normal, -unit(places[index] - light)))
      var result = colour * (0.42 + 0.12 * normal.z + 0.58 * diffuse)
      if !geom.isPlane && !isShadowed {
        // a highlight (Blinn 1977), half between light and eye
        let half = unit(Self.toLight - way)
        result += SIMD3(repeating: 0.16 * pow(max(0, dot(normal, half)), 24))
      }
      samples[ray] = Sample(colour: clarity * result + (1 - clarity) * Self.horizon, kind: kind)
    }
    return samples
  }

  private func sky(_ direction: SIMD3<Double>) -> SIMD3<Double> {
    let height = min(max(direction.z * 1.6, 0), 1)
    return (1 - height) * Self.horizon + height * Self.zenith
  }

  private func square(_ place: SIMD3<Double>, _ side: Double) -> Bool {
    let sum = Int((place.x / side).rounded(.down)) + Int((place.y / side).rounded(.down))
    return sum & 1 == 1
  }

  private func direction(_ directions: [Double], _ ray: Int) -> SIMD3<Double> {
    SIMD3(directions[3 * ray], directions[3 * ray + 1], directions[3 * ray + 2])
  }
}

func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { (a * b).sum() }
func length(_ vector: SIMD3<Double>) -> Double { dot(vector, vector).squareRoot() }
func unit(_ vector: SIMD3<Double>) -> SIMD3<Double> { vector / length(vector) }
