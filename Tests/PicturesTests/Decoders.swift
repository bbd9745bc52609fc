// Decoders.swift — slow and plain readers of PNG and GIF, to hold the writers against.

@testable import Formats
@testable import Pictures

struct DecodingFault: Error {
  let reason: String
}

/// The chunks of a PNG file, with their checksums checked.
func chunks(_ bytes: [UInt8]) throws -> [(name: String, data: [UInt8])] {
  guard bytes.prefix(8) == [137, 80, 78, 71, 13, 10, 26, 10] else { throw DecodingFault(reason: "no PNG") }
  var (result, at): ([(String, [UInt8])], Int) = ([], 8)
  func number(_ at: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(bytes[at + $1]) } }
  while at + 12 <= bytes.count {
    let count = number(at)
    let body = Array(bytes[at + 4..<at + 8 + count])
    // bit by bit
    var sum: UInt32 = ~0
    for byte in body {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
    }
    guard number(at + 8 + count) == Int(~sum) else { throw DecodingFault(reason: "checksum") }
    result.append((String(decoding: body.prefix(4), as: UTF8.self), Array(body.dropFirst(4))))
    at += 12 + count
  }
  return result
}

/// Inflates a zlib stream of a known size.
func inflated(_ stream: [UInt8], size: Int) throws -> [UInt8] {
  var inflater = Inflater(Array(stream[2..<stream.count - 4]), size: size)
  let bytes = try inflater.run()
  let sum = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(stream[stream.count - 4 + $1]) }
  guard sum == Deflate.adler32(bytes) else { throw DecodingFault(reason: "adler") }
  return bytes
}

/// Red, green and blue of rows with filters.
func unfiltered(_ stream: [UInt8], width: Int, height: Int) throws -> [UInt8] {
  let stride = 3 * width
  let bytes = try inflated(stream, size: (stride + 1) * height)
  var pixels: [UInt8] = []
  for row in 0..<height {
    for i in 0..<stride {
      let left = i >= 3 ? Int(pixels[row * stride + i - 3]) : 0
      let above = row > 0 ? Int(pixels[(row - 1) * stride + i]) : 0
      let corner = i >= 3 && row > 0 ? Int(pixels[(row - 1) * stride + i - 3]) : 0
      let estimate = left + above - corner
      let nearest = [left, above, corner].min { abs(estimate - $0) < abs(estimate - $1) } ?? 0
      let filter = bytes[row * (stride + 1)]
      guard filter < 5 else { throw DecodingFault(reason: "filter \(filter)") }
      let prediction = [0, left, above, (left + above) / 2, nearest][Int(filter)]
      pixels.append(bytes[row * (stride + 1) + 1 + i] &+ UInt8(prediction))
    }
  }
  return pixels
}

/// A still PNG, in true colour or with a palette.
func decodedPNG(_ bytes: [UInt8]) throws -> Canvas {
  let parts = try chunks(bytes)
  let header = parts[0].data
  let width = (0..<4).reduce(0) { $0 << 8 | Int(header[$1]) }
  let height = (4..<8).reduce(0) { $0 << 8 | Int(header[$1]) }
  let data = parts.filter { $0.name == "IDAT" }.flatMap(\.data)
  if header[9] == 2 {
    return Canvas(width: width, height: height, pixels: try unfiltered(data, width: width, height: height))
  }
  let depth = Int(header[8])
  let palette = parts.first { $0.name == "PLTE" }?.data ?? []
  let stride = (width * depth + 7) / 8
  let rows = try inflated(data, size: (stride + 1) * height)
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      let byte = Int(rows[y * (stride + 1) + 1 + x * depth / 8])
      let place = byte >> (8 - depth - x * depth % 8) & (1 << depth - 1)
      pixels += palette[3 * place..<3 * place + 3]
    }
  }
  return Canvas(width: width, height: height, pixels: pixels)
}

/// The strings that LZW codes stand for, from a table of all of them.
func decodedLZW(_ bytes: [UInt8], codeSize: Int) throws -> [UInt8] {
  let (clear, end) = (1 << codeSize, 1 << codeSize + 1)
  var table: [[UInt8]] = []
  var (width, last): (Int, [UInt8]?) = (codeSize + 1, nil)
  var result: [UInt8] = []
  var bit = 0
  while true {
    guard bit + width <= 8 * bytes.count else { throw DecodingFault(reason: "cut off") }
    let code = (0..<width).reduce(0) { $0 | Int(bytes[(bit + $1) / 8] >> UInt8((bit + $1) % 8) & 1) << $1 }
    bit += width
    if code == end { return result }
    if code == clear {
      table = (0..<clear).map { [UInt8($0)] } + [[], []]
      (width, last) = (codeSize + 1, nil)
      continue
    }
    guard code < table.count || code == table.count && last != nil else { throw DecodingFault(reason: "code \(code)") }
    let known = last ?? []
    let entry = code < table.count ? table[code] : known + known.prefix(1)
    if last != nil && table.count < 4096 { table.append(known + entry.prefix(1)) }
    if table.count == 1 << width && width < 12 { width += 1 }
    result += entry
    last = entry
  }
}
