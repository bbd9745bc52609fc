// MountainCarDrawing.swift — draws both mountain cars.

import Environments
import Pictures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Gymnasium's films of these environments too have 30 steps a second; the environments have no unit of time
extension MountainCar: Drawable {
  public var stepsPerSecond: Double { 30 }

  public func draw(on canvas: inout Canvas) {
    drawValley(on: &canvas, position, within: Self.positions, goal: Self.goal)
  }
}

extension MountainCarContinuous: Drawable {
  public var stepsPerSecond: Double { 30 }

  public func draw(on canvas: inout Canvas) {
    drawValley(on: &canvas, position, within: Self.positions, goal: Self.goal)
  }
}

/// The valley sin 3x at a third of its height, a flag at the goal, and the car on the slope.
private func drawValley(
  on canvas: inout Canvas, _ position: Double, within positions: ClosedRange<Double>, goal: Double
) {
  let view = Viewport(canvas, x: positions.lowerBound - 0.02...positions.upperBound + 0.02, y: -0.62...0.73)
  func ground(_ x: Double) -> SIMD2<Double> { SIMD2(x, 0.35 * sin(3 * x)) }
  let left = positions.lowerBound - 1
  let curve = (0...160).map { view(ground(left + Double($0) / 160 * (positions.upperBound + 1 - left))) }
  let floor = Double(canvas.height)
  canvas.fill(curve + [SIMD2(curve[160].x, floor), SIMD2(curve[0].x, floor)], Paint.rule)
  canvas.stroke(curve, width: 2.5, Paint.soft)

  let foot = ground(goal)
  canvas.stroke([view(foot), view(foot + [0, 0.2])], width: 2, Paint.ink)
  canvas.fill([view(foot + [0, 0.2]), view(foot + [0, 0.12]), view(foot + [0.1, 0.16])], Paint.green)

  // axes of the car: along the slope, and away from it
  let slope = atan(3 * 0.35 * cos(3 * position))
  let (along, away) = (SIMD2(cos(slope), sin(slope)), SIMD2(-sin(slope), cos(slope)))
  func place(_ x: Double, _ y: Double) -> SIMD2<Double> { view(ground(position) + x * along + y * away) }
  canvas.fill([place(-0.08, 0.025), place(0.08, 0.025), place(0.07, 0.075), place(-0.07, 0.075)], Paint.blue)
  canvas.fill([place(-0.045, 0.07), place(0.04, 0.07), place(0.025, 0.11), place(-0.035, 0.11)], Paint.blue)
  for wheel in [-0.05, 0.05] { canvas.disc(place(wheel, 0.022), radius: view.length(0.024), Paint.ink) }
}
