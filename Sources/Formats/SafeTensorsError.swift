// SafeTensorsError.swift — what can be wrong with a safetensors file, in one line each.

/// A safetensors file that could not be read, written or used: which file, what is wrong, what to do.
public struct SafeTensorsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The path, or "safetensors data" for bytes that came from elsewhere.
  public let file: String
  public let fault: Fault

  /// One case per rule of the format, and those of the file system and of the lookup.
  public enum Fault: Error, Equatable {
    // the file
    case unreadable(reason: String)
    case unwritable(reason: String)
    case tooShort(byteCount: Int)
    /// A file of another kind, in words.
    case otherKind(String)
    case headerTooLarge(headerSize: UInt64)
    case headerBeyondFile(headerSize: UInt64, byteCount: Int)
    // the header's JSON
    case headerIsNotAnObject
    case headerIsNotUTF8(offset: Int)
    case malformedHeader(expected: String, offset: Int)
    case duplicateKey(key: String)
    case metadataIsNotText(offset: Int)
    case tooManyEntries(limit: Int)
    // a tensor's description
    case unknownField(tensor: String, field: String)
    case missingField(tensor: String, field: String)
    case unknownElementType(tensor: String, name: String)
    case tooManyDimensions(tensor: String, limit: Int)
    case shapeOverflows(tensor: String)
    case isNotWholeBytes(tensor: String)
    // the data
    case offsetsReversed(tensor: String, begin: Int, end: Int)
    case sizeMismatch(tensor: String, expected: Int, found: Int)
    case hole(tensor: String, expected: Int, found: Int)
    case overlap(tensor: String, expected: Int, found: Int)
    case dataMissing(tensor: String, end: Int, byteCount: Int)
    case trailingBytes(count: Int)
    // a lookup
    case noSuchTensor(name: String, present: Int)
    case wrongElementType(tensor: String, wanted: String, found: String)
  }

  public var description: String { "\(oneLine(file)): \(fault.explanation)" }
}

extension SafeTensorsError.Fault {
  /// What is wrong and what to do, without the file's name.
  var explanation: String {
    switch self {
    case .unreadable(let reason): "cannot be read: \(reason)"
    case .unwritable(let reason): "cannot be written: \(reason)"
    case .tooShort(let count):
      "is \(count) bytes long, a safetensors file has at least 8; copy it again"
    case .otherKind(let kind):
      "is \(kind), not a safetensors file; give the right file"
    case .headerTooLarge(let size):
      "announces a header of \(size) bytes, more than 100000000; this is not a safetensors file"
    case .headerBeyondFile(let size, let count):
      "announces a header of \(size) bytes but is \(count) bytes long; it was cut off or is not a safetensors file"
    case .headerIsNotAnObject:
      "has a header that does not begin with {; this is not a safetensors file"
    case .headerIsNotUTF8(let offset):
      "has text at byte \(offset) of the header that is not UTF-8; write it again"
    case .malformedHeader(let expected, let offset):
      "has a malformed header: expected \(expected) at byte \(offset); write it again"
    case .duplicateKey(let key):
      "has the key \(quoted(key)) twice in its header; give every tensor its own name"
    case .metadataIsNotText(let offset):
      "has metadata at byte \(offset) of the header that is not text; write metadata as text to text"
    case .tooManyEntries(let limit):
      "has more than \(limit) entries in its header; split it into several files"
    case .unknownField(let tensor, let field):
      "describes \(quoted(tensor)) with an unknown field \(quoted(field)); only dtype, shape and data_offsets are known"
    case .missingField(let tensor, let field):
      "describes \(quoted(tensor)) without \(quoted(field)); write it again"
    case .unknownElementType(let tensor, let name):
      "has \(quoted(tensor)) of the unknown type \(quoted(name)); convert it to F32"
    case .tooManyDimensions(let tensor, let limit):
      "has \(quoted(tensor)) with more than \(limit) dimensions; reshape it"
    case .shapeOverflows(let tensor):
      "has \(quoted(tensor)) with a shape too large to count; write it again"
    case .isNotWholeBytes(let tensor):
      "has \(quoted(tensor)) whose elements do not fill whole bytes; pad its shape"
    case .offsetsReversed(let tensor, let begin, let end):
      "has \(quoted(tensor)) from byte \(begin) back to byte \(end); write it again"
    case .sizeMismatch(let tensor, let expected, let found):
      "has \(quoted(tensor)) in \(found) bytes, its shape and type need \(expected); write it again"
    case .hole(let tensor, let expected, let found):
      "has unused bytes before \(quoted(tensor)): it begins at \(found), not at \(expected); write it again"
    case .overlap(let tensor, let expected, let found):
      "has \(quoted(tensor)) over another tensor: it begins at \(found), not at \(expected); write it again"
    case .dataMissing(let tensor, let end, let count):
      "ends at byte \(count) of its data but \(quoted(tensor)) reaches to \(end); it was cut off, copy it again"
    case .trailingBytes(let count):
      "has \(count) bytes after its last tensor; it was appended to or is damaged, copy it again"
    case .noSuchTensor(let name, let present):
      "has no tensor \(quoted(name)) among its \(present); check that the file is the right kind"
    case .wrongElementType(let tensor, let wanted, let found):
      "has \(quoted(tensor)) as \(found), not as \(wanted); convert it"
    }
  }
}

/// `text` in quotes on one line, cut to a length that a person reads.
func quoted(_ text: String) -> String { "\"\(oneLine(text, limit: 100))\"" }

/// `text` with its control characters and line separators shown as escapes.
package func oneLine(_ text: String, limit: Int = 1000) -> String {
  var line = ""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    if index == limit { return line + "…" }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format: line += scalar.escaped(asASCII: true)
    default: line.unicodeScalars.append(scalar)
    }
  }
  return line
}
