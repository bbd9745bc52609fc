// SafeTensors.swift — named arrays of numbers in one file that every machine-learning tool reads and writes.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The contents of a safetensors file: named tensors, row-major, and text about them.
///
/// ```swift
/// var file = SafeTensors()
/// file.metadata["algorithm"] = "sac"
/// file.add("policy.mean.bias", floats: [0.5, -0.5], shape: [2])
/// try file.write(to: "policy.safetensors")
/// print(try SafeTensors(contentsOf: "policy.safetensors").floats("policy.mean.bias"))  // [0.5, -0.5]
/// ```
/// Reading refuses every file that breaks a rule of the format. A tensor's name is compared as Swift compares text.
public struct SafeTensors: Sendable {
  /// Text about the tensors, written into the header.
  public var metadata: [String: String] = [:]

  private var tensors: [String: Tensor] = [:]
  /// What errors call the contents.
  private var file = "safetensors data"

  private struct Tensor: Sendable {
    var type: ElementType
    var shape: [Int]
    var data: Data  // little-endian; a view of the file where it was read
  }

  /// Nothing yet; `add` follows.
  public init() {}

  /// Reads the bytes of a file.
  public init(bytes: [UInt8]) throws(SafeTensorsError) {
    try self.init(Data(bytes), file: "safetensors data")
  }

  /// Reads the file at `path`.
  public init(contentsOf path: String) throws(SafeTensorsError) {
    try self.init(FileAccess.read(path), file: path)
  }

  /// - Parameter file: what errors call it.
  package init(_ bytes: Data, file: String) throws(SafeTensorsError) {
    self.file = file
    let header: SafeTensorsHeader
    do { header = try SafeTensorsHeader(of: bytes) } catch { throw SafeTensorsError(file: file, fault: error) }
    metadata = header.metadata
    let start = bytes.startIndex + header.dataOffset
    for tensor in header.tensors {
      let data = bytes[start + tensor.begin..<start + tensor.end]
      tensors[tensor.name] = Tensor(type: tensor.type, shape: tensor.shape, data: data)
    }
  }

  // MARK: Reading

  /// The tensors' names, in ascending order.
  public var names: [String] { tensors.keys.sorted() }

  /// Whether there is a tensor of that name.
  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  /// The sizes of a tensor's dimensions; empty for a single number.
  public func shape(_ name: String) throws(SafeTensorsError) -> [Int] { try tensor(name).shape }

  /// The type of a tensor's elements.
  public func elementType(_ name: String) throws(SafeTensorsError) -> ElementType { try tensor(name).type }

  /// The elements of an F32 tensor, or of an F64 tensor rounded to the nearest `Float`.
  public func floats(_ name: String) throws(SafeTensorsError) -> [Float] {
    let tensor = try tensor(name, types: [.float32, .float64])
    return tensor.type == .float32
      ? tensor.data.words32 { Float(bitPattern: $0) } : tensor.data.words64 { Float(Double(bitPattern: $0)) }
  }

  /// The elements of an F64 or F32 tensor.
  public func doubles(_ name: String) throws(SafeTensorsError) -> [Double] {
    let tensor = try tensor(name, types: [.float64, .float32])
    return tensor.type == .float64
      ? tensor.data.words64 { Double(bitPattern: $0) } : tensor.data.words32 { Double(Float(bitPattern: $0)) }
  }

  /// The elements of a U8 or BOOL tensor.
  public func bytes(_ name: String) throws(SafeTensorsError) -> [UInt8] {
    [UInt8](try tensor(name, types: [.uint8, .bool]).data)
  }

  /// The elements of a U64 tensor, or the bit patterns of an I64 tensor's.
  public func integers64(_ name: String) throws(SafeTensorsError) -> [UInt64] {
    try tensor(name, types: [.uint64, .int64]).data.words64 { $0 }
  }

  private func tensor(_ name: String) throws(SafeTensorsError) -> Tensor {
    guard let tensor = tensors[name] else {
      throw SafeTensorsError(file: file, fault: .noSuchTensor(name: name, present: tensors.count))
    }
    return tensor
  }

  private func tensor(_ name: String, types: [ElementType]) throws(SafeTensorsError) -> Tensor {
    let tensor = try tensor(name)
    guard types.contains(tensor.type) else {
      let wanted = types.map(\.rawValue).joined(separator: " or ")
      let fault = SafeTensorsError.Fault.wrongElementType(tensor: name, wanted: wanted, found: tensor.type.rawValue)
      throw SafeTensorsError(file: file, fault: fault)
    }
    return tensor
  }

  // MARK: Adding

  /// Adds an F32 tensor.
  ///
  /// - Precondition: the name is new, and the product of `shape` is the number of elements.
  public mutating func add(_ name: String, floats: [Float], shape: [Int]) {
    add(name, .float32, Data(words32: floats) { $0.bitPattern }, shape)
  }

  /// Adds an F64 tensor.
  ///
  /// - Precondition: the name is new, and the product of `shape` is the number of elements.
  public mutating func add(_ name: String, doubles: [Double], shape: [Int]) {
    add(name, .float64, Data(words64: doubles) { $0.bitPattern }, shape)
  }

  /// Adds a U8 tensor.
  ///
  /// - Precondition: the name is new, and the product of `shape` is the number of elements.
  public mutating func add(_ name: String, bytes: [UInt8], shape: [Int]) {
    add(name, .uint8, Data(bytes), shape)
  }

  /// Adds a U64 tensor.
  ///
  /// - Precondition: the name is new, and the product of `shape` is the number of elements.
  public mutating func add(_ name: String, uint64s: [UInt64], shape: [Int]) {
    add(name, .uint64, Data(words64: uint64s) { $0 }, shape)
  }

  private mutating func add(_ name: String, _ type: ElementType, _ data: Data, _ shape: [Int]) {
    precondition(name != "__metadata__", "a tensor cannot be called __metadata__")
    precondition(tensors[name] == nil, "the tensor \(quoted(name)) was added before")
    precondition(shape.count <= Limit.dimensions, "the shape \(shape) of \(quoted(name)) has too many dimensions")
    precondition(shape.allSatisfy { $0 >= 0 }, "the shape \(shape) of \(quoted(name)) has a negative size")
    let count = data.count / (type.bitCount / 8)
    precondition(shape.reduce(1, *) == count, "the shape \(shape) of \(quoted(name)) does not hold \(count) elements")
    tensors[name] = Tensor(type: type, shape: shape, data: data)
  }

  /// A hash of all tensors: names, shapes and bytes.
  public var digest: String {
    var digest = Digest()
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      digest.add("\(name) \(tensor.type.rawValue) \(tensor.shape)")
      digest.add(tensor.data)
    }
    return digest.text
  }

  // MARK: Writing

  /// The bytes of the file: the same contents give the same bytes.
  public func encoded() -> [UInt8] { [UInt8](encodedData()) }

  /// Writes the file beside `path` first, to the disk's surface, and then renames it: whatever happens, `path` is the
  /// whole old file or the whole new one.
  public func write(to path: String) throws(SafeTensorsError) {
    do {
      try encodedData().write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw SafeTensorsError(file: path, fault: .unwritable(reason: FileAccess.reason(of: error)))
    }
  }

  package func encodedData() -> Data {
    // the largest elements first, so that every tensor is aligned to its elements; then by name
    let order = tensors.sorted { a, b in
      a.value.type == b.value.type
        ? a.key.utf8.lexicographicallyPrecedes(b.key.utf8) : a.value.type.rank > b.value.type.rank
    }
    var entries: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(json($0.key)):\(json($0.value))" }
      entries.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var end = 0
    for (name, tensor) in order {
      let begin = end
      end += tensor.data.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      entries.append(
        "\(json(name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}")
    }
    var header = [UInt8]("{\(entries.joined(separator: ","))}".utf8)
    header += Array(repeating: UInt8(ascii: " "), count: -header.count & 7)

    var bytes = Data(capacity: 8 + header.count + end)
    for i in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: header.count >> (8 * i))) }
    bytes.append(contentsOf: header)
    for (_, tensor) in order { bytes.append(tensor.data) }
    return bytes
  }
}

/// `text` as JSON writes it.
private func json(_ text: String) -> String {
  var literal = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": literal += "\\\""
    case "\\": literal += "\\\\"
    case "\u{8}": literal += "\\b"
    case "\u{C}": literal += "\\f"
    case "\n": literal += "\\n"
    case "\r": literal += "\\r"
    case "\t": literal += "\\t"
    case "\0"..<" ":
      let digits = String(scalar.value, radix: 16)
      literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: literal.unicodeScalars.append(scalar)
    }
  }
  return literal + "\""
}
