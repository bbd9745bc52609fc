import Kernels
import Testing
import Vector
import Vector512

/// Products that skip zeros against the same products that do not, bit for bit.
@Suite struct NonzerosTests {
  /// Rows and steps below, at and past a group and a word of marks; columns at and past eight panels.
  static let shapes = [
    (1, 32, 128), (2, 33, 130), (7, 64, 128), (33, 65, 140), (67, 130, 200), (64, 256, 256), (100, 64, 160),
    (3, 300, 400),
  ]

  /// The share of values that are not zero, and their size: products of tiny ones are zeros, of either sign.
  static let fillings: [(density: Float, size: Float)] = [
    (0, 1), (0.1, 1), (0.5, 1), (0.6, 1), (0, 1e-25), (0.5, 1e-25),
  ]

  /// Some values zero at random, and some columns zero throughout, as units are.
  private func sparse(_ rows: Int, _ columns: Int, density: Float, size: Float = 1, seed: Int) -> [Float] {
    let values = numbers(rows * columns, seed: seed)
    let chances = numbers(rows * columns, seed: seed + 1)
    let units = numbers(columns, seed: seed + 2)
    return values.indices.map { abs(chances[$0]) < density && abs(units[$0 % columns]) < 0.8 ? values[$0] * size : 0 }
  }

  /// The columns past the last one, which no product may read.
  private func fillPadding(of x: borrowing Matrix, with value: Float) {
    for row in 0..<x.rows {
      for column in x.columns..<x.panels * panelWidth {
        x.pointer[column / panelWidth * x.stride + row * panelWidth + column % panelWidth] = value
      }
    }
  }

  /// Whether a product writes the same with and without memory for marks, and nothing past that memory.
  private func skipsToTheSameBits(
    _ count: Int, marks size: Int, _ product: (UnsafeMutablePointer<Float>, UnsafeMutableRawPointer?) -> Void
  ) -> Bool {
    let (beyond, unwritten) = (256, UInt8(0xa5))
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size + beyond, alignment: 64)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: unwritten, count: size + beyond)
    let whole = Block([Float](repeating: untouched, count: count))
    let skipping = Block([Float](repeating: untouched, count: count))
    product(whole.pointer, nil)
    product(skipping.pointer, memory)
    let after = UnsafeRawBufferPointer(start: memory + size, count: beyond)
    let used = UnsafeRawBufferPointer(start: memory, count: size).contains { $0 != unwritten }
    return bits(whole.values) == bits(skipping.values) && after.allSatisfy { $0 == unwritten } && used
  }

  @Test(arguments: shapes, fillings)
  func `a layer's output has the same bits`(shape: (Int, Int, Int), filling: (density: Float, size: Float)) {
    let (rows, inputs, outputs) = shape
    let (density, size) = filling
    let x = Matrix(sparse(rows, inputs, density: density, size: size, seed: 1), rows: rows, columns: inputs)
    fillPadding(of: x, with: .nan)
    let y = Matrix(rows: rows, columns: outputs)
    let weights = Block(LayerReference(inputs: inputs, outputs: outputs, seed: 4).panels.map { $0 * size * size })
    for rectify in [false, true] {
      #expect(
        skipsToTheSameBits(y.panels * y.stride, marks: Vector.nonzerosByteCount(rows: rows, steps: inputs)) {
          Vector.denseForward(
            rows: rows, x.pointer, x.stride, inputs, x.pointer, x.stride, 0, weights.pointer, panels: y.panels, $0,
            y.stride, rectify: rectify, $1)
        })
      guard Processor.instructionSet == .wide else { continue }
      #expect(
        skipsToTheSameBits(y.panels * y.stride, marks: Vector512.nonzerosByteCount(rows: rows, steps: inputs)) {
          Vector512.denseForward(
            rows: rows, x.pointer, x.stride, inputs, x.pointer, x.stride, 0, weights.pointer, panels: y.panels, $0,
            y.stride, rectify: rectify, $1)
        })
    }
  }

  @Test(arguments: shapes, fillings)
  func `a gradient passed back has the same bits`(shape: (Int, Int, Int), filling: (density: Float, size: Float)) {
    let (rows, outputs, inputs) = shape
    let (density, size) = filling
    let dy = Matrix(sparse(rows, outputs, density: density, size: size, seed: 1), rows: rows, columns: outputs)
    fillPadding(of: dy, with: .nan)
    let h = Matrix(sparse(rows, inputs, density: 0.5, seed: 7), rows: rows, columns: inputs)
    let transposed = Block(
      LayerReference(inputs: inputs, outputs: outputs, seed: 4).transposed(from: 0).map { $0 * size })
    let owners = Block((0..<rows).map { Float(bitPattern: UInt32(rows - 1 - $0)) })
    let ownerRows = UnsafeRawPointer(owners.pointer).assumingMemoryBound(to: Int32.self)
    for (mask, maskRows) in [(nil, nil), (h.pointer, nil), (h.pointer, ownerRows)]
      as [(UnsafeMutablePointer<Float>?, UnsafePointer<Int32>?)]
    {
      #expect(
        skipsToTheSameBits(h.panels * h.stride, marks: Vector.nonzerosByteCount(rows: rows, steps: outputs)) {
          Vector.denseInputGradient(
            rows: rows, dy.pointer, dy.stride, outputs, transposed.pointer, panels: h.panels, mask: mask, h.stride,
            maskRows: maskRows, $0, h.stride, $1)
        })
      guard Processor.instructionSet == .wide else { continue }
      #expect(
        skipsToTheSameBits(h.panels * h.stride, marks: Vector512.nonzerosByteCount(rows: rows, steps: outputs)) {
          Vector512.denseInputGradient(
            rows: rows, dy.pointer, dy.stride, outputs, transposed.pointer, panels: h.panels, mask: mask, h.stride,
            maskRows: maskRows, $0, h.stride, $1)
        })
    }
  }

  @Test(arguments: shapes, fillings)
  func `a gradient of weights has the same bits`(shape: (Int, Int, Int), filling: (density: Float, size: Float)) {
    let (inputs, rows, outputs) = shape
    let (density, size) = filling
    let beside = inputs % 3
    let x = Matrix(sparse(rows, inputs, density: density, size: size, seed: 1), rows: rows, columns: inputs)
    fillPadding(of: x, with: .nan)
    let z = Matrix(numbers(rows * beside, seed: 2), rows: rows, columns: beside)
    let dy = Matrix(numbers(rows * outputs, seed: 3).map { $0 * size }, rows: rows, columns: outputs)
    let count = denseParameterCount(inputs: inputs + beside, outputs: outputs)
    #expect(
      skipsToTheSameBits(count, marks: Vector.nonzerosByteCount(rows: inputs, steps: rows)) {
        Vector.denseWeightGradient(
          rows: rows, x.pointer, x.stride, inputs, z.pointer, z.stride, beside, dy.pointer, dy.stride,
          panels: dy.panels, $0, biases: true, $1)
      })
    guard Processor.instructionSet == .wide else { return }
    #expect(
      skipsToTheSameBits(count, marks: Vector512.nonzerosByteCount(rows: inputs, steps: rows)) {
        Vector512.denseWeightGradient(
          rows: rows, x.pointer, x.stride, inputs, z.pointer, z.stride, beside, dy.pointer, dy.stride,
          panels: dy.panels, $0, biases: true, $1)
      })
  }

  // Infinite weights show which steps were taken: zero times infinity is not a number.
  @Test func `layers skip what is zero for all rows, where that pays`() {
    let (rows, inputs, outputs) = (20, 64, 128)
    for (zeros, isSkipped) in [(4, false), (32, true)] {
      let values = numbers(rows * inputs, seed: 1).enumerated().map { $0.offset % inputs < zeros ? 0 : $0.element }
      let x = Matrix(values, rows: rows, columns: inputs)
      let y = Matrix(rows: rows, columns: outputs)
      var panels = LayerReference(inputs: inputs, outputs: outputs, seed: 2).panels
      for output in 0..<outputs { panels[LayerReference.index(0, output, inputs: inputs)] = .infinity }
      denseForward(Input(x), Block(panels), at: 0, into: y, rectify: false, rows: 0..<rows)
      #expect(y.values.allSatisfy { $0.isFinite == isSkipped })

      let transposed = Block([Float](repeating: 1, count: denseTransposedCount(inputs: outputs, outputs: inputs)))
      for panel in 0..<y.panels {
        for lane in 0..<16 { transposed.pointer[panel * inputs * 16 + lane] = .infinity }
      }
      denseInputGradient(x, transposed, at: 0, into: y, rows: 0..<rows)
      #expect(y.values.allSatisfy { $0.isFinite == isSkipped })

      // the batch's first rows are zero
      let batch = Matrix(
        numbers(inputs * rows, seed: 3).enumerated().map { $0.offset < zeros * rows ? 0 : $0.element }, rows: inputs,
        columns: rows)
      let dy = Matrix(numbers(inputs * outputs, seed: 4), rows: inputs, columns: outputs)
      for output in 0..<outputs { dy[0, output] = .infinity }
      let gradient = Block(count: denseParameterCount(inputs: rows, outputs: outputs))
      denseWeightGradient(Input(batch), dy, rows: inputs, into: gradient, at: 0, panels: 0..<dy.panels)
      let weights = (0..<rows * outputs).map {
        gradient.pointer[LayerReference.index($0 % rows, $0 / rows, inputs: rows)]
      }
      #expect(weights.allSatisfy { $0.isFinite == isSkipped })
    }
  }
}
