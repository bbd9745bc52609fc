import Kernels
import Networks
import Platform
import Testing

@Suite struct QuantileCriticsTests {
  static let (rows, s, a, quantiles) = (6, 3, 2, 7)

  private func make() -> QuantileCritics {
    let critics = QuantileCritics(
      count: 2, quantiles: Self.quantiles, observationSize: Self.s, actionSize: Self.a,
      blocks: [NetworkBlock]([12, 9], activation: .silu), batchSize: Self.rows)
    var stream = RandomStream(seed: 3, purpose: "initialization")
    critics.initialize(using: &stream)
    return critics
  }

  private var x: Matrix { Matrix(numbers(Self.rows * Self.s, seed: 1), rows: Self.rows, columns: Self.s) }
  private let z = numbers(QuantileCriticsTests.rows * QuantileCriticsTests.a, seed: 2)

  private func evaluate(_ critics: QuantileCritics, _ actions: [Float]) {
    let observations = x
    let z = Matrix(actions, rows: Self.rows, columns: Self.a)
    for j in 0..<2 { critics.evaluate(j, observations, z, rows: 0..<Self.rows) }
  }

  private func atoms(_ critics: QuantileCritics, _ row: Int) -> [Float] {
    (0..<2).flatMap { j in (0..<Self.quantiles).map { critics.atom(j, $0, at: row) } }
  }

  @Test func `means, largest and crossings are those of the atoms`() {
    let critics = make()
    evaluate(critics, z)
    var (sum, largest, crossed) = (0.0, 0.0, 0)
    for row in 0..<Self.rows {
      for j in 0..<2 {
        let own = (0..<Self.quantiles).map { critics.atom(j, $0, at: row) }
        let mean = own.reduce(0, +) / Float(Self.quantiles)
        #expect(abs(critics.mean(j, at: row) - mean) < 1e-6)
        sum += Double(mean)
        largest = max(largest, Double(abs(mean)))
        crossed += zip(own, own.dropFirst()).count { $0 > $1 }
      }
    }
    #expect(abs(critics.meanValue(rows: Self.rows) - sum / Double(2 * Self.rows)) < 1e-6)
    #expect(abs(critics.largestValue(rows: Self.rows) - largest) < 1e-6)
    #expect(crossed > 0 && critics.crossedQuantiles(rows: Self.rows) == Double(crossed) / Double(2 * Self.rows * 6))
  }

  @Test func `the truncated atoms are those of both critics without the largest`() {
    let critics = make()
    evaluate(critics, z)
    let kept = Block(count: Self.rows * 11)
    critics.truncated(dropping: 3, room: Block(count: Self.rows * 3), into: kept, rows: 0..<Self.rows)
    for row in 0..<Self.rows {
      #expect(kept.values(row * 11..<(row + 1) * 11).sorted() == Array(atoms(critics, row).sorted().dropLast(3)))
    }
    // the same networks asked about one row
    let other = QuantileCritics(sharing: critics, batchSize: 1)
    let one = Matrix(rows: 1, columns: Self.s)
    let observations = x
    observations.copyRow(2, to: one, row: 0)
    for j in 0..<2 {
      other.evaluate(j, one, Matrix(Array(z[4..<6]), rows: 1, columns: Self.a), rows: 0..<1)
      #expect(abs(other.mean(j, at: 0) - critics.mean(j, at: 2)) < 1e-6)
    }
  }

  @Test func `the mean's gradient reaches the action`() {
    let critics = make()
    evaluate(critics, z)
    for j in 0..<2 { critics.backwardToActions(j, scale: 0.5, rows: 0..<Self.rows) }
    let gradient = Matrix(rows: Self.rows, columns: Self.a)
    critics.addActionGradients(into: gradient, rows: 0..<Self.rows)
    func sum(_ row: Int, _ i: Int, _ h: Float) -> Double {
      var moved = z
      moved[row * Self.a + i] += h
      evaluate(critics, moved)
      return atoms(critics, row).reduce(0) { $0 + 0.5 * Double($1) }
    }
    for row in 0..<Self.rows {
      for i in 0..<Self.a {
        let expected = (sum(row, i, 1e-2) - sum(row, i, -1e-2)) / 2e-2
        #expect(abs(Double(gradient[row, i]) - expected) < 1e-3, "row \(row), action \(i)")
      }
    }
  }

  @Test func `a step along the gradient lowers the loss, which is that of the pairs`() {
    let critics = make()
    let optimizer = Adam(critics.networks, AdamSettings(learningRate: 1e-2))
    let pool = WorkerPool(count: 1)
    let targets = Block(numbers(Self.rows * 5, seed: 6))
    let actions = Matrix(z, rows: Self.rows, columns: Self.a)
    let observations = x
    var losses: [Double] = []
    for update in 1...200 {
      evaluate(critics, z)
      for j in 0..<2 {
        critics.backward(
          j, to: targets, targetCount: 5, weights: .ones(Self.rows), scale: 1e-2, rows: 0..<Self.rows)
      }
      losses.append(critics.weightedLoss(weights: .ones(Self.rows), rows: Self.rows))
      optimizer.step(atUpdate: update, by: pool) { j, share in
        critics.weightGradients(j, observations, actions, rows: Self.rows, share)
      }
    }
    #expect(losses[199] < 0.7 * losses[0])
    // the quantiles of five atoms: in order, the lowest near the least
    evaluate(critics, z)
    #expect(critics.crossedQuantiles(rows: Self.rows) < 0.1)
    #expect(critics.crossedQuantiles(rows: 0).isNaN)
  }
}
