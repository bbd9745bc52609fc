// EncodersTests.swift — deflate, PNG, LZW and GIF, read back by plain readers.

import Testing

@testable import Pictures

/// Numbers of a linear congruential generator.
private func noise(_ count: Int, below limit: UInt32 = 256) -> [UInt8] {
  var state: UInt32 = 1
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return UInt8((state >> 16) % limit)
  }
}

private let inputs: [[UInt8]] = [
  [], [7], [0, 0], Array("a text, a text, a text".utf8), Array(repeating: 9, count: 100_000), noise(70_000),
  noise(50_000, below: 3), noise(40_000, below: 2) + noise(40_000, below: 2), Array(0...255) + Array(0...255),
  (0..<200_000).map { (index: Int) -> UInt8 in UInt8(truncatingIfNeeded: (index * index) >> 7) },
]

@Suite struct DeflateTests {
  @Test(arguments: inputs.indices) func `what was deflated inflates to what it was`(_ place: Int) throws {
    let input = inputs[place]
    let stream = Deflate.zlib(input)
    #expect((Int(stream[0]) << 8 | Int(stream[1])) % 31 == 0)
    #expect(try inflated(stream, size: input.count) == input)
  }

  @Test func `what repeats becomes short, and what does not hardly longer`() {
    #expect(Deflate.zlib(Array(repeating: 9, count: 100_000)).count < 200)
    #expect(Deflate.zlib(noise(70_000)).count < 70_500)
    // zlib 1.3 at level 6 makes 8011
    #expect(Deflate.zlib(noise(50_000, below: 2)).count < 8_500)
  }

  @Test func `checksums are those of the standards`() {
    #expect(Deflate.adler32(Array("Wikipedia".utf8)) == 0x11e6_0398)
    #expect(PNG.checksum(Array("123456789".utf8)) == 0xcbf4_3926)
    #expect(Deflate.adler32(Array(repeating: 255, count: 1_000_000)) == adler(1_000_000))
  }

  private func adler(_ count: Int) -> UInt32 {
    var (a, b) = (1, 0)
    for _ in 0..<count { (a, b) = ((a + 255) % 65521, (b + (a + 255) % 65521) % 65521) }
    return UInt32(b << 16 | a)
  }

  @Test func `a code of limited length is complete, and as short as Huffman's where it fits`() {
    // Fibonacci numbers make Huffman's code as long as it can be
    var counts = [1, 1]
    for _ in 0..<30 { counts.append(counts[counts.count - 1] + counts[counts.count - 2]) }
    let code = HuffmanCode(counts: counts, limit: 15)
    #expect(code.lengths.max() == 15)
    #expect(code.lengths.reduce(0) { $0 + 1 << (15 - Int($1)) } == 1 << 15)
    #expect(HuffmanCode(counts: [45, 13, 12, 16, 9, 5], limit: 15).lengths == [1, 3, 3, 3, 4, 4])
    #expect(HuffmanCode(counts: [0, 3, 0], limit: 7).lengths == [0, 1, 0])
  }
}

@Suite struct PNGTests {
  @Test func `a picture of many colours and one of few are read back as they were`() throws {
    let many = Canvas(width: 61, height: 43, pixels: noise(61 * 43 * 3))
    #expect(try decodedPNG(many.png) == many)
    for colours in [1, 2, 3, 4, 5, 16, 17, 200, 256] {
      let places = noise(61 * 43, below: UInt32(colours))
      let few = Canvas(width: 61, height: 43, pixels: places.flatMap { [$0, 255 - $0, $0 / 2] })
      #expect(try decodedPNG(few.png) == few)
      #expect(try chunks(few.png)[0].data[9] == 3)
    }
  }

  @Test func `an animated PNG holds what has changed, and adds up the time of what has not`() throws {
    var film = AnimatedPNG(width: 40, height: 30)
    let first = Canvas(width: 40, height: 30, background: .white)
    var second = first
    second.rectangle(from: [10, 5], to: [16, 9], .black)
    for frame in [first, first, second, first] { film.add(frame, milliseconds: 40) }
    let parts = try chunks(film.finish())
    #expect(parts.map(\.name) == ["IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"])
    #expect(parts[1].data == [0, 0, 0, 3, 0, 0, 0, 0])
    // sequence, size, place, delay 80/1000, then 40/1000
    #expect(parts[2].data == [0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 80, 3, 232, 0, 0])
    #expect(parts[4].data == [0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 10, 0, 0, 0, 5, 0, 40, 3, 232, 0, 0])
    #expect(try unfiltered(Array(parts[5].data.dropFirst(4)), width: 6, height: 4) == [UInt8](repeating: 0, count: 72))
  }
}

@Suite struct GIFTests {
  @Test(arguments: [(2, 4), (2, 3), (4, 16), (8, 256), (8, 2)])
  func `LZW codes stand for what they were made of, also after the table is full`(codeSize: Int, colours: Int) throws {
    for input in [[], [1], noise(100_000, below: UInt32(colours)), [UInt8](repeating: 1, count: 30_000)] {
      #expect(try decodedLZW(LZW.compress(input, codeSize: codeSize), codeSize: codeSize) == input)
    }
  }

  @Test func `times do not drift, and frames hold what has changed`() {
    var film = AnimatedGIF(width: 20, height: 10)
    var canvas = Canvas(width: 20, height: 10, background: .white)
    for frame in 0..<30 {
      canvas[frame % 20, 3] = frame < 20 ? .black : .white
      film.add(canvas, milliseconds: frame % 3 == 0 ? 34 : 33)
    }
    let bytes = film.finish()
    #expect(bytes.prefix(6) == Array("GIF89a".utf8)[...] && bytes.last == 0x3b)
    var (hundredths, frames) = (0, 0)
    for at in bytes.indices.dropLast(9) where Array(bytes[at..<at + 4]) == [0x21, 0xf9, 4, 4] {
      hundredths += Int(bytes[at + 4]) | Int(bytes[at + 5]) << 8
      frames += 1
      // the image after it is one pixel, but for the first
      let size = (Int(bytes[at + 13]), Int(bytes[at + 15]))
      #expect(frames == 1 ? size == (20, 10) : size == (1, 1))
    }
    #expect(frames == 30 && hundredths == 100)
  }

  @Test func `a palette has at most 256 colours, near those of the picture`() {
    var exactPixels: [UInt8] = []
    for value in UInt8.min...UInt8.max { exactPixels += [value, 7, 255 - value] }
    let exact = Canvas(width: 16, height: 16, pixels: exactPixels)
    #expect(IndexedPicture(exact).palette.count == 256 && IndexedPicture(exactly: exact, limit: 255) == nil)
    var pixels: [UInt8] = []
    for y in 0..<128 {
      for x in 0..<128 { pixels += [UInt8(2 * x), UInt8(2 * y), UInt8((x + y) / 2)] }
    }
    let picture = IndexedPicture(Canvas(width: 128, height: 128, pixels: pixels))
    #expect(picture.palette.count == 256)
    var error = 0
    for (index, place) in picture.places.enumerated() {
      let colour = picture.palette[Int(place)]
      error += abs(Int(colour.x) - Int(pixels[3 * index])) + abs(Int(colour.y) - Int(pixels[3 * index + 1]))
    }
    // 16 × 16 boxes of 16 × 16 values have a mean error of 4 in each direction
    #expect(Double(error) / Double(picture.places.count) < 10)
  }
}
