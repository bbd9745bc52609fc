import Foundation
import Kernels
import Testing

// The functions themselves are internal: each is reached through a kernel that shows it nearly bare.

/// Numbers of every size and sign: a dense sweep of the range where the functions bend, then each power of two.
private let sweep: [Float] = {
  var values: [Float] = stride(from: -30, through: 30, by: 1.0 / 512).map { Float($0) * 1.000_1 }
  for exponent in -126...127 {
    for significand in [1, 1.25, 1.999_999_9] as [Float] {
      let value = Float(sign: .plus, exponent: exponent, significand: significand)
      values += [value, -value]
    }
  }
  return values + [0, -0.0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity]
}()

private func tanhValues(_ inputs: [Float]) -> [Float] {
  let matrix = Matrix(inputs, rows: 1, columns: inputs.count)
  tanhForward(matrix, rows: 0..<1)
  return matrix.values
}

/// log π of one action with the given μ, log σ and ε.
private func logProbabilities(_ inputs: [(mean: Float, logDeviation: Float, noise: Float)]) -> [Float] {
  let count = inputs.count
  let heads = Matrix(inputs.flatMap { [$0.mean, $0.logDeviation] }, rows: count, columns: 2)
  let result = Block(count: count)
  gaussianSample(
    heads, noise: Block(inputs.map(\.noise)), into: Matrix(rows: count, columns: 1),
    GaussianRecord(rows: count, actionSize: 1), logProbabilities: result, rows: 0..<count)
  return result.values
}

@Suite struct FunctionsTests {
  // MARK: tanh, and exp behind it

  @Test func `tanh is within 2e-7 of the true one, relative, at every size`() {
    for (x, y) in zip(sweep, tanhValues(sweep)) {
      let expected = tanh(Double(x))
      #expect(abs(Double(y) - expected) <= 2e-7 * abs(expected), "tanh \(x) is \(y)")
    }
  }

  @Test func `tanh is odd and never leaves [−1, 1]`() {
    let mirrored = tanhValues(sweep.map { -$0 })
    for (y, z) in zip(tanhValues(sweep), mirrored) {
      #expect(y == -z && abs(y) <= 1)
    }
    #expect(tanhValues([.infinity, -.infinity, 100]) == [1, -1, 1])
  }

  @Test func `tanh rises`() {
    let values = stride(from: -10, through: 10, by: 1.0 / 1024).map { Float($0) }
    for (y, z) in zip(tanhValues(values), tanhValues(values).dropFirst()) { #expect(z >= y - 6e-8) }
  }

  @Test func `tanh of NaN is NaN, whatever its payload`() {
    let payloads: [UInt32] = [0x7fc0_0000, 0xffc0_0000, 0x7fc0_0001, 0x7fc0_01ff, 0xffff_ffff, 0x7fff_fe00]
    for (payload, y) in zip(payloads, tanhValues(payloads.map { Float(bitPattern: $0) })) {
      #expect(y.isNaN, "\(String(payload, radix: 16)) gives \(y)")
    }
  }

  // MARK: exp

  @Test func `σ = exp(log σ) is within 2e-7 of the true one over its whole range, and constant past it`() {
    // ε = 2⁻⁴⁰ makes u so small that 1 − a² is 1: the gradient of log σ for da = 2⁴⁰ is σ itself
    let logDeviations =
      stride(from: -20, through: 2, by: 1.0 / 512).map { Float($0) } + [
        -19.999_999, 1.999_999_9, 0, -0.0, 1e-30, -1e-30,
      ]
    let count = logDeviations.count
    let heads = Matrix(logDeviations.flatMap { [0, $0] }, rows: count, columns: 2)
    let record = GaussianRecord(rows: count, actionSize: 1)
    gaussianSample(
      heads, noise: Block([Float](repeating: 0x1p-40, count: count)), into: Matrix(rows: count, columns: 1), record,
      logProbabilities: Block(count: count), rows: 0..<count)
    let gradients = Matrix(rows: count, columns: 2)
    gaussianGradient(
      record, actionGradient: Matrix(repeating: 0x1p40, rows: count, columns: 1), logProbabilityGradient: 0,
      into: gradients, rows: 0..<count)
    for (row, x) in logDeviations.enumerated() {
      let expected = exp(Double(x))
      #expect(abs(Double(gradients[row, 1]) - expected) <= 2e-7 * expected, "exp \(x) is \(gradients[row, 1])")
    }
  }

  // MARK: softplus, and log and exp behind it

  @Test func `softplus is exact in both tails and within 3e-7 between, as the density shows it`() {
    // ε = 0 and σ = 1: log π = −½ log 2π − 2 (log 2 − μ − softplus(−2μ)), of the size of 2 |μ|
    for (x, y) in zip(sweep, logProbabilities(sweep.map { ($0, 0, 0) })) where abs(x) < 1e30 {
      let u = Double(x)
      let softplus = max(0, -2 * u) + log1p(exp(-abs(2 * u)))
      let expected = -0.5 * log(2 * Double.pi) - 2 * (log(2) - u - softplus)
      #expect(abs(Double(y) - expected) <= 6e-7 * max(1, abs(u)), "log π at μ = \(x) is \(y), not \(expected)")
    }
  }

  @Test func `the density of NaN is NaN, whichever of its three inputs it is`() {
    let payloads: [UInt32] = [0x7fc0_0000, 0xffc0_0000, 0x7fc0_0001, 0x7fc0_01ff, 0xffff_ffff]
    for nan in payloads.map({ Float(bitPattern: $0) }) {
      let values = logProbabilities([(nan, 0, 1), (0, nan, 1), (0, 0, nan), (0, 0, 0)])
      #expect(values.map(\.isNaN) == [true, true, true, false], "\(String(nan.bitPattern, radix: 16))")
    }
  }
}
