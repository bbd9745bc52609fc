import Foundation
import Kernels
import Testing

/// The squashed Gaussian in double precision, with the density written as the change of variables that it is.
struct GaussianReference {
  let action: Double
  let logProbability: Double

  init(mean: Double, logDeviation: Double, noise: Double) {
    let clamped = min(max(logDeviation, -20), 2)
    let u = mean + exp(clamped) * noise
    action = tanh(u)
    // log N(u; μ, σ) − log (da/du), with da/du = 1 / cosh² u
    let logCosh = abs(u) + log1p(exp(-2 * abs(u))) - log(2)
    logProbability = -0.5 * noise * noise - clamped - 0.5 * log(2 * Double.pi) + 2 * logCosh
  }
}

/// Heads, noise and what a draw from them gave.
private struct Draw: ~Copyable {
  let rows: Int
  let size: Int
  let means: [Float]
  let logDeviations: [Float]
  let noise: [Float]
  let actions: Matrix
  let record: GaussianRecord
  let logProbabilities: Block

  init(_ rows: Int, _ size: Int, seed: Int, range: Range<Int>? = nil) {
    (self.rows, self.size) = (rows, size)
    means = numbers(rows * size, seed: seed).map { 2 * $0 }
    logDeviations = numbers(rows * size, seed: seed + 1).map { 1.5 * $0 - 0.5 }
    noise = numbers(rows * size, seed: seed + 2).map { 2 * $0 }
    let heads = Matrix(rows: rows, columns: 2 * size)
    for row in 0..<rows {
      for i in 0..<size {
        heads[row, i] = means[row * size + i]
        heads[row, size + i] = logDeviations[row * size + i]
      }
    }
    actions = Matrix(repeating: untouched, rows: rows, columns: size)
    record = GaussianRecord(rows: rows, actionSize: size)
    logProbabilities = Block([Float](repeating: untouched, count: rows))
    gaussianSample(
      heads, noise: Block(noise), into: actions, record, logProbabilities: logProbabilities,
      rows: range ?? 0..<rows)
  }

  func reference(_ index: Int, meanOffset: Double = 0, logDeviationOffset: Double = 0) -> GaussianReference {
    GaussianReference(
      mean: Double(means[index]) + meanOffset, logDeviation: Double(logDeviations[index]) + logDeviationOffset,
      noise: Double(noise[index]))
  }

  /// The gradient of the heads for one gradient of every action and of every log π: means, then log deviations.
  func gradient(action: Float, logProbability: Float) -> (means: [Float], logDeviations: [Float]) {
    let heads = Matrix(rows: rows, columns: 2 * size)
    gaussianGradient(
      record, actionGradient: Matrix(repeating: action, rows: rows, columns: size),
      logProbabilityGradient: logProbability, into: heads, rows: 0..<rows)
    let values = heads.values
    let flat = (0..<rows * size).map { $0 / size * 2 * size + $0 % size }
    return (flat.map { values[$0] }, flat.map { values[$0 + size] })
  }
}

@Suite struct SquashingTests {
  @Test func `actions and log-densities are the reference's, for every count of rows and actions`() {
    for rows in [1, 2, 3, 16, 17, 64] {
      for size in 1...35 {
        let range = min(rows - 1, size % 3)..<rows
        let draw = Draw(rows, size, seed: rows * 40 + size, range: range)
        #expect(draw.actions.isPaddingZero == true)
        for row in 0..<rows {
          guard range.contains(row) else {
            #expect((0..<size).allSatisfy { draw.actions[row, $0] == untouched })
            #expect(draw.logProbabilities[row] == untouched)
            continue
          }
          var logProbability = 0.0
          var magnitude = 0.0
          for i in 0..<size {
            let reference = draw.reference(row * size + i)
            #expect(abs(Double(draw.actions[row, i]) - reference.action) < 3e-7)
            logProbability += reference.logProbability
            magnitude += max(1, abs(reference.logProbability))
          }
          #expect(abs(Double(draw.logProbabilities[row]) - logProbability) < 1e-6 * magnitude)
        }
      }
    }
  }

  // central differences in double precision; their own error is of the order of h² = 1e-10
  @Test(arguments: ["∂a/∂μ", "∂a/∂log σ", "∂log π/∂μ", "∂log π/∂log σ"])
  func `each derivative is the finite difference`(name: String) {
    let draw = Draw(40, 7, seed: 3)
    let ofAction = name.hasPrefix("∂a")
    let byMean = name.hasSuffix("∂μ")
    let gradient = draw.gradient(action: ofAction ? 1 : 0, logProbability: ofAction ? 0 : 1)
    let values = byMean ? gradient.means : gradient.logDeviations
    let h = 1e-5
    for index in values.indices {
      let (mean, logDeviation) = byMean ? (h, 0) : (0, h)
      let up = draw.reference(index, meanOffset: mean, logDeviationOffset: logDeviation)
      let down = draw.reference(index, meanOffset: -mean, logDeviationOffset: -logDeviation)
      let expected =
        (ofAction ? up.action - down.action : up.logProbability - down.logProbability) / (2 * h)
      #expect(
        abs(Double(values[index]) - expected) < 1e-6 * max(1, abs(expected)),
        "\(name) is \(values[index]), not \(expected)")
    }
  }

  // of log N(u; μ, σ) with u held fixed: tanh's part of log π depends on u alone
  @Test func `the score is the finite difference of log π at a fixed action, weighted and summed over the draws`() {
    for (rows, size, draws) in [(1, 1, 2), (7, 3, 1), (40, 17, 3), (9, 6, 4)] {
      let range = rows / 4..<rows
      let count = rows * size
      let means = numbers(count, seed: 1).map { 2 * Double($0) }
      let logDeviations = numbers(count, seed: 2).map { 4 * Double($0) - 1 }  // some past the bound of 2
      let noise = numbers(draws * count, seed: 3).map { 2 * $0 }
      let weights = numbers(draws * rows, seed: 4)
      let heads = Matrix(rows: rows, columns: 2 * size)
      for row in 0..<rows {
        for i in 0..<size {
          heads[row, i] = Float(means[row * size + i])
          heads[row, size + i] = Float(logDeviations[row * size + i])
        }
      }
      let record = GaussianRecord(rows: rows, actionSize: size)
      let actions = Matrix(rows: rows, columns: size)
      let logProbabilities = Block(count: rows)
      let epsilons = Block(noise)
      for k in 0..<draws {
        gaussianSample(
          heads, noise: epsilons, draw: k, into: actions, record, logProbabilities: logProbabilities, rows: range)
        for row in range {
          for i in 0..<size {
            let at = row * size + i
            let reference = GaussianReference(
              mean: Double(heads[row, i]), logDeviation: Double(heads[row, size + i]),
              noise: Double(noise[k * count + at]))
            #expect(abs(Double(actions[row, i]) - reference.action) < 1e-6, "draw \(k)")
          }
        }
      }
      let gradient = Matrix(repeating: untouched, rows: rows, columns: 2 * size)
      gaussianScoreGradient(
        heads, record, draws: draws, noise: epsilons, weights: Block(weights), into: gradient, rows: range)
      #expect(gradient.isPaddingZero == true)
      for row in 0..<rows {
        for i in 0..<size {
          guard range.contains(row) else {
            #expect(gradient[row, i] == untouched && gradient[row, size + i] == untouched)
            continue
          }
          let (mean, raw) = (Double(heads[row, i]), Double(heads[row, size + i]))
          let clamped = min(max(raw, -20), 2)
          func logDensities(_ mean: Double, _ raw: Double) -> Double {
            (0..<draws).reduce(0) { sum, k in
              let u = Double(heads[row, i]) + exp(clamped) * Double(noise[k * count + row * size + i])
              let bounded = min(max(raw, -20), 2)
              let z = (u - mean) / exp(bounded)
              return sum + Double(weights[k * rows + row]) * (-0.5 * z * z - bounded)
            }
          }
          let h = 1e-5
          let byMean = (logDensities(mean + h, raw) - logDensities(mean - h, raw)) / (2 * h)
          let byDeviation = (logDensities(mean, raw + h) - logDensities(mean, raw - h)) / (2 * h)
          #expect(abs(Double(gradient[row, i]) - byMean) < 2e-6 * max(1, abs(byMean)) * exp(max(0, -clamped)))
          #expect(abs(Double(gradient[row, size + i]) - byDeviation) < 4e-6 * max(1, abs(byDeviation)))
          if raw > 2 { #expect(gradient[row, size + i] == 0 && byDeviation == 0) }
        }
      }
    }
  }

  @Test func `the gradient is linear in both of its inputs`() {
    let draw = Draw(9, 5, seed: 1)
    let (action, density) = (draw.gradient(action: 1, logProbability: 0), draw.gradient(action: 0, logProbability: 1))
    let both = draw.gradient(action: -0.5, logProbability: 0.25)
    for i in 0..<45 {
      #expect(abs(both.means[i] - (-0.5 * action.means[i] + 0.25 * density.means[i])) < 1e-6)
      #expect(abs(both.logDeviations[i] - (-0.5 * action.logDeviations[i] + 0.25 * density.logDeviations[i])) < 2e-6)
    }
  }

  @Test func `a clamped log σ passes no gradient, and one on the bound or within does`() {
    let logDeviations: [Float] = [-20.001, 2.001, -100, 100, .infinity, -.infinity, -20, 2, 0]
    let count = logDeviations.count
    let heads = Matrix(logDeviations.flatMap { [0.3, $0] }, rows: count, columns: 2)
    let record = GaussianRecord(rows: count, actionSize: 1)
    let actions = Matrix(rows: count, columns: 1)
    let logProbabilities = Block(count: count)
    gaussianSample(
      heads, noise: Block([Float](repeating: 0.1, count: count)), into: actions, record,
      logProbabilities: logProbabilities, rows: 0..<count)
    let gradients = Matrix(rows: count, columns: 2)
    gaussianGradient(
      record, actionGradient: Matrix(repeating: 1, rows: count, columns: 1), logProbabilityGradient: 1,
      into: gradients, rows: 0..<count)
    for row in 0..<count {
      #expect((gradients[row, 1] == 0) == (row < 6), "log σ = \(logDeviations[row])")
      #expect(gradients[row, 0] != 0)
      // what is past the bound is as on the bound
      let bound = logDeviations[row] < -19 ? 6 : logDeviations[row] > 1 ? 7 : 8
      #expect(actions[row, 0] == actions[bound, 0] && logProbabilities[row] == logProbabilities[bound])
    }
  }

  @Test func `gradients of the heads stay in their rows and leave the padding zero`() {
    for size in [1, 6, 8, 9, 17] {
      let draw = Draw(7, size, seed: size)
      let heads = Matrix(repeating: untouched, rows: 7, columns: 2 * size)
      gaussianGradient(
        draw.record, actionGradient: Matrix(repeating: 1, rows: 7, columns: size), logProbabilityGradient: 1,
        into: heads, rows: 2..<5)
      #expect(heads.isPaddingZero == true)
      let whole = draw.gradient(action: 1, logProbability: 1)
      for row in 0..<7 {
        for i in 0..<size {
          let index = row * size + i
          let isIn = (2..<5).contains(row)
          #expect(heads[row, i] == (isIn ? whole.means[index] : untouched))
          #expect(heads[row, size + i] == (isIn ? whole.logDeviations[index] : untouched))
        }
      }
    }
  }

  @Test func `the bits of a draw do not depend on the rows drawn with it`() {
    for size in [1, 3, 6, 17] {
      let whole = Draw(50, size, seed: size)
      for first in stride(from: 0, to: 50, by: 7) {
        let range = first..<min(50, first + 7)
        let part = Draw(50, size, seed: size, range: range)
        for row in range {
          #expect(part.logProbabilities[row].bitPattern == whole.logProbabilities[row].bitPattern)
          for i in 0..<size { #expect(part.actions[row, i].bitPattern == whole.actions[row, i].bitPattern) }
        }
      }
    }
  }

  // MARK: tanh alone

  @Test func `tanh and its gradient touch their rows only and keep the padding zero`() {
    let u = numbers(9 * 21, seed: 1).map { 3 * $0 }
    let actions = Matrix(u, rows: 9, columns: 21)
    tanhForward(actions, rows: 2..<7)
    let da = numbers(9 * 21, seed: 2)
    let du = Matrix(repeating: untouched, rows: 9, columns: 21)
    tanhGradient(Matrix(da, rows: 9, columns: 21), actions: actions, into: du, rows: 2..<7)
    #expect(actions.isPaddingZero == true && du.isPaddingZero == true)
    for row in 0..<9 {
      for i in 0..<21 {
        let x = u[row * 21 + i]
        if (2..<7).contains(row) {
          let a = tanh(Double(x))
          #expect(abs(Double(actions[row, i]) - a) < 2e-7)
          // 1 − a² loses the digits that a has not: 2 a times its error
          #expect(abs(Double(du[row, i]) - Double(da[row * 21 + i]) * (1 - a * a)) < 5e-7)
        } else {
          #expect(actions[row, i] == x && du[row, i] == untouched)
        }
      }
    }
  }

  @Test func `heads of another width trap`() async {
    await #expect(processExitsWith: .failure) {
      gaussianSample(
        Matrix(rows: 2, columns: 3), noise: Block(count: 4), into: Matrix(rows: 2, columns: 2),
        GaussianRecord(rows: 2, actionSize: 2), logProbabilities: Block(count: 2), rows: 0..<2)
    }
  }

  @Test func `noise for fewer rows traps`() async {
    await #expect(processExitsWith: .failure) {
      gaussianSample(
        Matrix(rows: 2, columns: 4), noise: Block(count: 3), into: Matrix(rows: 2, columns: 2),
        GaussianRecord(rows: 2, actionSize: 2), logProbabilities: Block(count: 2), rows: 0..<2)
    }
  }
}
