// CanvasTests.swift — areas, lines and text on a canvas.

import Testing

@testable import Pictures

@Suite struct CanvasTests {
  private func blank(_ width: Int = 100, _ height: Int = 80) -> Canvas {
    Canvas(width: width, height: height, background: .white)
  }

  /// How many pixels' worth of black are on white.
  private func ink(_ canvas: Canvas) -> Double {
    canvas.pixels.reduce(0) { $0 + 255 - Double($1) } / (3 * 255)
  }

  @Test func `a polygon covers its area, wherever its corners lie within pixels`() {
    var canvas = blank()
    // half of 60.5 × 40.25, and a rectangle of 10.4 × 7.7
    canvas.fill([[10.3, 10.1], [70.8, 10.1], [10.3, 50.35]], .black)
    #expect(abs(ink(canvas) - 60.5 * 40.25 / 2) < 1.5)
    canvas = blank()
    canvas.rectangle(from: [20.3, 30.6], to: [30.7, 38.3], .black)
    #expect(abs(ink(canvas) - 10.4 * 7.7) < 0.2)
    #expect((76...77).contains(canvas[20, 34].red) && canvas[25, 34] == .black && canvas[25, 29] == .white)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e308, -1e308, 1e12])
  func `a place that is none, or that is far away, is drawn as far as it is here`(far: Double) {
    var canvas = blank()
    for place: SIMD2<Double> in [[far, 20], [20, far], [far, far]] {
      canvas.fill([[10, 10], place, [30, 60]], .black)
      canvas.fill([place, [40, 70], [-far, -far]], .black)
      canvas.stroke([[10, 10], place, [30, 60]], width: 2, .black)
      canvas.stroke([place], width: 2, .black)
      canvas.rectangle(from: [1, 1], to: place, .black)
    }
    #expect(canvas.pixels.count == 3 * 100 * 80)
  }

  @Test func `the direction of a polygon's corners does not matter`() {
    var (first, second) = (blank(), blank())
    let corners: [SIMD2<Double>] = [[5, 5], [90, 20], [60, 70], [20, 40]]
    first.fill(corners, .black)
    second.fill(corners.reversed(), .black)
    #expect(first == second)
  }

  @Test func `what lies outside of the picture is cut off`() {
    var canvas = blank(10, 10)
    canvas.fill([[-50, -50], [50, -50], [50, 50], [-50, 50]], .black)
    #expect(ink(canvas) == 100)
    canvas = blank(10, 10)
    canvas.fill([[20, 20], [30, 20], [30, 30]], .black)
    canvas.disc([-20, 5], radius: 10, .black)
    canvas.stroke([[.nan, 3], [4, .infinity]], width: 2, .black)
    #expect(ink(canvas) == 0)
    canvas.stroke([[-1e6, 5], [1e6, 5]], width: 2, .black)
    #expect(abs(ink(canvas) - 20) < 0.1)
  }

  @Test func `a disc has the area of a circle, and a line its length times its width`() {
    var canvas = blank()
    canvas.disc([50.2, 40.7], radius: 20, .black)
    #expect(abs(ink(canvas) - .pi * 400) < 0.01 * .pi * 400)
    canvas = blank()
    canvas.stroke([[20, 20], [80, 60]], width: 5, .black)
    // with a half disc at each end
    let expected = SIMD2(60.0, 40).length * 5 + .pi * 2.5 * 2.5
    #expect(abs(ink(canvas) - expected) < 0.02 * expected)
    canvas = blank()
    canvas.stroke([[20, 40.5], [80, 40.5]], width: 0.25, .black)
    #expect(abs(ink(canvas) - 15) < 1)
  }

  @Test func `a see-through line is not darker where it meets itself`() {
    var canvas = blank()
    canvas.stroke([[10, 40], [90, 40], [10, 40], [50, 10], [50, 70]], width: 8, Colour(0, 0, 0, opacity: 0.5))
    #expect(canvas.pixels.min() == 128)
  }

  @Test func `dashes leave out what they say`() {
    var canvas = blank()
    canvas.stroke([[10, 40], [50, 40], [90, 40]], width: 2, .black, dash: [6, 14])
    // four dashes of 6, each with round ends
    #expect(abs(ink(canvas) - 4 * (12 + .pi)) < 1.5)
    #expect(canvas[13, 40] == .black && canvas[22, 40] == .white && canvas[52, 40] == .black)
  }

  @Test func `text is as long as it says, and each sign is another`() {
    var canvas = blank(300, 60)
    canvas.text("Hg", at: [20, 40], size: 40, .black)
    let dark = (0..<300).filter { x in (0..<60).contains { canvas[x, $0].red < 128 } }
    #expect(dark.first == 18 && abs(Double(dark.last ?? 0) - (20 + Canvas.width(of: "Hg", size: 40))) < 3)
    // letters, digits and signs of this project's texts; none is the box of unknown ones
    let box = drawn("\u{1f916}")
    var seen: [String: Character] = [:]
    for sign in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?()[]/%_-+=<>*±×→∞°²αγεθλμπρστφΔΣ" {
      let picture = drawn(String(sign))
      #expect(picture != box, "\(sign) has no sign")
      #expect(seen[picture] == nil, "\(sign) looks like \(seen[picture] ?? " ")")
      seen[picture] = sign
    }
  }

  private func drawn(_ text: String) -> String {
    var canvas = blank(60, 60)
    canvas.text(text, at: [10, 40], size: 40, .black)
    return canvas.pixels.map(String.init).joined(separator: ",")
  }

  @Test func `text that reads upwards is text that is turned`() {
    var (level, turned) = (blank(80, 80), blank(80, 80))
    level.text("Rg", at: [20, 50], size: 30, .black)
    turned.text("Rg", at: [50, 60], size: 30, .black, isUpwards: true)
    // (x, y) becomes (y, 80 − x)
    let agree = (0..<80).allSatisfy { y in
      (0..<80).allSatisfy { x in abs(Int(level[x, y].red) - Int(turned[y, 79 - x].red)) <= 1 }
    }
    #expect(agree)
  }

  @Test func `the rectangle of a difference is the smallest`() {
    let first = blank()
    #expect(first.difference(from: first) == nil)
    var second = first
    second[17, 33] = .black
    second[40, 9] = Colour(255, 255, 254)
    let change = second.difference(from: first)
    #expect(change?.x == 17..<41 && change?.y == 9..<34)
  }

  @Test func `half blocks tell a colour when it changes`() {
    var canvas = blank(2, 2)
    canvas[0, 0] = Colour(255, 0, 0)
    canvas[0, 1] = Colour(0, 0, 255)
    #expect(
      canvas.halfBlocks(columns: 2, rows: 1) == [
        "\u{1b}[38;2;255;0;0m\u{1b}[48;2;0;0;255m▀\u{1b}[38;2;255;255;255m\u{1b}[48;2;255;255;255m▀\u{1b}[0m"
      ])
    // the shape stays: 100 × 80 in 40 × 40 characters is 40 wide and 16 high
    #expect(blank().halfBlocks(columns: 40, rows: 40).count == 16)
    #expect(blank().halfBlocks(columns: 1, rows: 1).count == 1)
  }

  @Test func `another size has the means of what it covers`() {
    var canvas = blank(4, 2)
    canvas[0, 0] = .black
    let small = canvas.resized(width: 2, height: 1)
    #expect(small[0, 0].red == 191 && small[1, 0] == .white)
    #expect(canvas.resized(width: 8, height: 4).resized(width: 4, height: 2) == canvas)
  }
}
