// SafeTensorsTests.swift — what is written is read, by us and by the reference implementation; the rest is refused.

import Foundation
import Testing

@testable import Formats

// MARK: Values

@Suite struct SafeTensorsTests {
  /// The contents of values.safetensors, written by Scripts/fixtures/safetensors_samples.py.
  static var values: SafeTensors {
    var file = SafeTensors()
    file.metadata["configuration"] = #"{"discount":0.98}"#
    file.add("matrix", floats: [0, 0.25, 0.5, 0.75, 1, 1.25], shape: [2, 3])
    file.add("scalar", floats: [-1.5], shape: [])
    file.add("empty", floats: [], shape: [0, 3])
    let bits: [UInt32] = [0x7FC0_0001, 0x7F80_0001, 0xFFC1_2345, 0x7F80_0000, 0x8000_0000, 0x0000_0001]
    file.add("not numbers", floats: bits.map(Float.init(bitPattern:)), shape: [6])
    file.add("doubles", doubles: [0.1, -2e300], shape: [2])
    let longBits: [UInt64] = [0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_0001, 0x8000_0000_0000_0000]
    file.add("not numbers, long", doubles: longBits.map(Double.init(bitPattern:)), shape: [3])
    file.add("bytes", bytes: [0, 1, 254, 255], shape: [2, 2])
    file.add("counters", uint64s: [0, .max, 1 << 53 + 1], shape: [3])
    return file
  }

  func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures"))
  }

  @Test func theReferenceImplementationWritesTheSameBytes() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: fixture("values"))))
    #expect(Self.values.encoded() == bytes)
  }

  @Test func everyTypeOfTheReferenceImplementationIsReadAndWrittenAgain() throws {
    let path = try fixture("types")
    let file = try SafeTensors(contentsOf: path)
    #expect(file.encoded() == [UInt8](try Data(contentsOf: URL(filePath: path))))
    #expect(file.metadata == ["a\tkey\u{1}": "text 🤖 \"quoted\"\r\n\u{8}\u{C}"])
    #expect(try file.bytes("flags") == [1, 0, 1])
    #expect(try file.integers64("signed") == [.max, 1 << 62])
    #expect(try file.elementType("brain") == .bfloat16)
    #expect(try file.shape("a \"name\" with \\ and \n and π") == [2, 1])
    #expect(file.names.count == 9)
  }

  @Test func whatWasAddedIsReadToTheBit() throws {
    let file = try SafeTensors(bytes: Self.values.encoded())
    #expect(file.metadata == ["configuration": #"{"discount":0.98}"#])
    #expect(try file.shape("matrix") == [2, 3])
    #expect(try file.floats("matrix") == [0, 0.25, 0.5, 0.75, 1, 1.25])
    #expect(try file.shape("scalar") == [])
    #expect(try file.floats("scalar") == [-1.5])
    #expect(try file.shape("empty") == [0, 3])
    #expect(try file.floats("empty") == [])
    let bits = try file.floats("not numbers").map(\.bitPattern)
    #expect(bits == [0x7FC0_0001, 0x7F80_0001, 0xFFC1_2345, 0x7F80_0000, 0x8000_0000, 0x0000_0001])
    #expect(try file.doubles("doubles") == [0.1, -2e300])
    let longBits = try file.doubles("not numbers, long").map(\.bitPattern)
    #expect(longBits == [0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_0001, 0x8000_0000_0000_0000])
    #expect(try file.bytes("bytes") == [0, 1, 254, 255])
    #expect(try file.integers64("counters") == [0, .max, 1 << 53 + 1])
  }

  @Test func floatsAndDoublesConvertIntoEachOther() throws {
    let file = Self.values
    #expect(try file.floats("doubles") == [0.1 as Float, -.infinity])
    #expect(try file.doubles("matrix") == [0, 0.25, 0.5, 0.75, 1, 1.25])
  }

  @Test func aFileOfNothingIsAFile() throws {
    let empty = SafeTensors().encoded()
    #expect(empty.count == 16)
    #expect(try SafeTensors(bytes: empty).names == [])
  }

  @Test func aLookupThatFailsSaysWhatIsThere() throws {
    let file = Self.values
    #expect(throws: SafeTensorsError(file: "safetensors data", fault: .noSuchTensor(name: "weights", present: 8))) {
      try file.floats("weights")
    }
    let fault = SafeTensorsError.Fault.wrongElementType(tensor: "bytes", wanted: "F32 or F64", found: "U8")
    #expect(throws: SafeTensorsError(file: "safetensors data", fault: fault)) { try file.floats("bytes") }
  }

  // MARK: Files

  @Test func aFileIsWrittenWholeAndReadBack() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "safetensors-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "a b π.safetensors").path
    try Self.values.write(to: path)
    try SafeTensors().write(to: path)  // replaces
    try Self.values.write(to: path)
    #expect(try SafeTensors(contentsOf: path).encoded() == Self.values.encoded())
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a b π.safetensors"])

    let link = folder.appending(path: "link").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(try SafeTensors(contentsOf: link).names.count == 8)
  }

  @Test func whatIsNotAReadableFileIsNamed() throws {
    let missing = "/no such folder/policy.safetensors"
    let reason = "no such file or folder; check the path"
    #expect(throws: SafeTensorsError(file: missing, fault: .unreadable(reason: reason))) {
      try SafeTensors(contentsOf: missing)
    }
    #expect(throws: SafeTensorsError(file: missing, fault: .unwritable(reason: reason))) {
      try SafeTensors().write(to: missing)
    }
    for path in ["/dev/zero", "/"] {
      let error = #expect(throws: SafeTensorsError.self) { try SafeTensors(contentsOf: path) }
      #expect(error?.description == "\(path): cannot be read: it is not a regular file")
    }
  }
}

// MARK: Rules

/// Each rule of the format by name: a file that breaks it and only it, and the error.
@Suite struct SafeTensorsRuleTests {
  /// A file with `header` as it stands and `count` bytes of data.
  func file(_ header: String, data count: Int = 0) -> [UInt8] {
    let size = UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + header.utf8
      + [UInt8](repeating: 7, count: count)
  }

  func fault(_ bytes: [UInt8]) -> SafeTensorsError.Fault? {
    do {
      _ = try SafeTensors(bytes: bytes)
      return nil
    } catch {
      let text = error.description
      #expect(!text.contains { $0.isNewline }, "\(text) is more than one line")
      #expect(text.hasPrefix("safetensors data: "))
      return error.fault
    }
  }

  /// A tensor of two floats with one part replaced.
  func tensor(dtype: String = "F32", shape: String = "[2]", offsets: String = "[0,8]") -> String {
    #"{"t":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
  }

  @Test func theFileHasAtLeastEightBytes() {
    #expect(fault([]) == .tooShort(byteCount: 0))
    #expect(fault([2, 0, 0, 0, 0, 0, 0]) == .tooShort(byteCount: 7))
  }

  @Test func theHeaderHasAtMostAHundredMillionBytes() {
    #expect(fault([0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0]) == .headerTooLarge(headerSize: 100_000_001))
    #expect(fault([0x00, 0xE1, 0xF5, 0x05, 0, 0, 0, 0]) == .headerBeyondFile(headerSize: 100_000_000, byteCount: 8))
    #expect(fault([UInt8](repeating: 0xFF, count: 16)) == .headerTooLarge(headerSize: .max))
  }

  @Test func theHeaderLiesWithinTheFile() {
    #expect(fault([3, 0, 0, 0, 0, 0, 0, 0] + "{}".utf8) == .headerBeyondFile(headerSize: 3, byteCount: 10))
    #expect(fault(file("{}")) == nil)
  }

  @Test func theHeaderBeginsWithABrace() {
    #expect(fault(file("")) == .headerIsNotAnObject)
    #expect(fault(file(" {}")) == .headerIsNotAnObject)
    #expect(fault(file("[]")) == .headerIsNotAnObject)
  }

  @Test func theHeaderIsUTF8() {
    for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
      let header = [UInt8](tensor().utf8)
      let broken = header.prefix(2) + bytes + header.dropFirst(3)
      let size = [UInt8(broken.count), 0, 0, 0, 0, 0, 0, 0]
      #expect(fault(size + broken + [UInt8](repeating: 0, count: 8)) == .headerIsNotUTF8(offset: 2))
    }
  }

  @Test func spacesMayFollowAndNothingElse() {
    #expect(fault(file("{} \n\t ")) == nil)
    #expect(fault(file("{} x")) == .malformedHeader(expected: "nothing more", offset: 3))
    #expect(fault(file("{}{}")) == .malformedHeader(expected: "nothing more", offset: 2))
  }

  @Test func theHeaderIsStrictJSON() {
    let headers = [
      "{", "{,}", #"{"t"}"#, #"{"t":}"#, #"{"t":1}"#, #"{"t":[]}"#, #"{"t":{"dtype":"F32""#, #"{t:{}}"#, #"{'t':{}}"#,
      #"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],}}"#,
      #"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}"#,
      #"{"t":{"dtype":"F32" "shape":[2],"data_offsets":[0,8]}}"#,
      #"{"t\x":{}}"#, #"{"\u12g4":{}}"#, #"{"\ud800":{}}"#, #"{"\ud800\u0041":{}}"#, #"{"\udc00":{}}"#, "{\"\n\":{}}",
    ]
    for header in headers {
      let found = fault(file(header, data: 8))
      guard case .malformedHeader = found else {
        Issue.record("\(header) gave \(String(describing: found))")
        continue
      }
    }
  }

  @Test func numbersAreWholeAndNotNegative() {
    for number in ["-2", "2.0", "2e0", "02", "+2", "0x2", "\"2\"", "null", "9223372036854775808", "[2]", ""] {
      for header in [tensor(shape: "[2,\(number)]"), tensor(offsets: "[0,\(number)]")] {
        let found = fault(file(header, data: 8))
        guard case .malformedHeader = found else {
          Issue.record("\(header) gave \(String(describing: found))")
          continue
        }
      }
    }
  }

  @Test func namesDiffer() {
    let two =
      #"{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
    #expect(fault(file(two, data: 2)) == .duplicateKey(key: "t"))
    let escaped = two.replacing(#","t""#, with: #","\u0074""#)
    #expect(fault(file(escaped, data: 2)) == .duplicateKey(key: "t"))
    #expect(fault(file(#"{"__metadata__":{},"__metadata__":{}}"#)) == .duplicateKey(key: "__metadata__"))
    #expect(fault(file(#"{"__metadata__":{"a":"1","a":"2"}}"#)) == .duplicateKey(key: "a"))
    for field in ["dtype", "shape", "data_offsets"] {
      let value = ["dtype": #""F32""#, "shape": "[2]", "data_offsets": "[0,8]"][field]!
      let header = tensor().replacing("}}", with: ",\"\(field)\":\(value)}}")
      #expect(fault(file(header, data: 8)) == .duplicateKey(key: field))
    }
  }

  @Test func metadataIsTextToText() {
    #expect(fault(file(#"{"__metadata__":{"a":"b","c":""}}"#)) == nil)
    #expect(fault(file(#"{"__metadata__":{"a":1}}"#)) == .metadataIsNotText(offset: 21))
    #expect(fault(file(#"{"__metadata__":{"a":{}}}"#)) == .metadataIsNotText(offset: 21))
    #expect(fault(file(#"{"__metadata__":null}"#)) == .metadataIsNotText(offset: 16))
  }

  @Test func aTensorHasExactlyItsThreeFields() {
    let fields = [#""dtype":"F32""#, #""shape":[2]"#, #""data_offsets":[0,8]"#]
    for (i, name) in ["dtype", "shape", "data_offsets"].enumerated() {
      let others = fields.indices.filter { $0 != i }.map { fields[$0] }.joined(separator: ",")
      #expect(fault(file("{\"t\":{\(others)}}", data: 8)) == .missingField(tensor: "t", field: name))
    }
    let more = tensor().replacing("}}", with: #","strides":[1]}}"#)
    #expect(fault(file(more, data: 8)) == .unknownField(tensor: "t", field: "strides"))
    #expect(fault(file("{\"t\":{\(fields.reversed().joined(separator: " , "))}}", data: 8)) == nil)
  }

  @Test func offsetsAreTwo() {
    for offsets in ["[]", "[0]", "[0,8,8]"] {
      let found = fault(file(tensor(offsets: offsets), data: 8))
      #expect(found == .malformedHeader(expected: "two data_offsets", offset: 47))
    }
  }

  @Test func theTypeIsKnown() {
    #expect(fault(file(tensor(dtype: "F33"), data: 8)) == .unknownElementType(tensor: "t", name: "F33"))
    #expect(fault(file(tensor(dtype: "f32"), data: 8)) == .unknownElementType(tensor: "t", name: "f32"))
    for type in ElementType.allCases {
      let header = tensor(dtype: type.rawValue, shape: "[8]", offsets: "[0,\(type.bitCount)]")
      #expect(fault(file(header, data: type.bitCount)) == nil, "\(type)")
    }
  }

  @Test func theShapeCanBeCounted() {
    let overflowing = "[4611686018427387904,4611686018427387904]"
    #expect(fault(file(tensor(shape: overflowing), data: 8)) == .shapeOverflows(tensor: "t"))
    #expect(fault(file(tensor(shape: "[288230376151711744]"), data: 8)) == .shapeOverflows(tensor: "t"))
    let deep = "[" + Array(repeating: "1", count: 33).joined(separator: ",") + "]"
    #expect(fault(file(tensor(shape: deep), data: 8)) == .tooManyDimensions(tensor: "t", limit: 32))
  }

  @Test func elementsFillWholeBytes() {
    #expect(fault(file(tensor(dtype: "F4", shape: "[3]", offsets: "[0,2]"), data: 2)) == .isNotWholeBytes(tensor: "t"))
    #expect(fault(file(tensor(dtype: "F4", shape: "[4]", offsets: "[0,2]"), data: 2)) == nil)
  }

  @Test func offsetsRunForward() {
    #expect(
      fault(file(tensor(offsets: "[8,0]"), data: 8)) == .offsetsReversed(tensor: "t", begin: 8, end: 0))
  }

  @Test func theDataHasTheSizeOfTheShape() {
    #expect(fault(file(tensor(shape: "[3]"), data: 8)) == .sizeMismatch(tensor: "t", expected: 12, found: 8))
    #expect(fault(file(tensor(shape: "[]"), data: 8)) == .sizeMismatch(tensor: "t", expected: 4, found: 8))
    #expect(fault(file(tensor(shape: "[0,2]"), data: 8)) == .sizeMismatch(tensor: "t", expected: 0, found: 8))
    #expect(fault(file(tensor(shape: "[1,2]"), data: 8)) == nil)
  }

  /// Two tensors of bytes.
  func two(_ a: ClosedRange<Int>, _ b: ClosedRange<Int>) -> String {
    func one(_ name: String, _ r: ClosedRange<Int>) -> String {
      #""\#(name)":{"dtype":"U8","shape":[\#(r.count - 1)],"data_offsets":[\#(r.lowerBound),\#(r.upperBound)]}"#
    }
    return "{\(one("a", a)),\(one("b", b))}"
  }

  @Test func theDataBeginsAtZero() {
    #expect(fault(file(tensor(offsets: "[1,9]"), data: 9)) == .hole(tensor: "t", expected: 0, found: 1))
  }

  @Test func tensorsLeaveNoHole() {
    #expect(fault(file(two(0...4, 5...8), data: 8)) == .hole(tensor: "b", expected: 4, found: 5))
    #expect(fault(file(two(4...8, 0...4), data: 8)) == nil)
    #expect(fault(file(two(4...4, 0...4), data: 4)) == nil)
  }

  @Test func tensorsDoNotOverlap() {
    #expect(fault(file(two(0...4, 3...8), data: 8)) == .overlap(tensor: "b", expected: 4, found: 3))
    #expect(fault(file(two(0...4, 0...4), data: 4)) == .overlap(tensor: "b", expected: 4, found: 0))
  }

  @Test func theDataIsAllThere() {
    #expect(fault(file(tensor(), data: 7)) == .dataMissing(tensor: "t", end: 8, byteCount: 7))
  }

  @Test func nothingFollowsTheData() {
    #expect(fault(file(tensor(), data: 9)) == .trailingBytes(count: 1))
    #expect(fault(file("{}", data: 1)) == .trailingBytes(count: 1))
  }

  @Test func entriesAreBounded() {
    let entries = (0...65_536).map { #""\#($0)":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"# }
    #expect(fault(file("{\(entries.joined(separator: ","))}")) == .tooManyEntries(limit: 65_536))
    #expect(fault(file("{\(entries.dropLast().joined(separator: ","))}")) == nil)
    let pairs = (0...65_536).map { #""\#($0)":"""# }.joined(separator: ",")
    #expect(fault(file("{\"__metadata__\":{\(pairs)}}")) == .tooManyEntries(limit: 65_536))
  }

  @Test func aHostileNameStaysOnOneShortLine() {
    let name = String(repeating: #"\n\u202e\u0000"#, count: 500)
    let header = tensor().replacing("\"t\"", with: "\"\(name)\"")
    let error = #expect(throws: SafeTensorsError.self) { try SafeTensors(bytes: file(header)) }
    let text = error?.description ?? ""
    #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0 != "\u{202E}" })
    #expect(text.count < 1500)
  }
}

// MARK: Damage

@Suite struct SafeTensorsDamageTests {
  /// What a file holds, to compare two of them.
  struct Contents: Equatable {
    var metadata: [String: String]
    var tensors: [String: [UInt8]] = [:]

    init(_ file: SafeTensors) {
      metadata = file.metadata
      for name in file.names {
        var one = SafeTensors()
        switch try? file.elementType(name) {
        case .float32: one.add(name, floats: try! file.floats(name), shape: try! file.shape(name))
        case .uint8: one.add(name, bytes: try! file.bytes(name), shape: try! file.shape(name))
        default: break
        }
        tensors[name] = one.encoded()
      }
    }
  }

  static var small: SafeTensors {
    var file = SafeTensors()
    file.metadata["k"] = "v"
    file.add("ab", floats: [1, 2], shape: [2, 1])
    file.add("c", bytes: [3], shape: [])
    return file
  }

  /// Every byte of size and header to every other value: refused, or the same tensors but for a name, a text or a
  /// type that the byte spells.
  @Test func everySingleByteChangeOfTheHeaderIsRefusedOrHarmless() throws {
    let bytes = Self.small.encoded()
    let original = Contents(try SafeTensors(bytes: bytes))
    let headerEnd = bytes.count - 9
    var refused = 0, same = 0, renamed = 0
    for i in 0..<headerEnd {
      for value in UInt8.min...UInt8.max where value != bytes[i] {
        var changed = bytes
        changed[i] = value
        guard let file = try? SafeTensors(bytes: changed) else {
          refused += 1
          continue
        }
        let contents = Contents(file)
        if contents == original {
          same += 1
        } else {
          // another name, text or type of the same size: two tensors still share the same nine bytes of data
          renamed += 1
          #expect(file.names.count == 2)
          #expect(file.encoded().suffix(9) == bytes.suffix(9))
        }
      }
    }
    #expect(refused + same + renamed == headerEnd * 255)
    #expect(refused > headerEnd * 255 * 9 / 10)
    #expect(same > 0)  // the padding's spaces may be other white space
  }

  @Test func everyPrefixIsRefused() {
    let bytes = Self.small.encoded()
    for count in 0..<bytes.count {
      #expect(throws: SafeTensorsError.self) { try SafeTensors(bytes: Array(bytes.prefix(count))) }
    }
  }

  /// Many random flips, insertions and deletions at once: an error or a file, never a trap.
  @Test func randomDamageNeverTraps() throws {
    var generator = SplitMix(state: 20_261_122)
    let seeds = [Self.small.encoded(), SafeTensorsTests.values.encoded()]
    var accepted = 0
    for round in 0..<20_000 {
      var bytes = seeds[round % 2]
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        // mostly in the header, where it matters
        let i = Int.random(in: 0..<min(bytes.count, 8 + Int.random(in: 1...500, using: &generator)), using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[i] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[i] = "{}[]\",:0123456789 \\u".utf8.randomElement(using: &generator)!
        case 2: bytes.insert("{}[]\",:0123456789 \\u".utf8.randomElement(using: &generator)!, at: i)
        default: bytes.remove(at: i)
        }
      }
      if let file = try? SafeTensors(bytes: bytes) {
        accepted += 1
        // what is accepted is whole: it can be looked at and written again
        for name in file.names { _ = try file.shape(name) }
        #expect(throws: Never.self) { try SafeTensors(bytes: file.encoded()) }
      }
    }
    #expect(accepted > 0)
    #expect(accepted < 20_000)
  }

  struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
      return z ^ z >> 31
    }
  }
}
