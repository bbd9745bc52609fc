import Kernels
import Testing
import Vector
import Vector512

/// Both compilations of each kernel on the same numbers; only where the processor has both.
@Suite(.enabled(if: Processor.instructionSet == .wide)) struct InstructionSetTests {
  /// Whether two kernels write the same bits into blocks that start alike.
  private func agree(
    _ initial: [Float], _ baseline: (UnsafeMutablePointer<Float>) -> Void,
    _ wide: (UnsafeMutablePointer<Float>) -> Void
  ) -> Bool {
    let first = Block(initial)
    let second = Block(initial)
    baseline(first.pointer)
    wide(second.pointer)
    return bits(first.values) == bits(second.values)
  }

  private func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }

  @Test func `dense products have the same bits`() {
    for (rows, inputs, beside, outputs) in [(1, 1, 0, 1), (7, 17, 6, 33), (64, 40, 3, 70), (67, 23, 0, 250)] {
      let x = Matrix(numbers(rows * inputs, seed: 1), rows: rows, columns: inputs)
      let z = Matrix(numbers(rows * beside, seed: 2), rows: rows, columns: beside)
      let dy = Matrix(numbers(rows * outputs, seed: 3), rows: rows, columns: outputs)
      let layer = LayerReference(inputs: inputs + beside, outputs: outputs, seed: 4)
      let weights = Block(layer.panels)
      let transposed = Block(LayerReference(inputs: inputs, outputs: outputs, seed: 4).transposed(from: 0))

      #expect(
        agree(zeros(dy.panels * dy.stride)) {
          Vector.denseForward(
            rows: rows, x.pointer, x.stride, inputs, z.pointer, z.stride, beside, weights.pointer,
            panels: dy.panels, $0, dy.stride, rectify: true)
        } _: {
          Vector512.denseForward(
            rows: rows, x.pointer, x.stride, inputs, z.pointer, z.stride, beside, weights.pointer,
            panels: dy.panels, $0, dy.stride, rectify: true)
        })
      #expect(
        agree(zeros(x.panels * x.stride)) {
          Vector.denseInputGradient(
            rows: rows, dy.pointer, dy.stride, outputs, transposed.pointer, panels: x.panels, mask: x.pointer,
            x.stride, maskRows: nil, $0, x.stride)
        } _: {
          Vector512.denseInputGradient(
            rows: rows, dy.pointer, dy.stride, outputs, transposed.pointer, panels: x.panels, mask: x.pointer,
            x.stride, maskRows: nil, $0, x.stride)
        })
      #expect(
        agree(zeros(weights.count)) {
          Vector.denseWeightGradient(
            rows: rows, x.pointer, x.stride, inputs, z.pointer, z.stride, beside, dy.pointer, dy.stride,
            panels: dy.panels, $0, biases: true)
        } _: {
          Vector512.denseWeightGradient(
            rows: rows, x.pointer, x.stride, inputs, z.pointer, z.stride, beside, dy.pointer, dy.stride,
            panels: dy.panels, $0, biases: true)
        })
      #expect(
        agree(zeros(denseTransposedCount(inputs: inputs + beside, outputs: outputs))) {
          Vector.denseTranspose(
            weights.pointer, inputs: inputs + beside, firstPanel: 0, panels: dy.panels, outputs: outputs,
            firstInput: 0, inputs: inputs + beside, $0)
        } _: {
          Vector512.denseTranspose(
            weights.pointer, inputs: inputs + beside, firstPanel: 0, panels: dy.panels, outputs: outputs,
            firstInput: 0, inputs: inputs + beside, $0)
        })
    }
  }

  @Test func `a scalar head has the same bits`() {
    for (rows, inputs) in [(1, 1), (7, 17), (64, 256)] {
      let h = Matrix(numbers(rows * inputs, seed: 1), rows: rows, columns: inputs)
      let dq = Block(numbers(rows, seed: 2))
      let weights = Block(count: headParameterCount(inputs: inputs))
      weights.set(numbers(inputs, seed: 3))
      #expect(
        agree(zeros(rows)) {
          Vector.headForward(rows: rows, h.pointer, h.stride, panels: h.panels, weights.pointer, $0)
        } _: {
          Vector512.headForward(rows: rows, h.pointer, h.stride, panels: h.panels, weights.pointer, $0)
        })
      #expect(
        agree(zeros(h.panels * h.stride)) {
          Vector.headInputGradient(
            rows: rows, dq.pointer, weights.pointer, panels: h.panels, mask: h.pointer, h.stride,
            maskRows: nil, $0, h.stride)
        } _: {
          Vector512.headInputGradient(
            rows: rows, dq.pointer, weights.pointer, panels: h.panels, mask: h.pointer, h.stride,
            maskRows: nil, $0, h.stride)
        })
      #expect(
        agree(zeros(weights.count)) {
          Vector.headWeightGradient(rows: rows, dq.pointer, h.pointer, h.stride, panels: h.panels, $0)
        } _: {
          Vector512.headWeightGradient(rows: rows, dq.pointer, h.pointer, h.stride, panels: h.panels, $0)
        })
    }
  }

  @Test func `Adam, tracking and the squared norm have the same bits`() {
    let count = 1600
    let online = Block(numbers(count, seed: 5))
    // parameters, gradients, first and second moments, one after another
    let start = numbers(3 * count, seed: 6) + numbers(count, seed: 7).map(abs)
    #expect(
      agree(start) {
        Vector.adamStep(
          count: count, $0, $0 + count, $0 + 2 * count, $0 + 3 * count, gain1: 0.1, beta2: 0.999, gain2: 0.001,
          rate: 3e-3, correction: 31, epsilon: 1e-8)
      } _: {
        Vector512.adamStep(
          count: count, $0, $0 + count, $0 + 2 * count, $0 + 3 * count, gain1: 0.1, beta2: 0.999, gain2: 0.001,
          rate: 3e-3, correction: 31, epsilon: 1e-8)
      })
    #expect(
      agree(start) {
        Vector.track(count: count, $0, online.pointer, rate: 0.005)
      } _: {
        Vector512.track(count: count, $0, online.pointer, rate: 0.005)
      })
    #expect(
      agree([0]) {
        $0[0] = Vector.squaredNorm(count: count, online.pointer)
      } _: {
        $0[0] = Vector512.squaredNorm(count: count, online.pointer)
      })
    #expect(
      agree(start) {
        Vector.scale(count: count, $0, by: 0.3)
      } _: {
        Vector512.scale(count: count, $0, by: 0.3)
      })
  }

  @Test func `the squashed Gaussian and tanh have the same bits`() {
    for (rows, size) in [(1, 1), (9, 6), (64, 17)] {
      let flat = rows * size
      let heads = Matrix(numbers(2 * flat, seed: 1).map { 3 * $0 }, rows: rows, columns: 2 * size)
      let noise = Block(numbers(flat, seed: 2))
      let gradient = Matrix(numbers(flat, seed: 3), rows: rows, columns: size)
      let area = gradient.panels * gradient.stride
      let scoreWeights = Block(numbers(rows, seed: 5))
      // a, σ ε, whether log σ passes, scratch, log π, then actions and the gradients of the heads
      #expect(
        agree(zeros(4 * flat + rows + area + 2 * heads.panels * heads.stride)) {
          let actions = $0 + 4 * flat + rows
          Vector.gaussianSample(
            rows: rows, actionSize: size, heads.pointer, heads.stride, noise: noise.pointer, actions,
            gradient.stride, squashed: $0, spread: $0 + flat, passes: $0 + 2 * flat, scratch: $0 + 3 * flat,
            logProbabilities: $0 + 4 * flat)
          Vector.gaussianGradient(
            rows: rows, actionSize: size, gradient.pointer, gradient.stride, logProbabilityGradient: 0.3,
            squashed: $0, spread: $0 + flat, passes: $0 + 2 * flat, scratch: $0 + 3 * flat, actions + area,
            heads.stride)
          Vector.gaussianScoreGradient(
            rows: rows, actionSize: size, draws: 1, drawStride: rows, heads.pointer, heads.stride,
            noise: noise.pointer, weights: scoreWeights.pointer, passes: $0 + 2 * flat, means: $0,
            deviations: $0 + 3 * flat, actions + area + heads.panels * heads.stride, heads.stride)
        } _: {
          let actions = $0 + 4 * flat + rows
          Vector512.gaussianSample(
            rows: rows, actionSize: size, heads.pointer, heads.stride, noise: noise.pointer, actions,
            gradient.stride, squashed: $0, spread: $0 + flat, passes: $0 + 2 * flat, scratch: $0 + 3 * flat,
            logProbabilities: $0 + 4 * flat)
          Vector512.gaussianGradient(
            rows: rows, actionSize: size, gradient.pointer, gradient.stride, logProbabilityGradient: 0.3,
            squashed: $0, spread: $0 + flat, passes: $0 + 2 * flat, scratch: $0 + 3 * flat, actions + area,
            heads.stride)
          Vector512.gaussianScoreGradient(
            rows: rows, actionSize: size, draws: 1, drawStride: rows, heads.pointer, heads.stride,
            noise: noise.pointer, weights: scoreWeights.pointer, passes: $0 + 2 * flat, means: $0,
            deviations: $0 + 3 * flat, actions + area + heads.panels * heads.stride, heads.stride)
        })
      #expect(
        agree(numbers(area, seed: 4).map { 20 * $0 }) {
          Vector.tanhForward(rows: rows, $0, gradient.stride, panels: gradient.panels)
          Vector.tanhGradient(
            rows: rows, gradient.pointer, gradient.stride, $0, gradient.stride, panels: gradient.panels, $0,
            gradient.stride)
        } _: {
          Vector512.tanhForward(rows: rows, $0, gradient.stride, panels: gradient.panels)
          Vector512.tanhGradient(
            rows: rows, gradient.pointer, gradient.stride, $0, gradient.stride, panels: gradient.panels, $0,
            gradient.stride)
        })
    }
  }

  @Test func `random numbers have the same bits`() {
    #expect(
      agree(zeros(100_003)) {
        Vector.normalValues(count: 100_003, key: (1, 2), draw: 3, first: 64, $0)
      } _: {
        Vector512.normalValues(count: 100_003, key: (1, 2), draw: 3, first: 64, $0)
      })
    for position in [0, 5, 0xffff_fff8] as [UInt64] {
      var (first, second) = ([UInt64](repeating: 0, count: 16), [UInt64](repeating: 0, count: 16))
      Vector.threefryNumbers(key: (1, 2), position: position, &first)
      Vector512.threefryNumbers(key: (1, 2), position: position, &second)
      #expect(first == second && Set(first).count == 16)
    }
    #expect(
      Vector.threefryBlock(key: (1, 2), counter: (3, 4)) == Vector512.threefryBlock(key: (1, 2), counter: (3, 4)))
  }

  @Test func `activations, normalisation, dropout and the quantile loss have the same bits`() {
    let (rows, columns) = (9, 37)
    let shape = Matrix(rows: rows, columns: columns)
    let (panels, stride) = (shape.panels, shape.stride)
    let given = numbers(panels * stride, seed: 1).map { 4 * $0 }
    let other = Block(numbers(panels * stride, seed: 2))
    let affine = Block(numbers(layerNormParameterCount(columns), seed: 3))
    // what is written beside the result follows it in the block
    let room = given + zeros(panels * stride + rows)
    let beside = panels * stride
    for code in 0...3 {
      #expect(
        agree(room) {
          Vector.activate(code, rows: rows, $0, stride, panels: panels, $0 + beside, stride)
        } _: {
          Vector512.activate(code, rows: rows, $0, stride, panels: panels, $0 + beside, stride)
        }, "activation \(code)")
    }
    #expect(
      agree(given) {
        Vector.multiply(rows: rows, $0, stride, panels: panels, by: other.pointer, stride, factorRows: nil)
      } _: {
        Vector512.multiply(rows: rows, $0, stride, panels: panels, by: other.pointer, stride, factorRows: nil)
      })
    #expect(
      agree(room) {
        Vector.layerNormForward(
          rows: rows, $0, stride, columns: columns, affine.pointer, epsilon: 1e-5, $0 + beside, stride,
          $0 + 2 * beside)
      } _: {
        Vector512.layerNormForward(
          rows: rows, $0, stride, columns: columns, affine.pointer, epsilon: 1e-5, $0 + beside, stride,
          $0 + 2 * beside)
      })
    #expect(
      agree(given) {
        Vector.layerNormInputGradient(
          rows: rows, other.pointer, stride, columns: columns, affine.pointer, other.pointer, stride, other.pointer,
          factorRows: nil, $0, stride)
      } _: {
        Vector512.layerNormInputGradient(
          rows: rows, other.pointer, stride, columns: columns, affine.pointer, other.pointer, stride, other.pointer,
          factorRows: nil, $0, stride)
      })
    #expect(
      agree(zeros(affine.count)) {
        Vector.layerNormAffineGradient(rows: rows, other.pointer, stride, other.pointer, stride, panels: panels, $0)
      } _: {
        Vector512.layerNormAffineGradient(rows: rows, other.pointer, stride, other.pointer, stride, panels: panels, $0)
      })
    #expect(
      agree(room) {
        Vector.dropoutForward(
          rows: rows, $0, stride, columns: columns, key: (1, 2), draw: 3, first: 64, threshold: 1 << 30, scale: 4 / 3,
          $0 + beside, stride)
      } _: {
        Vector512.dropoutForward(
          rows: rows, $0, stride, columns: columns, key: (1, 2), draw: 3, first: 64, threshold: 1 << 30, scale: 4 / 3,
          $0 + beside, stride)
      })
    let levels = Block(numbers(48, seed: 4))
    let targets = Block(numbers(rows * 11, seed: 5))
    #expect(
      agree(room) {
        Vector.quantileHuber(
          rows: rows, $0, stride, quantiles: columns, levels: levels.pointer, targets: targets.pointer,
          targetCount: 11, weights: other.pointer, scale: 0.5, $0 + beside, stride, $0 + 2 * beside)
      } _: {
        Vector512.quantileHuber(
          rows: rows, $0, stride, quantiles: columns, levels: levels.pointer, targets: targets.pointer,
          targetCount: 11, weights: other.pointer, scale: 0.5, $0 + beside, stride, $0 + 2 * beside)
      })
  }
}
