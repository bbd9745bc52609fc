// SafeTensorsError.swift — what can be wrong with a safetensors file, in one line each.

/// A safetensors file that could not be read, written or used: which file, what is wrong, what to do.
public struct SafeTensorsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The path, or "safetensors data" for bytes that came from elsewhere.
  public let file: String
  /// What is wrong.
  public let fault: Fault

  /// One case per rule of the format, and those of the file system and of the lookup.
  public enum Fault: Error, Equatable {
    // the file
    /// It cannot be read.
    case unreadable(reason: String)
    /// It cannot be written.
    case unwritable(reason: String)
    /// It is shorter than the length of a header.
    case tooShort(byteCount: Int)
    /// A file of another kind, in words.
    case otherKind(String)
    /// The header is larger than the format allows.
    case headerTooLarge(headerSize: UInt64)
    /// The header goes beyond the file's end.
    case headerBeyondFile(headerSize: UInt64, byteCount: Int)
    // the header's JSON
    /// The header is no JSON object.
    case headerIsNotAnObject
    /// The header is not UTF-8, from this byte on.
    case headerIsNotUTF8(offset: Int)
    /// The header's JSON is broken, at this byte.
    case malformedHeader(expected: String, offset: Int)
    /// A name occurs twice.
    case duplicateKey(key: String)
    /// A value of the metadata is not a text.
    case metadataIsNotText(offset: Int)
    /// There are more tensors than a reader takes.
    case tooManyEntries(limit: Int)
    // a tensor's description
    /// A tensor's description has a field that the format does not know.
    case unknownField(tensor: String, field: String)
    /// A tensor's description lacks a field.
    case missingField(tensor: String, field: String)
    /// A tensor has elements of a type that the format does not know.
    case unknownElementType(tensor: String, name: String)
    /// A tensor has more dimensions than a reader takes.
    case tooManyDimensions(tensor: String, limit: Int)
    /// A tensor's number of elements is beyond every number.
    case shapeOverflows(tensor: String)
    /// A tensor's elements do not fill whole bytes.
    case isNotWholeBytes(tensor: String)
    // the data
    /// A tensor's data end before they begin.
    case offsetsReversed(tensor: String, begin: Int, end: Int)
    /// A tensor's data have another size than its shape and type say.
    case sizeMismatch(tensor: String, expected: Int, found: Int)
    /// Bytes between two tensors belong to none.
    case hole(tensor: String, expected: Int, found: Int)
    /// Two tensors lie over each other.
    case overlap(tensor: String, expected: Int, found: Int)
    /// A tensor's data go beyond the file's end.
    case dataMissing(tensor: String, end: Int, byteCount: Int)
    /// Bytes after the last tensor belong to none.
    case trailingBytes(count: Int)
    // a lookup
    /// There is no tensor of that name.
    case noSuchTensor(name: String, present: Int)
    /// A tensor has elements of another type than was asked for.
    case wrongElementType(tensor: String, wanted: String, found: String)
  }

  /// The file and the fault, in one line.
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
