// NetworkReference.swift — a multilayer perceptron in double precision, slowly, and what the networks' tests share.

import Formats
import Foundation
import Kernels
import Networks

/// A file that Scripts/fixtures/gaussian.py wrote.
func fixture(_ name: String) throws -> SafeTensors {
  let url = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name).safetensors")
  return try SafeTensors(contentsOf: url.path)
}

/// `count` numbers in [−1, 1), the same for the same seed.
func numbers(_ count: Int, seed: UInt64) -> [Float] {
  var stream = RandomStream(seed: seed, purpose: "test")
  return (0..<count).map { _ in 2 * stream.uniform() - 1 }
}

/// Hidden layers rectified, the last ones not, from tensors as PyTorch would read them: weights [out, in].
struct NetworkReference {
  var names: [String]
  var shapes: [[Int]]
  /// Each tensor's values, in the order of `names`.
  var values: [[Double]]

  init(_ tensors: [Tensor]) {
    names = tensors.map(\.name)
    shapes = tensors.map(\.shape)
    values = tensors.map { $0.values.map(Double.init) }
  }

  /// What the heads give for one input, and how near to zero any rectified sum came.
  func forward(_ input: [Double]) -> (outputs: [Double], kink: Double) {
    var hidden = input
    var outputs: [Double] = []
    var kink = Double.infinity
    for k in stride(from: 0, to: names.count, by: 2) {
      let (rows, columns) = (shapes[k][0], shapes[k][1])
      precondition(columns == hidden.count && shapes[k + 1] == [rows])
      var sums = values[k + 1]
      for row in 0..<rows {
        for column in 0..<columns { sums[row] += values[k][row * columns + column] * hidden[column] }
      }
      // hidden layers are numbered; the last numbered layer is an output where no named head follows
      let isHidden = names[k].contains("layer.") && k + 2 < names.count
      if isHidden {
        kink = min(kink, sums.map(abs).min()!)
        hidden = sums.map { max(0, $0) }
      } else {
        outputs += sums
      }
    }
    return (outputs, kink)
  }

  /// ∂loss/∂θ by central differences, tensor by tensor.
  func gradient(_ loss: (NetworkReference) -> Double) -> [[Double]] {
    let h = 1e-6
    var changed = self
    return values.indices.map { tensor in
      values[tensor].indices.map { i in
        let value = values[tensor][i]
        changed.values[tensor][i] = value + h
        let up = loss(changed)
        changed.values[tensor][i] = value - h
        let down = loss(changed)
        changed.values[tensor][i] = value
        return (up - down) / (2 * h)
      }
    }
  }
}

/// The first element of a gradient that is not within 1e-3 of the finite difference, small ones within 1e-5 of the
/// tensor's largest; nil if none.
func firstDifference(_ gradients: [Tensor], _ expected: [[Double]]) -> String? {
  guard gradients.count == expected.count else { return "\(gradients.count) tensors, not \(expected.count)" }
  for (tensor, reference) in zip(gradients, expected) {
    let largest = reference.map(abs).max() ?? 0
    guard largest > 0 else { return "no gradient in \(tensor.name)" }
    for i in reference.indices {
      let error = abs(Double(tensor.values[i]) - reference[i])
      if !(error <= 1e-3 * abs(reference[i]) + 1e-5 * largest) {
        return "\(tensor.name)[\(i)] is \(tensor.values[i]), not \(reference[i])"
      }
    }
  }
  return nil
}

/// Rows of inputs on which no network comes within 1e-4 of a kink.
func inputsOffKinks(_ networks: [NetworkReference], rows: Int, size: Int, seed: UInt64) -> [Float] {
  var result: [Float] = []
  var attempt = seed
  while result.count < rows * size {
    attempt += 1000
    let row = numbers(size, seed: attempt)
    if networks.allSatisfy({ $0.forward(row.map(Double.init)).kink > 1e-4 }) { result += row }
  }
  return result
}

extension Matrix {
  init(_ values: [Float], rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns)
    for row in 0..<rows { setRow(row, to: values.span.extracting(row * columns..<(row + 1) * columns)) }
  }

  var values: [Float] { (0..<rows).flatMap { row in (0..<columns).map { self[row, $0] } } }
}

extension Block {
  /// Importance weights that change nothing.
  static func ones(_ count: Int) -> Block { Block([Float](repeating: 1, count: count)) }

  init(_ values: [Float]) {
    self.init(count: values.count)
    set(values)
  }
}

extension [Float] {
  func row(_ row: Int, of size: Int) -> [Double] { self[row * size..<(row + 1) * size].map(Double.init) }

  var bits: [UInt32] { map(\.bitPattern) }
}

/// Finds tensors by name, as a file would.
func finder(_ tensors: [Tensor]) -> (String) throws -> Tensor {
  { name in
    guard let tensor = tensors.first(where: { $0.name == name }) else { throw TensorMismatch("no \(name)") }
    return tensor
  }
}
