// Colour.swift — a colour with an opacity.

/// Red, green and blue in sRGB, 0 to 255, and an opacity.
public struct Colour: Sendable, Hashable {
  /// Red, 0 to 255.
  public var red: UInt8
  /// Green, 0 to 255.
  public var green: UInt8
  /// Blue, 0 to 255.
  public var blue: UInt8
  /// 0: transparent, 1: opaque.
  public var opacity: Double

  /// A colour of three bytes.
  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8, opacity: Double = 1) {
    (self.red, self.green, self.blue, self.opacity) = (red, green, blue, opacity)
  }

  /// A colour as style sheets write it: `Colour(0x0b62a4)`.
  public init(_ hexadecimal: UInt32, opacity: Double = 1) {
    self.init(
      UInt8(hexadecimal >> 16 & 0xff), UInt8(hexadecimal >> 8 & 0xff), UInt8(hexadecimal & 0xff), opacity: opacity)
  }

  /// A colour from numbers between 0 and 1; values outside are clipped.
  public init(_ rgb: SIMD3<Double>) {
    func byte(_ value: Double) -> UInt8 { UInt8((255 * min(max(value, 0), 1)).rounded()) }
    self.init(byte(rgb.x), byte(rgb.y), byte(rgb.z))
  }

  /// The same colour, `opacity` times as opaque.
  public func faded(_ opacity: Double) -> Colour {
    Colour(red, green, blue, opacity: self.opacity * opacity)
  }

  /// White.
  public static let white = Colour(0xffffff)
  /// Black.
  public static let black = Colour(0x000000)
}
