import Kernels
import Testing

@Suite struct QuantileLossTests {
  @Test(arguments: [(1, 1, 1), (5, 25, 46), (3, 16, 7), (4, 33, 20)])
  func `losses and gradients are those of every pair in double precision`(rows: Int, quantiles: Int, count: Int) {
    let theta = Matrix(numbers(rows * quantiles, seed: 1).map { 2 * $0 }, rows: rows, columns: quantiles)
    let targets = numbers(rows * count, seed: 2).map { 3 * $0 }
    let weights = numbers(rows, seed: 3).map { 1 + 0.5 * $0 }
    let gradient = Matrix(rows: rows, columns: quantiles)
    let losses = Block(count: rows)
    quantileHuber(
      theta, levels: quantileLevels(quantiles), targets: Block(targets), targetCount: count, weights: Block(weights),
      scale: 0.25, into: gradient, losses: losses, rows: 0..<rows)
    for row in 0..<rows {
      var loss = 0.0
      for m in 0..<quantiles {
        let level = (Double(m) + 0.5) / Double(quantiles)
        var slope = 0.0
        for k in 0..<count {
          let error = Double(targets[row * count + k]) - Double(theta.at(row, m))
          let tilt = abs(level - (error < 0 ? 1 : 0))
          loss += tilt * (abs(error) <= 1 ? error * error / 2 : abs(error) - 0.5)
          slope -= tilt * max(-1, min(1, error))
        }
        let expected = 0.25 * Double(weights[row]) * slope
        #expect(
          abs(Double(gradient.at(row, m)) - expected) <= 1e-5 * max(1, abs(expected)), "row \(row), quantile \(m)")
      }
      #expect(abs(Double(losses[row]) - loss) <= 1e-5 * max(1, loss), "row \(row)")
    }
    #expect(gradient.isPaddingZero == true)
  }

  private func kept(_ atoms: [[Float]], dropping dropped: Int) -> [Float] {
    let matrices = FixedArray(count: atoms.count) { Matrix(atoms[$0], rows: 1, columns: atoms[$0].count) }
    let kept = Block(count: atoms.reduce(0) { $0 + $1.count } - dropped)
    leaveOutLargest(dropped, of: matrices, room: Block(count: dropped), into: kept, rows: 0..<1)
    return kept.values
  }

  @Test(arguments: 0...9)
  func `the largest are left out, whatever their order`(dropped: Int) {
    for seed in 1...20 {
      let atoms = [numbers(19, seed: seed), numbers(19, seed: seed + 100)]
      let expected = (atoms[0] + atoms[1]).sorted().dropLast(dropped)
      #expect(kept(atoms, dropping: dropped).sorted() == Array(expected))
    }
  }

  @Test func `of equal atoms as many are left out as it takes, and the others keep their order`() {
    #expect(kept([[3, 1, 3], [2, 3, 1]], dropping: 2) == [1, 2, 3, 1])
    #expect(kept([[1, 1], [1, 1]], dropping: 3) == [1])
    #expect(kept([[5, 4], [3, 2]], dropping: 3) == [2])
    #expect(kept([[5, 4], [3, 2]], dropping: 0) == [5, 4, 3, 2])
  }

  @Test func `a NaN does not hide among the atoms that are left out`() {
    for place in 0..<4 {
      var atoms: [Float] = [4, 3, 2, 1]
      atoms[place] = .nan
      #expect(kept([Array(atoms[..<2]), Array(atoms[2...])], dropping: 2).allSatisfy { $0.isNaN })
    }
  }
}
