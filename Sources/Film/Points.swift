// Points.swift — draws MultiGoal and PointReach.

import Environments
import Pictures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// the environments have no unit of time: a rate that is easy to follow
extension MultiGoal: Drawable {
  public var stepsPerSecond: Double { 10 }

  public func draw(on canvas: inout Canvas) {
    let bound = Double(Self.bound)
    // the widest ring reaches 8 from the middle
    let view = Viewport(canvas, x: -8.2...8.2, y: -9.7...8.2)
    for distance in [2.0, 3.0] {
      for goal in Self.goals {
        ring(on: &canvas, view([goal.x, goal.y]), radius: view.length(distance), width: 1, Paint.rule)
      }
    }
    box(on: &canvas, view, bound)
    for goal in Self.goals {
      canvas.disc(view([goal.x, goal.y]), radius: view.length(Self.goalRadius), Paint.green.faded(0.35))
      canvas.disc(view([goal.x, goal.y]), radius: view.length(0.15), Paint.green)
    }
    canvas.disc(view([x, y]), radius: view.length(0.32), Paint.blue)
  }
}

/// Four dimensions in two squares: the first two on the left, the others on the right.
extension PointReach: Drawable {
  public var stepsPerSecond: Double { 1 / Self.timestep }

  public func draw(on canvas: inout Canvas) {
    let bound = Double(Self.bound)
    for (square, shift) in [-1.12, 1.12].enumerated() {
      let view = Viewport(canvas, x: -2.4 - shift...2.4 - shift, y: -1.6...1.35)
      let axes = (2 * square, 2 * square + 1)
      box(on: &canvas, view, bound)
      let words = "x\(axes.0 + 1), x\(axes.1 + 1)"
      canvas.text(words, at: view([-bound, bound + 0.08]), size: max(11, view.length(0.16)), Paint.soft)
      let target = view([goal[axes.0], goal[axes.1]])
      // the goal itself is small: a ring shows where
      ring(on: &canvas, target, radius: view.length(0.16), width: 2, Paint.green.faded(0.6))
      canvas.disc(target, radius: max(2, view.length(Self.goalRadius)), Paint.green)
      let point = view([position[axes.0], position[axes.1]])
      canvas.stroke([point, target], width: 1, Paint.soft, dash: [4, 4])
      canvas.disc(point, radius: max(3, view.length(0.06)), Paint.blue)
    }
  }
}

private func box(on canvas: inout Canvas, _ view: Viewport, _ bound: Double) {
  canvas.stroke(
    [view([-bound, -bound]), view([bound, -bound]), view([bound, bound]), view([-bound, bound])], width: 1.5,
    Paint.soft, isClosed: true)
}

private func ring(
  on canvas: inout Canvas, _ centre: SIMD2<Double>, radius: Double, width: Double, _ colour: Colour
) {
  let corners = (0..<64).map { centre + radius * SIMD2(cos(Double($0) * .pi / 32), sin(Double($0) * .pi / 32)) }
  canvas.stroke(corners, width: width, colour, isClosed: true)
}
