// Swinging.swift — draws Pendulum, CartPole and Acrobot.

import Environments
import Pictures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A rod on a hinge; angle 0 points up.
extension Pendulum: Drawable {
  public var stepsPerSecond: Double { 1 / Self.timestep }

  public func draw(on canvas: inout Canvas) {
    let view = Viewport(canvas, x: -1.35...1.35, y: -1.45...1.25)
    let tip = SIMD2(-sin(angle), cos(angle))
    // the upright position, where the rod is to be held
    canvas.stroke([view([0, 0]), view([0, 1])], width: view.length(0.02), Paint.rule, dash: [6, 6])
    canvas.stroke([view([0, 0]), view(tip)], width: view.length(0.16), Paint.blue)
    canvas.disc(view([0, 0]), radius: view.length(0.045), Paint.paper)
    canvas.disc(view([0, 0]), radius: view.length(0.03), Paint.ink)
  }
}

/// A cart on a rail between the two places where an episode ends, and its pole.
extension CartPole: Drawable {
  public var stepsPerSecond: Double { 1 / Self.timestep }

  public func draw(on canvas: inout Canvas) {
    let limit = Self.positionLimit
    let view = Viewport(canvas, x: -limit - 0.35...limit + 0.35, y: -0.85...1.45)
    canvas.stroke([view([-limit, -0.12]), view([limit, -0.12])], width: 2, Paint.soft)
    for end in [-limit, limit] {
      canvas.stroke([view([end, -0.24]), view([end, 0])], width: 3, Paint.soft)
    }
    canvas.rectangle(from: view([position - 0.25, 0.13]), to: view([position + 0.25, -0.1]), Paint.ink)
    for wheel in [-0.15, 0.15] {
      canvas.disc(view([position + wheel, -0.12]), radius: view.length(0.06), Paint.soft)
    }
    let hinge = SIMD2(position, 0.08)
    let tip = hinge + 2 * Self.halfLength * SIMD2(sin(angle), cos(angle))
    canvas.stroke([view(hinge), view(tip)], width: view.length(0.09), Paint.orange)
    canvas.disc(view(hinge), radius: view.length(0.03), Paint.paper)
  }
}

/// Two links below a line that the tip is to reach.
extension Acrobot: Drawable {
  public var stepsPerSecond: Double { 1 / Self.timestep }

  public func draw(on canvas: inout Canvas) {
    let view = Viewport(canvas, x: -2.4...2.4, y: -2.65...2.15)
    canvas.stroke(
      [view([-2.3, Self.length]), view([2.3, Self.length])], width: 2, Paint.green, dash: [8, 6])
    let elbow = Self.length * SIMD2(sin(state[0]), -cos(state[0]))
    let tip = elbow + Self.length * SIMD2(sin(state[0] + state[1]), -cos(state[0] + state[1]))
    canvas.stroke([view([0, 0]), view(elbow)], width: view.length(0.17), Paint.blue)
    canvas.stroke([view(elbow), view(tip)], width: view.length(0.17), Paint.orange)
    for joint in [.zero, elbow] { canvas.disc(view(joint), radius: view.length(0.05), Paint.paper) }
  }
}
