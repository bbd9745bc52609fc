// Reference.swift — what the kernels' tests share: numbers to work on, and sums in double precision to hold theirs against.

import Formats
import Foundation
import Kernels

/// A file that Scripts/fixtures/adam.py wrote.
func fixture(_ name: String) throws -> SafeTensors {
  let url = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name).safetensors")
  return try SafeTensors(contentsOf: url.path)
}

/// `count` numbers in [−1, 1), the same for the same seed.
func numbers(_ count: Int, seed: Int) -> [Float] {
  // SplitMix64 (Steele et al. 2014)
  var state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15
  return (0..<count).map { _ in
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Float((z ^ (z >> 31)) >> 40) * 0x1p-23 - 1
  }
}

/// A sum of products in double precision, and what the same sum in single precision may be off by.
struct SumReference {
  private(set) var value = 0.0
  private var magnitude = 0.0
  private var terms = 0.0

  mutating func add(_ a: Float, _ b: Float) {
    let product = Double(a) * Double(b)
    value += product
    magnitude += abs(product)
    terms += 1
  }

  /// |err| ≤ 2 k u Σ |a| |b|, whatever the order of the k terms; u = 2⁻²⁴ (Higham 2002, section 3.1).
  func isNear(_ other: Float, rectified: Bool = false) -> Bool {
    abs(Double(other) - (rectified ? max(0, value) : value)) <= 2 * terms * 0x1p-24 * magnitude
  }
}

// MARK: matrices

/// What stands where a kernel has no business.
let untouched: Float = 123.5

extension Matrix {
  /// A matrix of row-major values.
  init(_ values: [Float], rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns)
    for row in 0..<rows { setRow(row, to: values.span.extracting(row * columns..<(row + 1) * columns)) }
  }

  /// The same value everywhere.
  init(repeating value: Float, rows: Int, columns: Int) {
    self.init([Float](repeating: value, count: rows * columns), rows: rows, columns: columns)
  }

  /// Row-major values.
  var values: [Float] {
    var result: [Float] = []
    result.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { result.append(at(row, column)) }
    }
    return result
  }

  /// An element, read where the layout says it is.
  func at(_ row: Int, _ column: Int) -> Float {
    pointer[column / panelWidth * stride + row * panelWidth + column % panelWidth]
  }

  /// The columns past the last one, and whatever lies between two panels.
  var isPaddingZero: Bool {
    for panel in 0..<panels {
      for index in 0..<stride {
        let isElement = index / panelWidth < rows && panel * panelWidth + index % panelWidth < columns
        if !isElement && pointer[panel * stride + index] != 0 { return false }
      }
    }
    return true
  }
}

extension Block {
  init(_ values: [Float]) {
    self.init(count: values.count)
    set(values)
  }
}

/// The bits of some numbers: equal where NaN equals NaN, and zero is not minus zero.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

// MARK: layers

/// A dense layer's weights (I × O, row-major) and biases (O).
struct LayerReference {
  let inputs: Int
  let outputs: Int
  let weights: [Float]
  let biases: [Float]

  init(inputs: Int, outputs: Int, seed: Int) {
    (self.inputs, self.outputs) = (inputs, outputs)
    weights = numbers(inputs * outputs, seed: seed)
    biases = numbers(outputs, seed: seed + 1)
  }

  /// The parameters as the kernels keep them: (I + 1) × 16 for each panel of outputs, the bias last.
  var panels: [Float] {
    var result = [Float](repeating: 0, count: denseParameterCount(inputs: inputs, outputs: outputs))
    for output in 0..<outputs {
      for input in 0...inputs {
        result[Self.index(input, output, inputs: inputs)] =
          input == inputs ? biases[output] : weights[input * outputs + output]
      }
    }
    return result
  }

  /// The weights of the inputs from `first` on as the input gradient needs them: O × 16 for each panel of inputs.
  func transposed(from first: Int) -> [Float] {
    var result = [Float](repeating: 0, count: denseTransposedCount(inputs: inputs - first, outputs: outputs))
    for input in first..<inputs {
      let column = input - first
      for output in 0..<outputs {
        result[column / 16 * outputs * 16 + output * 16 + column % 16] = weights[input * outputs + output]
      }
    }
    return result
  }

  /// Where weight (input, output) is; the bias is the input after the last.
  static func index(_ input: Int, _ output: Int, inputs: Int) -> Int {
    output / 16 * (inputs + 1) * 16 + input * 16 + output % 16
  }
}
