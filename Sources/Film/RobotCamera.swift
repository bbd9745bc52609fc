// RobotCamera.swift — the camera that looks at a robot.

import MuJoCoTasks

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A camera in the terms of MuJoCo's free camera: it looks at a point from a distance, in a direction given by two angles.
struct RobotCamera {
  /// The point that the camera looks at; nil: the model's middle. The camera follows a robot that travels along the ground.
  var target: SIMD3<Double>?  // m
  /// Distance from that point; nil: such that the whole model is visible.
  var distance: Double?  // m
  /// Direction of view around the vertical axis; 90: along y, with x to the right.
  var azimuth = 90.0  // degrees
  /// Angle of the direction of view to the horizon; negative looks down.
  var elevation = -15.0  // degrees

  /// The field of view from bottom to top: MuJoCo's default.
  static let field = 45.0  // degrees

  /// The camera for an environment; for an unknown environment one that shows the whole model.
  static func of(_ id: String) -> RobotCamera { known[id] ?? RobotCamera() }

  // chosen by eye
  private static let known: [String: RobotCamera] = [
    "Ant-v5": RobotCamera(target: [0, 0, 0.45], distance: 4.2, azimuth: 110, elevation: -28),
    "HalfCheetah-v5": RobotCamera(target: [0, 0, 0.45], distance: 2.9, elevation: -12),
    "Hopper-v5": RobotCamera(target: [0, 0, 0.75], distance: 3.2, elevation: -10),
    "Humanoid-v5": RobotCamera(target: [0, 0, 0.85], distance: 3.6, azimuth: 125, elevation: -12),
    "HumanoidStandup-v5": RobotCamera(target: [0, 0, 0.55], distance: 3.6, azimuth: 125, elevation: -18),
    "InvertedDoublePendulum-v5": RobotCamera(target: [0, 0, 0.55], distance: 3.1, elevation: -6),
    "InvertedPendulum-v5": RobotCamera(target: [0, 0, 0.2], distance: 2.3, elevation: -8),
    "Pusher-v5": RobotCamera(target: [0.35, -0.15, -0.15], distance: 2.3, azimuth: 150, elevation: -35),
    "Reacher-v5": RobotCamera(target: [0, -0.02, 0], distance: 1.05, elevation: -75),
    "Swimmer-v5": RobotCamera(target: [0, 0, 0], distance: 3.4, elevation: -50),
    "Walker2d-v5": RobotCamera(target: [0, 0, 0.8], distance: 3.3, elevation: -10),
  ]

  /// A camera's target and distance for one model.
  struct Sight {
    var target: SIMD3<Double>  // m
    var distance: Double  // m
  }

  /// Target and distance of a camera, computed from the model's pose where they are not given.
  func sight(of scene: RayScene) -> Sight {
    let (low, high) = scene.bounds ?? (SIMD3(repeating: -1), SIMD3(repeating: 1))
    let size = length(high - low)
    return Sight(target: target ?? (low + high) / 2, distance: distance ?? max(0.1, 1.2 * size))
  }

  /// The camera for the pose that a scene is in.
  func placed(_ sight: Sight, _ scene: RayScene) -> Placed {
    var target = sight.target
    if scene.travels {
      let centre = scene.massCentre
      (target.x, target.y) = (centre.x, centre.y)
    }
    return Placed(target, distance: sight.distance, azimuth: azimuth, elevation: elevation)
  }

  /// A camera in its place.
  struct Placed {
    let target: SIMD3<Double>  // m
    let distance: Double  // m
    let eye: SIMD3<Double>  // m
    private let forward: SIMD3<Double>
    private let right: SIMD3<Double>
    private let up: SIMD3<Double>
    /// Side of the squares of the floor: a power of two, about a fifth of the distance.
    let square: Double  // m

    init(_ target: SIMD3<Double>, distance: Double, azimuth: Double, elevation: Double) {
      (self.target, self.distance) = (target, distance)
      let (turn, tilt) = (azimuth * .pi / 180, elevation * .pi / 180)
      forward = SIMD3(cos(tilt) * cos(turn), cos(tilt) * sin(turn), sin(tilt))
      right = SIMD3(sin(turn), -cos(turn), 0)
      // right × forward
      up = SIMD3(
        right.y * forward.z - right.z * forward.y, right.z * forward.x - right.x * forward.z,
        right.x * forward.y - right.y * forward.x)
      eye = target - distance * forward
      var side = 1.0
      while side > distance / 3.6 { side /= 2 }
      while side * 2 <= distance / 3.6 { side *= 2 }
      square = side
    }

    /// Appends the direction, of length 1, of the ray through a point of the picture.
    func append(_ x: Double, _ y: Double, _ width: Int, _ height: Int, to directions: inout [Double]) {
      let half = tan(RobotCamera.field / 2 * .pi / 180)
      let scale = 2 * half / Double(height)
      let way = unit(
        forward + (x - Double(width) / 2) * scale * right + (Double(height) / 2 - y) * scale * up)
      directions.append(way.x)
      directions.append(way.y)
      directions.append(way.z)
    }
  }
}
