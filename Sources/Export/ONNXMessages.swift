// ONNXMessages.swift — the dozen messages of onnx.proto that a policy's graph needs, encoded as Protocol Buffers.
//
// Each message writes its fields in ascending order of their numbers, as Google's encoder does: the bytes are those that the
// Python package onnx writes for the same model (Scripts/fixtures/onnx_model.py).

/// A message of Protocol Buffers: fields in the order in which they are added.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  /// An integer, not below 0.
  mutating func add(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(value))
  }

  mutating func add(_ field: Int, _ content: [UInt8]) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(content.count))
    bytes += content
  }

  mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }
  mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, message.bytes) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// The types of elements that are used.
enum ONNXType: Int {
  case float = 1
  case int64 = 7
}

/// One size of an input or output.
enum ONNXSize {
  case fixed(Int)
  /// Any size; the same name means the same size.
  case named(String)
}

/// NodeProto: an operator, its inputs and its output.
struct ONNXNode {
  let operation: String
  let inputs: [String]
  let output: String
  var attributes: [(name: String, value: Int)] = []

  var message: ProtobufMessage {
    var node = ProtobufMessage()
    for input in inputs { node.add(1, input) }
    node.add(2, output)
    node.add(3, "\(output)_node")
    node.add(4, operation)
    for (name, value) in attributes {
      // AttributeProto: name = 1, i = 3, type = 20, whose value 2 is INT
      var attribute = ProtobufMessage()
      attribute.add(1, name)
      attribute.add(3, value)
      attribute.add(20, 2)
      node.add(5, attribute)
    }
    return node
  }
}

/// TensorProto: a constant of the graph.
struct ONNXConstant {
  let name: String
  let shape: [Int]
  let values: [Float]

  var message: ProtobufMessage {
    var tensor = ProtobufMessage()
    for size in shape { tensor.add(1, size) }
    tensor.add(2, ONNXType.float.rawValue)
    tensor.add(8, name)
    var data: [UInt8] = []
    data.reserveCapacity(4 * values.count)
    for value in values {
      let word = value.bitPattern
      for shift in stride(from: UInt32(0), to: 32, by: 8) { data.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    tensor.add(9, data)
    return tensor
  }
}

/// ValueInfoProto: the name, type and sizes of an input or output.
struct ONNXValue {
  let name: String
  let type: ONNXType
  let sizes: [ONNXSize]

  var message: ProtobufMessage {
    var shape = ProtobufMessage()
    for size in sizes {
      // TensorShapeProto.Dimension: dim_value = 1 or dim_param = 2
      var dimension = ProtobufMessage()
      switch size {
      case .fixed(let count): dimension.add(1, count)
      case .named(let name): dimension.add(2, name)
      }
      shape.add(1, dimension)
    }
    var tensor = ProtobufMessage()  // TypeProto.Tensor
    tensor.add(1, type.rawValue)
    tensor.add(2, shape)
    var kind = ProtobufMessage()  // TypeProto: tensor_type = 1
    kind.add(1, tensor)
    var value = ProtobufMessage()
    value.add(1, name)
    value.add(2, kind)
    return value
  }
}

/// ModelProto with its GraphProto.
struct ONNXModel {
  var irVersion: Int
  var opset: Int
  var producerVersion: String
  var graphName: String
  var nodes: [ONNXNode] = []
  var constants: [ONNXConstant] = []
  var inputs: [ONNXValue] = []
  var outputs: [ONNXValue] = []
  /// Text about the model, in ascending order of the keys.
  var metadata: [String: String] = [:]

  var bytes: [UInt8] {
    var graph = ProtobufMessage()
    for node in nodes { graph.add(1, node.message) }
    graph.add(2, graphName)
    for constant in constants { graph.add(5, constant.message) }
    for input in inputs { graph.add(11, input.message) }
    for output in outputs { graph.add(12, output.message) }

    var operators = ProtobufMessage()  // OperatorSetIdProto: the domain "" and its version
    operators.add(1, "")
    operators.add(2, opset)

    var model = ProtobufMessage()
    model.add(1, irVersion)
    model.add(2, "swift-offpolicy")
    model.add(3, producerVersion)
    model.add(7, graph)
    model.add(8, operators)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      var entry = ProtobufMessage()  // StringStringEntryProto
      entry.add(1, key)
      entry.add(2, value)
      model.add(14, entry)
    }
    return model.bytes
  }
}
