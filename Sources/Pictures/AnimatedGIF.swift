// AnimatedGIF.swift — writes films as GIF files (CompuServe 1990, version 89a): each frame has a palette and the changed pixels.

/// Writes a film as a GIF that repeats. Times are rounded to 1/100 s, and the rounding errors do not add up.
public struct AnimatedGIF: FilmEncoder {
  private var bytes: [UInt8]
  private var last: Canvas?
  private var pending: (canvas: Canvas, x: Int, y: Int, milliseconds: Int)?
  /// The time that rounding to 1/100 s has left over.
  private var remainder = 0  // ms

  /// A film without frames.
  ///
  /// - Precondition: no side is longer than 65,535 pixels.
  public init(width: Int, height: Int) {
    precondition(width <= 65_535 && height <= 65_535, "a GIF of \(width) × \(height) pixels")
    bytes = Array("GIF89a".utf8)
    bytes += littleEndian([width, height])
    bytes += [0x70, 0, 0]
    // repeats without end
    bytes += [0x21, 0xff, 11]
    bytes += Array("NETSCAPE2.0".utf8)
    bytes += [3, 1, 0, 0, 0]
  }

  public var byteCount: Int { bytes.count }

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
    let picture = IndexedPicture(canvas)
    // 2^(bits) colours; the format knows no fewer than 2
    let bits = max(1, (picture.palette.count - 1).bitWidth - (picture.palette.count - 1).leadingZeroBitCount)
    let hundredths = min((milliseconds + remainder) / 10, 65_535)
    remainder = milliseconds + remainder - 10 * hundredths
    // the picture stays below the next one
    bytes += [0x21, 0xf9, 4, 0x04]
    bytes += littleEndian([hundredths])
    bytes += [0, 0, 0x2c]
    bytes += littleEndian([x, y, canvas.width, canvas.height])
    bytes.append(0x80 | UInt8(bits - 1))
    for place in 0..<1 << bits {
      let colour = place < picture.palette.count ? picture.palette[place] : .zero
      bytes += [colour.x, colour.y, colour.z]
    }
    let codeSize = max(2, bits)
    bytes.append(UInt8(codeSize))
    let data = LZW.compress(picture.places, codeSize: codeSize)
    for start in stride(from: 0, to: data.count, by: 255) {
      let part = data[start..<min(start + 255, data.count)]
      bytes.append(UInt8(part.count))
      bytes += part
    }
    bytes.append(0)
    pending = nil
  }

  /// The whole file; nothing may be added after it.
  public mutating func finish() -> [UInt8] {
    write()
    return bytes + [0x3b]
  }
}

/// The LZW compression of GIF: strings get codes as they occur; after 4,096 codes the table begins anew.
enum LZW {
  static func compress(_ symbols: [UInt8], codeSize: Int) -> [UInt8] {
    let (clear, end) = (1 << codeSize, 1 << codeSize + 1)
    var writer = BitWriter()
    // the continuations of a code are a linked list: the first one of each code, and of each the next one and its symbol
    var (width, next) = (codeSize + 1, end + 1)
    var table = [Int16](repeating: -1, count: 4096 << 8)
    var usedSlots: [Int] = []
    writer.put(clear, width)
    guard var current = symbols.first.map(Int.init) else {
      writer.put(end, width)
      writer.align()
      return writer.bytes
    }
    for symbol in symbols.dropFirst() {
      let slot = current << 8 | Int(symbol)
      if table[slot] >= 0 {
        current = Int(table[slot])
        continue
      }
      writer.put(current, width)
      if next < 4096 {
        table[slot] = Int16(next)
        usedSlots.append(slot)
        // the decoder knows this code one step later
        if next == 1 << width { width += 1 }
        next += 1
      } else {
        writer.put(clear, width)
        for used in usedSlots { table[used] = -1 }
        usedSlots.removeAll(keepingCapacity: true)
        (width, next) = (codeSize + 1, end + 1)
      }
      current = Int(symbol)
    }
    writer.put(current, width)
    // the decoder may widen its codes after this one
    if next == 1 << width, width < 12 { width += 1 }
    writer.put(end, width)
    writer.align()
    return writer.bytes
  }
}

private func littleEndian(_ values: [Int]) -> [UInt8] {
  values.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8 & 0xff)] }
}
