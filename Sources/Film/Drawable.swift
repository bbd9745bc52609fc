// Drawable.swift — the protocol of environments that can be drawn, and the map from their coordinates to pixels.

import Environments
import Pictures

/// An environment that can draw its state, or an object that draws an environment.
///
/// The built-in environments and those with a `Robot` can be drawn already. An environment of your own conforms like this:
///
///     extension Cart: Drawable {
///       var stepsPerSecond: Double { 50 }
///       func draw(on canvas: inout Canvas) {
///         let view = Viewport(canvas, x: -3...3, y: -1...2)
///         canvas.disc(view([position, 0]), radius: view.length(0.2), Colour(0x0b62a4))
///       }
///     }
public protocol Drawable: AnyObject {
  /// Control steps in one second of the environment's own time.
  var stepsPerSecond: Double { get }
  /// Draws the current state on an empty canvas, which has one colour.
  func draw(on canvas: inout Canvas) throws
}

/// Maps a rectangle of the world, x to the right and y up, to a canvas: as large as fits, in the middle.
public struct Viewport: Sendable {
  private let scale: Double  // pixels per unit of length
  private let middle: SIMD2<Double>  // of the rectangle of the world
  private let centre: SIMD2<Double>  // of the canvas

  /// A view of a rectangle of the world.
  ///
  /// - Parameters:
  ///   - x: the range that must be visible from left to right.
  ///   - y: the range that must be visible from bottom to top.
  public init(_ canvas: Canvas, x: ClosedRange<Double>, y: ClosedRange<Double>) {
    let size = SIMD2(Double(canvas.width), Double(canvas.height))
    scale = min(size.x / (x.upperBound - x.lowerBound), size.y / (y.upperBound - y.lowerBound))
    middle = SIMD2((x.lowerBound + x.upperBound) / 2, (y.lowerBound + y.upperBound) / 2)
    centre = size / 2
  }

  /// The position of a point of the world, in pixels.
  public func callAsFunction(_ point: SIMD2<Double>) -> SIMD2<Double> {
    let offset = (point - middle) * scale
    return centre + SIMD2(offset.x, -offset.y)
  }

  /// A length of the world, in pixels.
  public func length(_ length: Double) -> Double { length * scale }
}

/// The colours of drawn environments.
enum Paint {
  static let paper = Colour(0xf6f7f9)
  static let ink = Colour(0x1b1f24)
  static let soft = Colour(0x8a94a0)
  static let rule = Colour(0xd5dae0)
  static let blue = Colour(0x0b62a4)
  static let orange = Colour(0xd9631e)
  static let green = Colour(0x1b7a3d)
}
