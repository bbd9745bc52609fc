import Foundation
import Kernels
import Testing

@Suite struct CategoricalKernelsTests {
  /// Rows and values of a return.
  static let sizes = [(1, 2), (3, 16), (5, 17), (4, 101)]

  private func support(_ count: Int) -> ReturnSupport { ReturnSupport(low: -2, high: 3, count: count) }

  /// What double precision says of a row's logits: p, their mean and log Σ exp.
  private func distribution(_ logits: [Double], _ count: Int) -> (p: [Double], mean: Double, normalizer: Double) {
    let top = logits.max() ?? 0
    let normalizer = top + log(logits.reduce(0) { $0 + exp($1 - top) })
    let p = logits.map { exp($0 - normalizer) }
    return (p, p.indices.reduce(0) { $0 + p[$1] * value($1, count) }, normalizer)
  }

  private func value(_ i: Int, _ count: Int) -> Double { -2 + 5 * Double(i) / Double(count - 1) }

  @Test(arguments: sizes, [1, 40] as [Float])
  func `probabilities, means and normalizers are those of double precision`(size: (Int, Int), spread: Float) {
    let (rows, count) = size
    let values = numbers(rows * count, seed: 1).map { spread * $0 }
    let logits = Matrix(values, rows: rows, columns: count)
    let probabilities = Matrix(rows: rows, columns: count)
    let means = Block(count: rows)
    let normalizers = Block(count: rows)
    categoricalForward(
      logits, support(count), into: probabilities, means: means, normalizers: normalizers, rows: 0..<rows)
    for row in 0..<rows {
      let expected = distribution(values[row * count..<(row + 1) * count].map(Double.init), count)
      for i in 0..<count {
        #expect(abs(Double(probabilities.at(row, i)) - expected.p[i]) < 2e-6 * expected.p[i] + 1e-9)
      }
      #expect(abs(Double(means[row]) - expected.mean) < 2e-6)
      #expect(abs(Double(normalizers[row]) - expected.normalizer) < 1e-6 * max(1, abs(expected.normalizer)))
    }
    #expect(probabilities.isPaddingZero == true)
  }

  @Test func `a value that is not a number makes its row none, whichever it is`() {
    for place in [0, 7, 16] {
      var values = numbers(2 * 17, seed: 4)
      values[place] = .nan
      let probabilities = Matrix(rows: 2, columns: 17)
      let means = Block(count: 2)
      let normalizers = Block(count: 2)
      categoricalForward(
        Matrix(values, rows: 2, columns: 17), support(17), into: probabilities, means: means,
        normalizers: normalizers, rows: 0..<2)
      #expect(means[0].isNaN && (0..<17).allSatisfy { probabilities.at(0, $0).isNaN } && means[1].isFinite)
      let losses = Block(count: 2)
      let gradient = Matrix(rows: 2, columns: 17)
      crossEntropy(
        Matrix(values, rows: 2, columns: 17), probabilities, normalizers: normalizers,
        targets: Matrix(self.probabilities(2, 17, seed: 5), rows: 2, columns: 17), weights: Block([1, 1]), scale: 1,
        into: gradient, losses: losses, rows: 0..<2)
      #expect(losses[0].isNaN && losses[1].isFinite && (0..<17).allSatisfy { gradient.at(0, $0).isNaN })
    }
  }

  /// Positive numbers whose sum in each row is 1.
  private func probabilities(_ rows: Int, _ count: Int, seed: Int) -> [Float] {
    var values = numbers(rows * count, seed: seed).map { abs($0) + 0.01 }
    for row in 0..<rows {
      let sum = values[row * count..<(row + 1) * count].reduce(0, +)
      for i in row * count..<(row + 1) * count { values[i] /= sum }
    }
    return values
  }

  @Test(arguments: sizes, [0, 0.9, 1.3] as [Float])
  func `a projected probability goes to the nearest values, and the mean stays but for what is cut off`(
    size: (Int, Int), factor: Float
  ) {
    let (rows, count) = size
    let given = probabilities(rows + 2, count, seed: 5)
    let shifts = numbers(rows, seed: 6).map { 2 * $0 }
    let projected = Matrix(repeating: untouched, rows: rows, columns: count)
    let means = Block(count: rows)
    categoricalProjection(
      Matrix(given, rows: rows + 2, columns: count), from: 2, support(count), shifts: Block(shifts),
      factors: Block([Float](repeating: factor, count: rows)), into: projected, means: means, rows: 0..<rows)
    let spacing = 5 / Double(count - 1)
    for row in 0..<rows {
      var (expected, mean) = ([Double](repeating: 0, count: count), 0.0)
      for k in 0..<count {
        let y = min(max(Double(shifts[row]) + Double(factor) * value(k, count), -2), 3)
        let p = Double(given[(row + 2) * count + k])
        mean += p * y
        for i in 0..<count { expected[i] += p * max(0, 1 - abs(y - value(i, count)) / spacing) }
      }
      for i in 0..<count { #expect(abs(Double(projected.at(row, i)) - expected[i]) < 2e-5, "row \(row), value \(i)") }
      #expect(abs((0..<count).reduce(0) { $0 + Double(projected.at(row, $1)) } - 1) < 1e-5)
      #expect(abs(Double(means[row]) - mean) < 1e-5)
    }
    #expect(projected.isPaddingZero == true)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `a target that is not finite makes its row none`(number: Float) {
    for (shift, factor) in [(number, Float(1)), (1, number)] {
      let projected = Matrix(rows: 2, columns: 5)
      let means = Block(count: 2)
      categoricalProjection(
        Matrix(probabilities(2, 5, seed: 1), rows: 2, columns: 5), support(5), shifts: Block([0, shift]),
        factors: Block([1, factor]), into: projected, means: means, rows: 0..<2)
      #expect(means[1].isNaN && (0..<5).allSatisfy { projected.at(1, $0).isNaN } && means[0].isFinite)
    }
  }

  @Test(arguments: sizes)
  func `the cross-entropy and its gradient are those of finite differences in double precision`(size: (Int, Int)) {
    let (rows, count) = size
    let values = numbers(rows * count, seed: 2).map { 3 * $0 }
    let targets = probabilities(rows, count, seed: 3)
    let weights = numbers(rows, seed: 4).map { 1 + 0.5 * $0 }
    let logits = Matrix(values, rows: rows, columns: count)
    let probabilities = Matrix(rows: rows, columns: count)
    let means = Block(count: rows)
    let normalizers = Block(count: rows)
    let losses = Block(count: rows)
    categoricalForward(
      logits, support(count), into: probabilities, means: means, normalizers: normalizers, rows: 0..<rows)
    let gradient = Matrix(repeating: untouched, rows: rows, columns: count)
    crossEntropy(
      logits, probabilities, normalizers: normalizers, targets: Matrix(targets, rows: rows, columns: count),
      weights: Block(weights), scale: 0.25, into: gradient, losses: losses, rows: 0..<rows)
    for row in 0..<rows {
      var own = values[row * count..<(row + 1) * count].map(Double.init)
      func loss() -> Double {
        let normalizer = distribution(own, count).normalizer
        return (0..<count).reduce(0) { $0 + Double(targets[row * count + $1]) * (normalizer - own[$1]) }
      }
      #expect(abs(Double(losses[row]) - loss()) < 2e-6 * max(1, loss()))
      for i in 0..<count {
        own[i] += 1e-5
        let up = loss()
        own[i] -= 2e-5
        let slope = (up - loss()) / 2e-5
        own[i] += 1e-5
        #expect(abs(Double(gradient.at(row, i)) - 0.25 * Double(weights[row]) * slope) < 1e-6, "row \(row), \(i)")
      }
    }
    #expect(gradient.isPaddingZero == true)
  }

  @Test(arguments: sizes)
  func `the gradient of a mean is that of finite differences, of the row that owns it`(size: (Int, Int)) {
    let (rows, count) = size
    let values = numbers(rows * count, seed: 2).map { 3 * $0 }
    let probabilities = Matrix(rows: rows, columns: count)
    let means = Block(count: rows)
    let normalizers = Block(count: rows)
    categoricalForward(
      Matrix(values, rows: rows, columns: count), support(count), into: probabilities, means: means,
      normalizers: normalizers, rows: 0..<rows)
    let owners = RowIndices(count: rows)
    for row in 0..<rows { owners[row] = rows - 1 - row }
    let gradient = Matrix(repeating: untouched, rows: rows, columns: count)
    categoricalMeanGradient(
      probabilities, support(count), means: means, owners: owners, scale: -0.5, into: gradient, rows: 0..<rows)
    for row in 0..<rows {
      let owner = rows - 1 - row
      var own = values[owner * count..<(owner + 1) * count].map(Double.init)
      for i in 0..<count {
        own[i] += 1e-5
        let up = distribution(own, count).mean
        own[i] -= 2e-5
        let slope = (up - distribution(own, count).mean) / 2e-5
        own[i] += 1e-5
        #expect(abs(Double(gradient.at(row, i)) + 0.5 * slope) < 2e-6, "row \(row), \(i)")
      }
    }
    #expect(gradient.isPaddingZero == true)
  }

  @Test(arguments: [(1, 5), (7, 17), (16, 101)])
  func `weights are brought to length 1, biases and what is past the last output stay`(inputs: Int, outputs: Int) {
    let panels = (outputs + 15) / 16
    let parameters = Block(count: panels * (inputs + 1) * 16)
    let given = numbers(inputs * outputs, seed: 1).map { 3 * $0 + 0.1 }
    func index(_ input: Int, _ output: Int) -> Int {
      output / 16 * (inputs + 1) * 16 + input * 16 + output % 16
    }
    for output in 0..<outputs {
      for input in 0..<inputs { parameters[index(input, output)] = given[output * inputs + input] }
      parameters[index(inputs, output)] = 7
    }
    #expect(unitLength(parameters, at: 0, inputs: inputs, panels: 0..<panels) == 0)
    for output in 0..<outputs {
      let row = given[output * inputs..<(output + 1) * inputs].map(Double.init)
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for input in 0..<inputs {
        #expect(abs(Double(parameters[index(input, output)]) - row[input] / length) < 1e-6)
      }
      #expect(parameters[index(inputs, output)] == 7)
    }
    for output in outputs..<panels * 16 {
      for input in 0...inputs { #expect(parameters[index(input, output)] == 0) }
    }
    parameters[index(0, outputs - 1)] = .infinity
    #expect(unitLength(parameters, at: 0, inputs: inputs, panels: 0..<panels).isNaN)
  }
}
