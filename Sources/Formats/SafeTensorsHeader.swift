// SafeTensorsHeader.swift — reads the header of a safetensors file and holds it to every rule of the format.
//
//   header size N, 8 bytes little-endian │ N bytes of JSON │ the tensors' data
//
//   {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
//
// The JSON of this one form is parsed straight into its meaning, without a tree: the depth is fixed, nothing is
// allocated by a number that the file announces, and what is not written above is an error.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a header may hold at most. The sizes of what is parsed stay within a few MiB of the file's own.
enum Limit {
  static let headerSize: UInt64 = 100_000_000  // bytes, as upstream
  static let entries = 65_536  // tensors, and metadata entries
  static let dimensions = 32
}

/// A tensor as the header describes it.
struct TensorDescription {
  var name: String
  var type: ElementType
  var shape: [Int]
  var begin: Int  // byte of the data
  var end: Int
}

/// The header of a safetensors file, checked against the file's length.
struct SafeTensorsHeader {
  var metadata: [String: String] = [:]
  var tensors: [TensorDescription] = []
  /// Where in the file the data begins.
  var dataOffset = 8

  /// Parses the header of the file `bytes` and checks that its tensors tile the data exactly.
  init(of bytes: Data) throws(Fault) {
    guard bytes.count >= 8 else { throw .tooShort(byteCount: bytes.count) }
    var size: UInt64 = 0
    for i in (0..<8).reversed() { size = size << 8 | UInt64(bytes[bytes.startIndex + i]) }
    if let kind = otherKind(of: bytes) { throw .otherKind(kind) }
    guard size <= Limit.headerSize else { throw .headerTooLarge(headerSize: size) }
    guard size <= UInt64(bytes.count - 8) else { throw .headerBeyondFile(headerSize: size, byteCount: bytes.count) }
    dataOffset = 8 + Int(size)

    var parser = HeaderParser(bytes, from: 8, to: dataOffset)
    try parser.parse(into: &self)
    try checkTiling(byteCount: bytes.count - dataOffset)
  }

  typealias Fault = SafeTensorsError.Fault

  /// Sorted by offset the tensors begin at 0, follow each other without hole or overlap, and end with the data.
  private mutating func checkTiling(byteCount: Int) throws(Fault) {
    tensors.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
    var next = 0
    for tensor in tensors {
      let name = tensor.name
      guard tensor.begin <= tensor.end else {
        throw .offsetsReversed(tensor: name, begin: tensor.begin, end: tensor.end)
      }
      guard tensor.begin <= next else { throw .hole(tensor: name, expected: next, found: tensor.begin) }
      guard tensor.begin == next else { throw .overlap(tensor: name, expected: next, found: tensor.begin) }
      let size = try tensor.byteCount()
      guard tensor.end - tensor.begin == size else {
        throw .sizeMismatch(tensor: name, expected: size, found: tensor.end - tensor.begin)
      }
      guard tensor.end <= byteCount else { throw .dataMissing(tensor: name, end: tensor.end, byteCount: byteCount) }
      next = tensor.end
    }
    guard next == byteCount else { throw .trailingBytes(count: byteCount - next) }
  }
}

extension TensorDescription {
  /// Bytes that the shape and the type need.
  func byteCount() throws(SafeTensorsError.Fault) -> Int {
    var bits = type.bitCount
    for size in shape {
      let (product, overflow) = bits.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .shapeOverflows(tensor: name) }
      bits = product
    }
    guard bits % 8 == 0 else { throw .isNotWholeBytes(tensor: name) }
    return bits / 8
  }
}

/// A cursor over the header's bytes.
private struct HeaderParser {
  typealias Fault = SafeTensorsError.Fault

  let bytes: Data
  var position: Int
  let end: Int

  init(_ bytes: Data, from start: Int, to end: Int) {
    self.bytes = bytes
    self.position = bytes.startIndex + start
    self.end = bytes.startIndex + end
  }

  mutating func parse(into header: inout SafeTensorsHeader) throws(Fault) {
    guard peek() == UInt8(ascii: "{") else { throw .headerIsNotAnObject }
    var names: Set<String> = []
    var entries = 0
    try parseObject { (parser, name) throws(Fault) in
      entries += 1
      guard entries <= Limit.entries else { throw .tooManyEntries(limit: Limit.entries) }
      guard names.insert(name).inserted else { throw .duplicateKey(key: name) }
      if name == "__metadata__" {
        header.metadata = try parser.parseMetadata()
      } else {
        header.tensors.append(try parser.parseTensor(name))
      }
    }
    skipSpace()
    guard position == end else { throw malformed("nothing more") }
  }

  private mutating func parseMetadata() throws(Fault) -> [String: String] {
    var metadata: [String: String] = [:]
    guard peekAfterSpace() == UInt8(ascii: "{") else { throw .metadataIsNotText(offset: offset) }
    try parseObject { (parser, key) throws(Fault) in
      guard metadata.count < Limit.entries else { throw .tooManyEntries(limit: Limit.entries) }
      guard parser.peekAfterSpace() == UInt8(ascii: "\"") else { throw .metadataIsNotText(offset: parser.offset) }
      let text = try parser.parseString()
      guard metadata.updateValue(text, forKey: key) == nil else { throw .duplicateKey(key: key) }
    }
    return metadata
  }

  private mutating func parseTensor(_ name: String) throws(Fault) -> TensorDescription {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try parseObject { (parser, field) throws(Fault) in
      switch field {
      case "dtype":
        guard type == nil else { throw .duplicateKey(key: field) }
        let text = try parser.parseString()
        guard let known = ElementType(rawValue: text) else { throw .unknownElementType(tensor: name, name: text) }
        type = known
      case "shape":
        guard shape == nil else { throw .duplicateKey(key: field) }
        let fault = Fault.tooManyDimensions(tensor: name, limit: Limit.dimensions)
        shape = try parser.parseNumbers(limit: Limit.dimensions, orThrow: fault)
      case "data_offsets":
        guard offsets == nil else { throw .duplicateKey(key: field) }
        let fault = Fault.malformedHeader(expected: "two data_offsets", offset: parser.offset)
        let pair = try parser.parseNumbers(limit: 2, orThrow: fault)
        guard pair.count == 2 else { throw fault }
        offsets = pair
      default:
        throw .unknownField(tensor: name, field: field)
      }
    }
    guard let type else { throw .missingField(tensor: name, field: "dtype") }
    guard let shape else { throw .missingField(tensor: name, field: "shape") }
    guard let offsets else { throw .missingField(tensor: name, field: "data_offsets") }
    return TensorDescription(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  // MARK: JSON

  /// Reads `{"key": …, …}`; `body` reads each value.
  private mutating func parseObject(_ body: (inout Self, String) throws(Fault) -> Void) throws(Fault) {
    try expect("{")
    guard peekAfterSpace() != UInt8(ascii: "}") else { return position += 1 }
    while true {
      let key = try parseString()
      try expect(":")
      try body(&self, key)
      guard peekAfterSpace() == UInt8(ascii: ",") else { break }
      position += 1
    }
    try expect("}")
  }

  /// Reads `[1, 2, …]` with at most `limit` numbers.
  private mutating func parseNumbers(limit: Int, orThrow fault: Fault) throws(Fault) -> [Int] {
    try expect("[")
    var numbers: [Int] = []
    guard peekAfterSpace() != UInt8(ascii: "]") else {
      position += 1
      return numbers
    }
    while true {
      guard numbers.count < limit else { throw fault }
      numbers.append(try parseNumber())
      guard peekAfterSpace() == UInt8(ascii: ",") else { break }
      position += 1
    }
    try expect("]")
    return numbers
  }

  /// Reads a whole number ≥ 0 as JSON writes it: no sign, no leading zero, no fraction, no exponent.
  private mutating func parseNumber() throws(Fault) -> Int {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = peekAfterSpace(), digits.contains(first) else { throw malformed("a whole number") }
    guard first != UInt8(ascii: "0") else {
      position += 1
      return 0
    }
    var value = 0
    while let byte = peek(), digits.contains(byte) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { throw malformed("a number below 2^63") }
      value = sum
      position += 1
    }
    return value
  }

  private mutating func parseString() throws(Fault) -> String {
    try expect("\"")
    let start = position
    var hasEscapes = false
    while let byte = peek(), byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw malformed("a printable character or an escape") }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        position += 1
      }
      position += 1
    }
    guard position < end else {
      position = end
      throw malformed("the end of a text")
    }
    let raw = bytes[start..<position]
    let text = hasEscapes ? try unescaped(raw) : String(validating: raw, as: UTF8.self)
    guard let text else { throw .headerIsNotUTF8(offset: offset(of: start)) }
    position += 1
    return text
  }

  /// The text that `raw` spells; nil if it is not UTF-8. The cursor stands behind `raw`, also afterwards.
  private mutating func unescaped(_ raw: Data) throws(Fault) -> String? {
    let after = position
    var text: [UInt8] = []
    text.reserveCapacity(raw.count)
    position = raw.startIndex
    while position < raw.endIndex {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\\") {
        try text.append(contentsOf: parseEscape().utf8)
      } else {
        text.append(byte)
      }
    }
    position = after
    return String(validating: text, as: UTF8.self)
  }

  /// Reads what follows a backslash.
  private mutating func parseEscape() throws(Fault) -> String {
    guard let byte = peek() else { throw malformed("an escape") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var code = try parseHexadecimal()
      if 0xD800..<0xDC00 ~= code {  // the first half of a pair
        guard peek() == UInt8(ascii: "\\") else { throw malformed("the second half of a surrogate pair") }
        position += 1
        guard peek() == UInt8(ascii: "u") else { throw malformed("the second half of a surrogate pair") }
        position += 1
        let low = try parseHexadecimal()
        guard 0xDC00..<0xE000 ~= low else { throw malformed("the second half of a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw malformed("a character") }
      return String(scalar)
    default:
      position -= 1
      throw malformed("an escape")
    }
  }

  private mutating func parseHexadecimal() throws(Fault) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw malformed("four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
    guard peekAfterSpace() == UInt8(ascii: character) else { throw malformed(String(character)) }
    position += 1
  }

  private func peek() -> UInt8? { position < end ? bytes[position] : nil }

  private mutating func peekAfterSpace() -> UInt8? {
    skipSpace()
    return peek()
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  /// Where the cursor is, counted from the header's first byte.
  private var offset: Int { offset(of: position) }

  private func offset(of position: Int) -> Int { position - bytes.startIndex - 8 }

  private func malformed(_ expected: String) -> Fault { .malformedHeader(expected: expected, offset: offset) }
}
