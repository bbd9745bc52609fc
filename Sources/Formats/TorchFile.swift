// TorchFile.swift — PyTorch's .pth files, written without PyTorch: a zip with a pickle and the tensors' numbers.
//
//   archive/data.pkl    what there is: names, shapes, and which numbers belong to which tensor
//   archive/byteorder   little
//   archive/data/0 …    the numbers, one entry per tensor
//   archive/version     3

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What `torch.load` reads. Tensors are added first, and stand in the value where they belong.
package struct TorchFile {
  private var storages: [Data] = []

  /// No tensors yet.
  package init() {}

  /// Adds a tensor of float32 numbers, in the order of its rows, and gives what stands for it in the value.
  package mutating func tensor(_ values: [Float], shape: [Int]) -> PickleValue {
    var strides = shape
    var stride = 1
    for axis in shape.indices.reversed() { (strides[axis], stride) = (stride, stride * shape[axis]) }
    precondition(values.count == stride, "\(values.count) values for the shape \(shape)")
    let storage = PickleValue.persistent(
      .tuple([
        .text("storage"), .name("torch", "FloatStorage"), .text("\(storages.count)"), .text("cpu"),
        .whole(values.count),
      ]))
    storages.append(Data(words32: values) { $0.bitPattern })
    return .call(
      .name("torch._utils", "_rebuild_tensor_v2"),
      [
        storage, .whole(0), .tuple(shape.map { .whole($0) }), .tuple(strides.map { .whole($0) }), .bool(false),
        .call(.name("collections", "OrderedDict"), []),
      ])
  }

  /// The file's bytes.
  ///
  /// - Parameter path: what messages call it.
  package func encoded(_ value: PickleValue, path: String) throws(DataFileError) -> Data {
    var members: [(name: String, data: Data)] = [
      ("archive/data.pkl", Data(value.pickled)), ("archive/byteorder", Data("little".utf8)),
    ]
    for (key, storage) in storages.enumerated() { members.append(("archive/data/\(key)", storage)) }
    members.append(("archive/version", Data("3\n".utf8)))
    return try ZIPArchive.encode(members, path: path)
  }
}
