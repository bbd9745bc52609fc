// Pickle.swift — values written as Python's pickles of protocol 2: the few instructions that model files of others need.
//
// Nothing is ever read here: a pickle from elsewhere is a program. What is written calls nothing but what the file's readers
// have themselves.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A value of Python, or a note of what is to be made when the pickle is read.
package indirect enum PickleValue {
  case none
  case bool(Bool)
  case whole(Int)
  case number(Double)
  case text(String)
  /// A function or class, by its module and name.
  case name(String, String)
  /// What a function gives for some arguments.
  case call(PickleValue, [PickleValue])
  /// What the reader finds beside the pickle.
  case persistent(PickleValue)
  case tuple([PickleValue])
  case list([PickleValue])
  /// Keys and values, in the order in which a reader finds them.
  case dictionary([(PickleValue, PickleValue)])

  /// The whole pickle.
  package var pickled: [UInt8] {
    var bytes: [UInt8] = [0x80, 2]
    write(into: &bytes)
    bytes.append(UInt8(ascii: "."))
    return bytes
  }

  /// The pickle as text, for JSON.
  package var base64: String { Data(pickled).base64EncodedString() }

  private func write(into bytes: inout [UInt8]) {
    func code(_ letter: Unicode.Scalar) { bytes.append(UInt8(ascii: letter)) }
    func number(_ value: UInt64, _ count: Int) {
      for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
    }
    switch self {
    case .none: code("N")
    case .bool(let value): bytes.append(value ? 0x88 : 0x89)
    case .whole(let value):
      if let short = Int32(exactly: value) {
        code("J")
        number(UInt64(truncatingIfNeeded: short), 4)
      } else {
        // as few bytes of two's complement as there may be, their count before them
        let count = (Int.bitWidth - value.magnitude.leadingZeroBitCount) / 8 + 1
        bytes += [0x8a, UInt8(count)]
        for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
      }
    case .number(let value):
      code("G")
      number(value.bitPattern.byteSwapped, 8)
    case .text(let value):
      code("X")
      number(UInt64(value.utf8.count), 4)
      bytes += value.utf8
    case .name(let module, let name):
      code("c")
      bytes += "\(module)\n\(name)\n".utf8
    case .call(let function, let arguments):
      function.write(into: &bytes)
      PickleValue.tuple(arguments).write(into: &bytes)
      code("R")
    case .persistent(let value):
      value.write(into: &bytes)
      code("Q")
    case .tuple(let values):
      if values.isEmpty { return code(")") }
      code("(")
      for value in values { value.write(into: &bytes) }
      code("t")
    case .list(let values):
      code("]")
      code("(")
      for value in values { value.write(into: &bytes) }
      code("e")
    case .dictionary(let pairs):
      code("}")
      code("(")
      for (key, value) in pairs {
        key.write(into: &bytes)
        value.write(into: &bytes)
      }
      code("u")
    }
  }
}
