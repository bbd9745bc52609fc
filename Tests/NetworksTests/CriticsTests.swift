import Formats
import Foundation
import Kernels
import Platform
import Testing

@testable import Networks

/// Two critics of which each is the smaller on half of a batch, on which neither comes near a kink.
private struct Problem: ~Copyable {
  let critics: Critics
  private(set) var references: [NetworkReference]
  let inputs: [Float]  // (B × (S + A))
  let observations: Matrix  // (B × 4)
  let actions: Matrix  // (B × 3)

  init(hidden: [Int] = [16, 33], rows: Int = 12) {
    critics = Critics(
      count: 2, observationSize: 4, actionSize: 3, hiddenSizes: hidden, batchSize: rows, isLearned: true)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    critics.initialize(using: &stream)
    references = critics.networks.map { NetworkReference($0.tensors("critic")) }
    inputs = inputsOffKinks(references, rows: rows, size: 7, seed: 5)
    observations = Matrix(rows: rows, columns: 4)
    actions = Matrix(rows: rows, columns: 3)
    var differences: [Double] = []
    for row in 0..<rows {
      let input = inputs.row(row, of: 7)
      for i in 0..<4 { observations[row, i] = Float(input[i]) }
      for i in 0..<3 { actions[row, i] = Float(input[4 + i]) }
      differences.append(references[0].forward(input).outputs[0] - references[1].forward(input).outputs[0])
    }
    differences.sort()
    let middle = (differences[rows / 2] + differences[rows / 2 - 1]) / 2
    let bias = critics.networks[1].layout.output.biasIndex(output: 0)
    critics.networks[1].values[bias] += Float(middle)
    references[1] = NetworkReference(critics.networks[1].tensors("critic"))
  }

  /// Q_j(s, a) in double precision, with the action moved in one direction.
  func value(_ j: Int, _ row: Int, moved: Int? = nil, by h: Double = 0) -> Double {
    var input = inputs.row(row, of: 7)
    if let moved { input[4 + moved] += h }
    return references[j].forward(input).outputs[0]
  }
}

/// e², or Huber's loss as it is printed (Huber 1964): ½ e² within ±δ, a straight line of the same slope outside.
private func cost(_ error: Double, _ loss: ValueLoss) -> Double {
  guard case .huber(let threshold) = loss else { return error * error }
  let delta = Double(threshold)
  return abs(error) <= delta ? error * error / 2 : delta * abs(error) - delta * delta / 2
}

@Suite struct CriticsTests {
  @Test func `Huber's loss is the mean over the batch, of each critic to its own targets or to the same`() {
    let problem = Problem()
    problem.critics.evaluate(problem.observations, problem.actions, rows: 0..<12)
    let loss = ValueLoss.huber(threshold: 0.3)
    let each = FixedArray(count: 2) { Block(numbers(12, seed: 20 + UInt64($0))) }
    var (toFirst, toEach, outside) = (0.0, 0.0, 0)
    for row in 0..<12 {
      for j in 0..<2 {
        toFirst += cost(problem.value(j, row) - Double(each[0][row]), loss) / 12
        toEach += cost(problem.value(j, row) - Double(each[j][row]), loss) / 12
        if abs(problem.value(j, row) - Double(each[j][row])) > 0.3 { outside += 1 }
      }
    }
    #expect(outside > 3 && outside < 21, "both sides of the threshold")
    #expect(abs(problem.critics.mean(loss, to: each[0], weights: .ones(12), rows: 12) - toFirst) < 1e-6)
    #expect(abs(problem.critics.mean(loss, toEach: each, weights: .ones(12), rows: 12) - toEach) < 1e-6)
  }

  @Test(arguments: [[5], [16, 33], [17, 9, 20]])
  func `values are the network's, and their minimum and means are theirs`(hidden: [Int]) {
    let problem = Problem(hidden: hidden)
    let critics = problem.critics
    critics.evaluate(problem.observations, problem.actions, rows: 0..<12)
    var (sum, firstSum) = (0.0, 0.0)
    for row in 0..<12 {
      let values = (0..<2).map { problem.value($0, row) }
      for j in 0..<2 { #expect(abs(Double(critics.value(j, at: row)) - values[j]) < 1e-6) }
      #expect(critics.minimum(at: row) == min(critics.value(0, at: row), critics.value(1, at: row)))
      sum += values.min()!
      firstSum += values[0]
    }
    #expect(abs(critics.meanMinimum(rows: 12) - sum / 12) < 1e-6)
    #expect(abs(critics.meanMinimum(rows: 12, members: 1) - firstSum / 12) < 1e-6)
    let targets = numbers(12, seed: 9)
    let expected = (0..<12).reduce(0.0) { total, row in
      total + (0..<2).reduce(0.0) { $0 + pow(problem.value($1, row) - Double(targets[row]), 2) }
    }
    #expect(abs(critics.mean(.squared, to: Block(targets), weights: .ones(12), rows: 12) - expected / 12) < 1e-6)
  }

  @Test(arguments: [[5], [16, 33], [17, 9, 20]], [ValueLoss.squared, .huber(threshold: 0.3)])
  func `the gradient of every layer of every critic is the finite difference of J_Q`(hidden: [Int], loss: ValueLoss) {
    let problem = Problem(hidden: hidden)
    let targets = numbers(12, seed: 9)
    problem.critics.evaluate(problem.observations, problem.actions, rows: 0..<12)
    problem.critics.backward(loss, to: Block(targets), scale: 1 / 12, rows: 0..<12)
    problem.critics.weightGradients(problem.observations, problem.actions, rows: 12, .whole)
    let inputs = problem.inputs
    for j in 0..<2 {
      let network = problem.critics.networks[j]
      let expected = problem.references[j].gradient { reference in
        (0..<12).reduce(0.0) {
          $0 + cost(reference.forward(inputs.row($1, of: 7)).outputs[0] - Double(targets[$1]), loss) / 12
        }
      }
      #expect(firstDifference(network.tensors("critic", of: network.gradients), expected) == nil)
    }
  }

  @Test(arguments: [[5], [16, 33], [17, 9, 20]])
  func `the action's gradient of the minimum is the finite difference`(hidden: [Int]) {
    let problem = Problem(hidden: hidden)
    let gradient = Matrix(rows: 12, columns: 3)
    problem.critics.evaluate(problem.observations, problem.actions, rows: 0..<12)
    problem.critics.minimumActionGradient(scale: -0.25, into: gradient, rows: 12)
    var smaller = [0, 0]
    for row in 0..<12 {
      let values = (0..<2).map { problem.value($0, row) }
      guard abs(values[0] - values[1]) > 1e-4 else { continue }
      smaller[values[0] < values[1] ? 0 : 1] += 1
      for i in 0..<3 {
        func minimum(_ h: Double) -> Double {
          min(problem.value(0, row, moved: i, by: h), problem.value(1, row, moved: i, by: h))
        }
        let expected = -0.25 * (minimum(1e-6) - minimum(-1e-6)) / 2e-6
        #expect(abs(Double(gradient[row, i]) - expected) < 1e-3 * abs(expected) + 1e-6)
      }
    }
    #expect(smaller.allSatisfy { $0 > 3 }, "one critic was hardly ever the smaller")
  }

  @Test func `the action's gradient of the minimum goes through the smaller critic only, ties through the first`()
    throws
  {
    let problem = Problem()
    let critics = problem.critics
    // the first critic far below the second, then far above, then equal
    for (shift, smaller) in [(-100, 0), (100, 1), (0, 0)] as [(Float, Int)] {
      var tensors = critics.tensors("critic")
      let bias = tensors.firstIndex { $0.name == "critic.0.layer.2.bias" }!
      tensors[bias] = Tensor(name: tensors[bias].name, shape: [1], values: [shift])
      if shift == 0 {
        tensors = tensors.map { tensor in
          guard tensor.name.hasPrefix("critic.1") else { return tensor }
          let twin = tensors.first { $0.name == "critic.0" + tensor.name.dropFirst(8) }!
          return Tensor(name: tensor.name, shape: tensor.shape, values: twin.values)
        }
      }
      try critics.load("critic", from: finder(tensors))

      // a critic alone, with the smaller one's parameters
      let alone = Critics(
        count: 1, observationSize: 4, actionSize: 3, hiddenSizes: [16, 33], batchSize: 12, isLearned: true)
      alone.networks[0].copy(critics.networks[smaller])
      let expected = Matrix(rows: 12, columns: 3)
      alone.evaluate(problem.observations, problem.actions, rows: 0..<12)
      alone.firstActionGradient(scale: 1, into: expected, rows: 0..<12)

      let gradient = Matrix(rows: 12, columns: 3)
      critics.evaluate(problem.observations, problem.actions, rows: 0..<12)
      critics.minimumActionGradient(scale: 1, into: gradient, rows: 12)
      #expect(gradient.values.bits == expected.values.bits, "shift \(shift)")
    }
  }

  @Test func `the action's gradient of the minimum does not depend on the order of the rows or their division`() {
    let problem = Problem(rows: 150)
    let (observations, actions) = (problem.observations.values, problem.actions.values)

    func gradient(_ order: [Int], chunk: Int) -> [[UInt32]] {
      let result = Matrix(rows: 150, columns: 3)
      let s = Matrix(order.flatMap { observations[$0 * 4..<$0 * 4 + 4] }, rows: 150, columns: 4)
      let a = Matrix(order.flatMap { actions[$0 * 3..<$0 * 3 + 3] }, rows: 150, columns: 3)
      for first in stride(from: 0, to: 150, by: chunk) {
        let rows = first..<min(150, first + chunk)
        problem.critics.evaluate(s, a, rows: rows)
      }
      problem.critics.minimumActionGradient(scale: 1, into: result, rows: 150, chunk: chunk)
      var rows = [[UInt32]](repeating: [], count: 150)
      for (place, row) in order.enumerated() { rows[row] = (0..<3).map { result[place, $0].bitPattern } }
      return rows
    }
    let straight = gradient(Array(0..<150), chunk: 150)
    #expect(gradient((0..<150).reversed(), chunk: 150) == straight)
    #expect(gradient((0..<150).map { $0 * 7 % 150 }, chunk: 64) == straight)
    #expect(gradient(Array(0..<150), chunk: 1) == straight)
  }

  @Test func `gradients of the action leave the parameters' gradients alone`() {
    let problem = Problem()
    let critics = problem.critics
    critics.evaluate(problem.observations, problem.actions, rows: 0..<12)
    critics.backward(.squared, to: Block(count: 12), scale: 1, rows: 0..<12)
    critics.weightGradients(problem.observations, problem.actions, rows: 12, .whole)
    let before = critics.networks.map { $0.gradients.values.bits }
    let gradient = Matrix(rows: 12, columns: 3)
    critics.minimumActionGradient(scale: 1, into: gradient, rows: 12)
    critics.firstActionGradient(scale: 1, into: gradient, rows: 0..<12)
    #expect(critics.networks.map { $0.gradients.values.bits } == before)
  }

  @Test func `the first critic's action gradient is the finite difference, also when it alone was evaluated`() {
    let problem = Problem()
    let gradient = Matrix(rows: 12, columns: 3)
    problem.critics.evaluate(0, problem.observations, problem.actions, rows: 0..<12)
    problem.critics.firstActionGradient(scale: 2, into: gradient, rows: 0..<12)
    for row in 0..<12 {
      for i in 0..<3 {
        let expected =
          2 * (problem.value(0, row, moved: i, by: 1e-6) - problem.value(0, row, moved: i, by: -1e-6)) / 2e-6
        #expect(abs(Double(gradient[row, i]) - expected) < 1e-3 * abs(expected) + 1e-6)
      }
    }
  }

  // MARK: targets

  @Test func `the spread is the deviation of the critics in a row, relative to that of their mean among the rows`() {
    let critics = Critics(count: 2, observationSize: 1, actionSize: 1, hiddenSizes: [4], batchSize: 3)
    for (j, values) in [[1, 2, 9] as [Float], [3, 2, 9]].enumerated() {
      for row in 0..<3 { critics.values[j][row] = values[row] }
    }
    #expect(critics.disagreement(rows: 2).spread == 0.5)
    // the means are 2 and 2, and then 9, too: their deviation is √(98 / 9)
    #expect(critics.disagreement(rows: 2).relative.isNaN)
    #expect(abs(critics.disagreement(rows: 3).relative - 1.0 / 3 / (98.0 / 9).squareRoot()) < 1e-12)
    for row in 0..<3 { critics.values[1][row] = critics.values[0][row] }
    #expect(critics.disagreement(rows: 3).relative == 0)
    let one = Critics(count: 1, observationSize: 1, actionSize: 1, hiddenSizes: [4], batchSize: 3)
    for row in 0..<3 { one.values[0][row] = Float(row) }
    #expect(one.disagreement(rows: 3).relative.isNaN)
  }

  @Test func `targets start as copies, give the same values and need no gradients`() {
    let problem = Problem()
    let targets = Critics(
      count: 2, observationSize: 4, actionSize: 3, hiddenSizes: [16, 33], batchSize: 12, isLearned: false)
    targets.copy(problem.critics)
    problem.critics.evaluate(problem.observations, problem.actions, rows: 0..<12)
    targets.evaluate(problem.observations, problem.actions, rows: 0..<12)
    for row in 0..<12 {
      for j in 0..<2 { #expect(targets.value(j, at: row) == problem.critics.value(j, at: row)) }
    }
    #expect(targets.networks.allSatisfy { $0.gradients.count == 0 && $0.transposed.count == 0 })
  }

  @Test(arguments: [1, 2, 3, 5])
  func `targets follow by the recursion of Polyak, exactly, with any number of workers`(workers: Int) {
    let problem = Problem()
    let targets = Critics(
      count: 2, observationSize: 4, actionSize: 3, hiddenSizes: [16, 33], batchSize: 12, isLearned: false)
    var stream = RandomStream(seed: 77, purpose: "initialization")
    targets.initialize(using: &stream)
    var expected = targets.tensors("").map(\.values)
    let online = problem.critics.tensors("").map(\.values)
    let pool = WorkerPool(count: workers)
    for _ in 0..<5 {
      pool.forEachShare(of: 2) { targets.track($0, problem.critics, rate: 0.01, $1) }
      for k in expected.indices {
        for i in expected[k].indices {
          expected[k][i] = expected[k][i].addingProduct(0.01, online[k][i] - expected[k][i])
        }
      }
    }
    #expect(targets.tensors("").map(\.values) == expected)
    pool.forEachShare(of: 2) { targets.track($0, problem.critics, rate: 1, $1) }
    #expect(targets.tensors("").map(\.values) == online)
    #expect(targets.trackedAllFinite)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `a target that is not finite is seen as it follows, in any share`(value: Float) {
    let problem = Problem()
    let pool = WorkerPool(count: 3)
    for index in [0, 100, 400] {
      let targets = Critics(
        count: 2, observationSize: 4, actionSize: 3, hiddenSizes: [16, 33], batchSize: 12, isLearned: false)
      pool.forEachShare(of: 2) { targets.track($0, problem.critics, rate: 0.01, $1) }
      #expect(targets.trackedAllFinite)
      targets.networks[1].values[index] = value
      pool.forEachShare(of: 2) { targets.track($0, problem.critics, rate: 0.01, $1) }
      #expect(!targets.trackedAllFinite)
    }
  }

  // MARK: state

  @Test func `each critic's tensors have its number in their names`() throws {
    let problem = Problem()
    let tensors = problem.critics.tensors("critic")
    #expect(
      tensors.map(\.name)
        == (0..<2).flatMap { j in
          (0..<3).flatMap { ["critic.\(j).layer.\($0).weight", "critic.\(j).layer.\($0).bias"] }
        })
    #expect(tensors.prefix(6).map(\.shape) == [[16, 7], [16], [33, 16], [33], [1, 33], [1]])
    let other = Critics(
      count: 2, observationSize: 4, actionSize: 3, hiddenSizes: [16, 33], batchSize: 12, isLearned: true)
    try other.load("critic", from: finder(tensors))
    #expect(other.tensors("critic") == tensors)
  }
}

/// All critics one after another, as one worker does it.
extension Critics {
  func backward(_ loss: ValueLoss, to targets: borrowing Block, scale: Float, rows: Range<Int>) {
    for j in 0..<count {
      backward(j, loss, to: targets, weights: .ones(rows.upperBound), scale: scale, rows: rows)
    }
  }

  func weightGradients(
    _ observations: borrowing Matrix, _ actions: borrowing Matrix, rows: Int, _ share: Share
  ) {
    for j in 0..<count { weightGradients(j, observations, actions, rows: rows, share) }
  }

  func minimumActionGradient(scale: Float, into gradient: borrowing Matrix, rows: Int, chunk: Int = 256) {
    gatherMinimum(rows: rows)
    for j in 0..<count {
      for start in stride(from: 0, to: gathered[j], by: chunk) {
        minimumActionGradient(j, scale: scale, into: gradient, rows: start..<min(gathered[j], start + chunk))
      }
    }
  }
}
