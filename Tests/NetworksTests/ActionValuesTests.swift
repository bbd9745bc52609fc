import Foundation
import Kernels
import Networks
import Platform
import Testing

@Suite struct ActionValuesTests {
  /// Critics of 3 choices (or more) over 4 observations, off every kink.
  private struct Problem: ~Copyable {
    let values: ActionValues
    let references: [NetworkReference]
    let inputs: [Float]
    let observations: Matrix
    let actions: Matrix
    let targets: Block

    init(count: Int, choices: Int = 3, hidden: [Int] = [16, 33], rows: Int = 12) {
      values = ActionValues(
        count: count, observationSize: 4, choices: choices, hiddenSizes: hidden, batchSize: rows, isLearned: true)
      var stream = RandomStream(seed: 8, purpose: "initialization")
      values.initialize(using: &stream)
      references = values.networks.map { NetworkReference($0.tensors("critic")) }
      inputs = inputsOffKinks(references, rows: rows, size: 4, seed: 5)
      observations = Matrix(inputs, rows: rows, columns: 4)
      actions = Matrix((0..<rows).map { Float($0 * 7 % choices) }, rows: rows, columns: 1)
      targets = Block(numbers(rows, seed: 9).map { 2 * $0 })
    }
  }

  @Test(arguments: [[5], [16, 33], [17, 9, 20]], [2, 3, 18])
  func `values are the networks', and the best and the smaller are theirs`(hidden: [Int], choices: Int) {
    let problem = Problem(count: 2, choices: choices, hidden: hidden)
    let (values, inputs) = (problem.values, problem.inputs)
    values.evaluate(problem.observations, rows: 0..<12)
    for row in 0..<12 {
      let expected = problem.references.map { $0.forward(inputs.row(row, of: 4)).outputs }
      for choice in 0..<choices {
        for j in 0..<2 {
          #expect(abs(Double(values.value(j, of: choice, at: row)) - expected[j][choice]) < 1e-6)
        }
        let smaller = min(expected[0][choice], expected[1][choice])
        #expect(abs(Double(values.minimum(of: choice, at: row)) - smaller) < 1e-6)
      }
      #expect(expected[0][values.best(at: row)] == expected[0].max())
    }
  }

  @Test(arguments: [1, 2], [ValueLoss.squared, .huber(threshold: 0.6)])
  func `the gradient is that of the loss of the taken actions, by finite differences`(count: Int, loss: ValueLoss) {
    let rows = 12
    let problem = Problem(count: count)
    let values = problem.values
    values.evaluate(problem.observations, rows: 0..<rows)
    values.backward(
      loss, to: problem.targets, actions: problem.actions, scale: 1 / Float(rows), rows: 0..<rows)
    values.weightGradients(problem.observations, rows: rows, .whole)

    func cost(_ error: Double) -> Double {
      switch loss {
      case .squared: error * error
      case .huber(let threshold):
        abs(error) <= Double(threshold)
          ? error * error / 2 : Double(threshold) * abs(error) - Double(threshold) * Double(threshold) / 2
      }
    }
    let (actions, targets) = (problem.actions.values, problem.targets.values)
    let inputs = problem.inputs
    var total = 0.0
    for j in 0..<count {
      func meanCost(of network: NetworkReference) -> Double {
        (0..<rows).reduce(0.0) { sum, row in
          let q = network.forward(inputs.row(row, of: 4)).outputs[Int(actions[row])]
          return sum + cost(q - Double(targets[row])) / Double(rows)
        }
      }
      total += meanCost(of: problem.references[j])
      let network = values.networks[j]
      let difference = firstDifference(
        network.tensors("critic", of: network.gradients), problem.references[j].gradient(meanCost(of:)))
      #expect(difference == nil)
    }
    let mean = values.mean(loss, to: problem.targets, weights: .ones(rows), actions: problem.actions, rows: rows)
    #expect(abs(mean - total) < 1e-6)
  }

  @Test func `both sides of Huber's threshold are met, and the loss is smooth there`() {
    let loss = ValueLoss.huber(threshold: 0.5)
    #expect(loss.value(0.5) == 0.125 && abs(loss.value(-0.500001) - 0.1250005) < 1e-9)
    #expect(loss.value(2) == 0.875 && loss.value(-2) == 0.875)
    #expect(loss.derivative(0.3) == 0.3 && loss.derivative(2) == 0.5 && loss.derivative(-2) == -0.5)
    #expect(ValueLoss.squared.value(-3) == 9 && ValueLoss.squared.derivative(-3) == -6)
  }

  @Test func `rows in two parts give the bits of rows at once`() {
    func gradients(_ parts: [Range<Int>]) -> [[UInt32]] {
      let problem = Problem(count: 2)
      for rows in parts {
        problem.values.evaluate(problem.observations, rows: rows)
        problem.values.backward(
          .squared, to: problem.targets, actions: problem.actions, scale: 0.1, rows: rows)
      }
      problem.values.weightGradients(problem.observations, rows: 12, .whole)
      return problem.values.networks.map { $0.gradients.values.bits }
    }
    #expect(gradients([0..<12]) == gradients([0..<5, 5..<12]))
  }

  @Test func `targets begin as copies, and follow`() {
    let problem = Problem(count: 2)
    let targets = ActionValues(
      count: 2, observationSize: 4, choices: 3, hiddenSizes: [16, 33], batchSize: 12, isLearned: false)
    let values = problem.values
    targets.copy(values)
    #expect(targets.tensors("x") == values.tensors("x"))
    values.networks[1].values[0] += 1
    targets.track(1, values, rate: 0.25, .whole)
    let difference = values.networks[1].values[0] - targets.networks[1].values[0]
    #expect(abs(difference - 0.75) < 1e-6)
  }
}

/// All critics one after another, as one worker does it.
extension ActionValues {
  func evaluate(_ observations: borrowing Matrix, rows: Range<Int>) {
    for j in 0..<count { evaluate(j, observations, rows: rows) }
  }

  func backward(
    _ loss: ValueLoss, to targets: borrowing Block, actions: borrowing Matrix, scale: Float, rows: Range<Int>
  ) {
    for j in 0..<count {
      backward(
        j, loss, to: targets, weights: .ones(rows.upperBound), actions: actions, scale: scale, rows: rows)
    }
  }

  func weightGradients(_ observations: borrowing Matrix, rows: Int, _ share: Share) {
    for j in 0..<count { weightGradients(j, observations, rows: rows, share) }
  }
}
