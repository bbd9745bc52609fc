// ONNXReader.swift — reads an ONNX file field by field and runs its graph in double precision: a slow twin of a runtime.

import Foundation

/// A message of Protocol Buffers as its fields, in the order of the file.
struct ProtobufFields {
  enum Value: Equatable {
    case number(Int)
    case bytes([UInt8])
  }

  private(set) var fields: [(number: Int, value: Value)] = []

  struct Broken: Error {}

  init(_ bytes: [UInt8]) throws {
    var at = 0
    func varint() throws -> Int {
      var (value, shift) = (0, 0)
      while true {
        guard at < bytes.count, shift < 63 else { throw Broken() }
        let byte = bytes[at]
        at += 1
        value |= Int(byte & 0x7f) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
    }
    while at < bytes.count {
      let key = try varint()
      switch key & 7 {
      case 0: fields.append((key >> 3, .number(try varint())))
      case 2:
        let count = try varint()
        guard count <= bytes.count - at else { throw Broken() }
        fields.append((key >> 3, .bytes(Array(bytes[at..<at + count]))))
        at += count
      default: throw Broken()
      }
    }
  }

  func all(_ number: Int) -> [[UInt8]] {
    fields.compactMap { field in
      if field.number == number, case .bytes(let bytes) = field.value { bytes } else { nil }
    }
  }

  func numbers(_ number: Int) -> [Int] {
    fields.compactMap { field in
      if field.number == number, case .number(let value) = field.value { value } else { nil }
    }
  }

  func texts(_ number: Int) -> [String] { all(number).map { String(decoding: $0, as: UTF8.self) } }
  func messages(_ number: Int) throws -> [ProtobufFields] { try all(number).map(ProtobufFields.init) }
}

/// A graph of the operators that exports use, run on one row.
struct ONNXReader {
  struct Node {
    let operation: String
    let inputs: [String]
    let outputs: [String]
    let attributes: [String: Int]
  }

  let irVersion: Int
  let opset: Int
  let producer: [String]
  let nodes: [Node]
  let constants: [String: (shape: [Int], values: [Double])]
  /// Name, type of elements, sizes (0 where any size will do).
  let inputs: [(name: String, type: Int, sizes: [Int])]
  let outputs: [(name: String, type: Int, sizes: [Int])]
  let metadata: [String: String]

  init(_ bytes: [UInt8]) throws {
    let model = try ProtobufFields(bytes)
    let graph = try model.messages(7)[0]
    irVersion = model.numbers(1)[0]
    opset = try model.messages(8)[0].numbers(2)[0]
    producer = model.texts(2) + model.texts(3)
    nodes = try graph.messages(1).map { node in
      let attributes = try node.messages(5).map { ($0.texts(1)[0], $0.numbers(3)[0]) }
      return Node(
        operation: node.texts(4)[0], inputs: node.texts(1), outputs: node.texts(2),
        attributes: Dictionary(uniqueKeysWithValues: attributes))
    }
    let tensors = try graph.messages(5).map { tensor -> (String, (shape: [Int], values: [Double])) in
      let data = tensor.all(9)[0]
      let values = stride(from: 0, to: data.count, by: 4).map { at in
        Double(Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[at + $1]) << UInt32(8 * $1) }))
      }
      return (tensor.texts(8)[0], (tensor.numbers(1), values))
    }
    constants = Dictionary(uniqueKeysWithValues: tensors)
    func values(_ field: Int) throws -> [(name: String, type: Int, sizes: [Int])] {
      try graph.messages(field).map { value in
        let tensor = try value.messages(2)[0].messages(1)[0]
        let sizes = try tensor.messages(2)[0].messages(1).map { $0.numbers(1).first ?? 0 }
        return (value.texts(1)[0], tensor.numbers(1)[0], sizes)
      }
    }
    inputs = try values(11)
    outputs = try values(12)
    metadata = Dictionary(uniqueKeysWithValues: try model.messages(14).map { ($0.texts(1)[0], $0.texts(2)[0]) })
  }

  struct Unknown: Error {
    let operation: String
  }

  /// The output for one row of each input.
  func run(_ rows: [String: [Double]]) throws -> [Double] {
    var values = rows.merging(constants.mapValues(\.values)) { first, _ in first }
    for node in nodes {
      let x = try node.inputs.map { name in
        // each is computed before it is used
        guard let value = values[name] else { throw Unknown(operation: name) }
        return value
      }
      func pairs(_ body: (Double, Double) -> Double) -> [Double] {
        let count = max(x[0].count, x[1].count)
        return (0..<count).map { body(x[0].count == 1 ? x[0][0] : x[0][$0], x[1].count == 1 ? x[1][0] : x[1][$0]) }
      }
      let result: [Double]
      switch node.operation {
      case "Sub": result = pairs(-)
      case "Add": result = pairs(+)
      case "Mul": result = pairs(*)
      case "Div": result = pairs(/)
      case "Max": result = pairs(max)
      case "Min": result = pairs(min)
      case "Relu": result = x[0].map { max(0, $0) }
      case "Elu" where node.attributes.isEmpty: result = x[0].map { $0 > 0 ? $0 : exp($0) - 1 }
      case "Sigmoid": result = x[0].map { 1 / (1 + exp(-$0)) }
      case "Tanh": result = x[0].map(tanh)
      case "Exp": result = x[0].map(exp)
      case "Log": result = x[0].map(log)
      case "Neg": result = x[0].map(-)
      case "Clip": result = x[0].map { min(x[2][0], max(x[1][0], $0)) }
      case "Gemm" where node.attributes == ["transB": 1]:
        let shape = constants[node.inputs[1]]?.shape ?? []
        guard shape == [x[2].count, x[0].count] else { throw Unknown(operation: "Gemm of \(shape)") }
        result = x[2].indices.map { j in
          x[0].indices.reduce(x[2][j]) { $0 + x[1][j * x[0].count + $1] * x[0][$1] }
        }
      case "ArgMax" where node.attributes == ["axis": 1, "keepdims": 0, "select_last_index": 0]:
        result = [Double(x[0].firstIndex(of: x[0].max() ?? .nan) ?? -1)]
      default: throw Unknown(operation: node.operation)
      }
      values[node.outputs[0]] = result
    }
    return values[outputs[0].name] ?? []
  }
}
