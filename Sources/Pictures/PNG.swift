// PNG.swift — writes pictures as PNG files and films as animated PNG (W3C, third edition).

extension Canvas {
  /// The bytes of a PNG file. The same picture gives the same bytes.
  public var png: [UInt8] {
    if let indexed = IndexedPicture(exactly: self), indexed.palette.count <= 256 {
      let depth = indexed.palette.count <= 2 ? 1 : indexed.palette.count <= 4 ? 2 : indexed.palette.count <= 16 ? 4 : 8
      var palette: [UInt8] = []
      for colour in indexed.palette { palette += [colour.x, colour.y, colour.z] }
      let data = Deflate.zlib(PNG.packedRows(indexed, depth: depth))
      return PNG.file([
        PNG.header(width, height, depth: depth, colourType: 3), PNG.chunk("PLTE", palette), PNG.chunk("IDAT", data),
      ])
    }
    return PNG.file([PNG.header(width, height), PNG.chunk("IDAT", Deflate.zlib(PNG.filteredRows(self)))])
  }
}

/// Writes a film as an animated PNG: each frame holds the rectangle of changed pixels.
public struct AnimatedPNG: FilmEncoder {
  private let size: (width: Int, height: Int)
  private var frames: [UInt8] = []
  private var count = 0
  private var sequence: UInt32 = 0
  private var last: Canvas?
  /// The frame that is not written yet: an equal next one makes it last longer.
  private var pending: (canvas: Canvas, x: Int, y: Int, milliseconds: Int)?

  public var byteCount: Int { frames.count }

  /// A film without frames.
  public init(width: Int, height: Int) { size = (width, height) }

  /// Adds a frame that is shown for some time.
  public mutating func add(_ frame: Canvas, milliseconds: Int) {
    if let last, let change = frame.difference(from: last) {
      write()
      pending = (frame.part(x: change.x, y: change.y), change.x.lowerBound, change.y.lowerBound, milliseconds)
    } else if last != nil {
      pending?.milliseconds += milliseconds
    } else {
      pending = (frame, 0, 0, milliseconds)
    }
    last = frame
  }

  private mutating func write() {
    guard let (canvas, x, y, milliseconds) = pending else { return }
    var control = next()
    for number in [canvas.width, canvas.height, x, y, min(milliseconds, 65_535) << 16 | 1000] {
      control += bigEndian(UInt32(number))
    }
    // the frame is painted over the one before
    frames += PNG.chunk("fcTL", control + [0, 0])
    let data = Deflate.zlib(PNG.filteredRows(canvas))
    // viewers without animation show the first frame
    frames += count == 0 ? PNG.chunk("IDAT", data) : PNG.chunk("fdAT", next() + data)
    count += 1
    pending = nil
  }

  private mutating func next() -> [UInt8] {
    defer { sequence += 1 }
    return bigEndian(sequence)
  }

  /// The whole file; nothing may be added after it.
  public mutating func finish() -> [UInt8] {
    write()
    return PNG.file([
      PNG.header(size.width, size.height), PNG.chunk("acTL", bigEndian(UInt32(count)) + bigEndian(0)), frames,
    ])
  }
}

/// The parts of a PNG file.
enum PNG {
  static func file(_ chunks: [[UInt8]]) -> [UInt8] {
    let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    return signature + chunks.joined() + chunk("IEND", [])
  }

  static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    var bytes = bigEndian(UInt32(data.count))
    bytes += body
    bytes += bigEndian(checksum(body))
    return bytes
  }

  /// - Parameter colourType: 2: red, green and blue; 3: a palette.
  static func header(_ width: Int, _ height: Int, depth: Int = 8, colourType: UInt8 = 2) -> [UInt8] {
    var data = bigEndian(UInt32(width)) + bigEndian(UInt32(height))
    data += [UInt8(depth), colourType, 0, 0, 0]
    return chunk("IHDR", data)
  }

  /// Rows of red, green and blue, each with the filter that gives the least sum of absolute values, as the standard advises.
  static func filteredRows(_ canvas: Canvas) -> [UInt8] {
    let stride = 3 * canvas.width
    let pixels = canvas.pixels
    var result: [UInt8] = []
    result.reserveCapacity((stride + 1) * canvas.height)
    var above = [UInt8](repeating: 0, count: stride)
    var candidates = [[UInt8]](repeating: [UInt8](repeating: 0, count: stride), count: 4)
    for row in 0..<canvas.height {
      let line = Array(pixels[row * stride..<(row + 1) * stride])
      var sums = [0, 0, 0, 0]
      for i in 0..<stride {
        let left = i >= 3 ? line[i - 3] : 0
        let corner = i >= 3 ? above[i - 3] : 0
        let bytes = (line[i], line[i] &- left, line[i] &- above[i], line[i] &- paeth(left, above[i], corner))
        candidates[0][i] = bytes.0
        candidates[1][i] = bytes.1
        candidates[2][i] = bytes.2
        candidates[3][i] = bytes.3
        sums[0] += Int(Int8(bitPattern: bytes.0).magnitude)
        sums[1] += Int(Int8(bitPattern: bytes.1).magnitude)
        sums[2] += Int(Int8(bitPattern: bytes.2).magnitude)
        sums[3] += Int(Int8(bitPattern: bytes.3).magnitude)
      }
      let best = sums.indices.min { (sums[$0], $0) < (sums[$1], $1) } ?? 0
      // none, left, above, Paeth
      result.append([0, 1, 2, 4][best])
      result += candidates[best]
      above = line
    }
    return result
  }

  /// Rows of palette indices, several in a byte where they fit, unfiltered.
  static func packedRows(_ picture: IndexedPicture, depth: Int) -> [UInt8] {
    let perByte = 8 / depth
    var result: [UInt8] = []
    for row in 0..<picture.height {
      result.append(0)
      for start in stride(from: 0, to: picture.width, by: perByte) {
        var byte: UInt8 = 0
        for offset in 0..<perByte {
          let x = start + offset
          let value = x < picture.width ? picture.places[row * picture.width + x] : 0
          byte |= value << UInt8(8 - depth * (offset + 1))
        }
        result.append(byte)
      }
    }
    return result
  }

  private static func paeth(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
    let estimate = Int(left) + Int(above) - Int(corner)
    let (a, b, c) = (abs(estimate - Int(left)), abs(estimate - Int(above)), abs(estimate - Int(corner)))
    return a <= b && a <= c ? left : b <= c ? above : corner
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
  }

  /// CRC-32, as in zip files.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }
}

/// Makes a file of frames of one size.
public protocol FilmEncoder {
  /// Adds a frame that is shown for some time.
  ///
  /// - Precondition: it has the size of the film.
  mutating func add(_ frame: Canvas, milliseconds: Int)
  /// The whole file; nothing may be added after it.
  mutating func finish() -> [UInt8]
  /// Bytes of the file that are in memory so far; 0 where the encoder does not say.
  var byteCount: Int { get }
}

extension FilmEncoder {
  public var byteCount: Int { 0 }
}
