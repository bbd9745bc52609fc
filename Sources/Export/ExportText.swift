// ExportText.swift — text that goes into files of other languages: names made harmless, counts, numbers as base64.

/// Text that can end neither a comment nor a string: letters, digits and what ids of environments consist of.
func plain(_ text: String) -> String {
  String(text.unicodeScalars.prefix(80).map { isPlain($0) ? Character($0) : "_" })
}

private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
  scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_.:/ +".unicodeScalars.contains(scalar))
}

/// A number and its noun: `1 value`, `3 values`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)" + (count == 1 ? "" : "s") }

/// The bytes of little-endian float32 numbers as base64, in lines of 76 characters.
func base64Lines(_ floats: [Float]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity(floats.count * 6)
  var (bits, count, column) = (UInt32(0), 0, 0)
  func letter(_ six: UInt32) {
    text.append(alphabet[Int(six & 63)])
    column += 1
    if column == 76 {
      text.append(UInt8(ascii: "\n"))
      column = 0
    }
  }
  for float in floats {
    var word = float.bitPattern
    for _ in 0..<4 {
      bits = bits << 8 | (word & 0xff)
      word >>= 8
      count += 8
      while count >= 6 {
        count -= 6
        letter(bits >> UInt32(count))
      }
    }
  }
  if count > 0 {
    letter(bits << UInt32(6 - count))
    for _ in 0..<(count == 2 ? 2 : 1) { text.append(UInt8(ascii: "=")) }
  }
  return String(decoding: text, as: UTF8.self)
}
