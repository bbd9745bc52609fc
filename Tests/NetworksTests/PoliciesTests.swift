import Formats
import Foundation
import Kernels
import Networks
import Testing

/// a and log π of the squashed Gaussian in double precision: the density of N(u; μ, σ) over da/du = 1 / cosh² u.
private func squashedGaussianReference(mean: Double, logDeviation: Double, noise: Double) -> (Double, Double) {
  let clamped = min(max(logDeviation, -20), 2)
  let u = mean + exp(clamped) * noise
  let logCosh = abs(u) + log1p(exp(-2 * abs(u))) - log(2)
  return (tanh(u), -0.5 * noise * noise - clamped - 0.5 * log(2 * .pi) + 2 * logCosh)
}

/// A policy whose heads are its observation: [μ, log σ] = W relu([x, −x]) with W = [I, −I].
private func transparentPolicy(actionSize: Int, batchSize: Int) throws -> SquashedGaussian {
  let size = 2 * actionSize
  let policy = SquashedGaussian(
    observationSize: size, actionSize: actionSize, hiddenSizes: [2 * size], batchSize: batchSize)
  var first = [Float](repeating: 0, count: 2 * size * size)
  var heads = first
  for i in 0..<size {
    first[i * size + i] = 1
    first[(size + i) * size + i] = -1
    heads[i * 2 * size + i] = 1
    heads[i * 2 * size + size + i] = -1
  }
  let half = actionSize * 2 * size
  let zeros = [Float](repeating: 0, count: actionSize)
  try policy.parameters.load(
    "policy",
    from: finder([
      Tensor(name: "policy.layer.0.weight", shape: [2 * size, size], values: first),
      Tensor(name: "policy.layer.0.bias", shape: [2 * size], values: [Float](repeating: 0, count: 2 * size)),
      Tensor(name: "policy.mean.weight", shape: [actionSize, 2 * size], values: Array(heads[..<half])),
      Tensor(name: "policy.mean.bias", shape: [actionSize], values: zeros),
      Tensor(name: "policy.log_std.weight", shape: [actionSize, 2 * size], values: Array(heads[half...])),
      Tensor(name: "policy.log_std.bias", shape: [actionSize], values: zeros),
    ]))
  return policy
}

/// Sizes of the hidden layers: below, at and past a panel, one layer to three.
private let hiddenSizes = [[5], [16, 33], [17, 9, 20]]

@Suite struct SquashedGaussianTests {
  // what single precision loses: 6.2e-8, 5.6e-7, 3.7e-7, 2.7e-7 (Fixtures/README.md), with room for another order
  @Test func `actions, densities and gradients are PyTorch's`() throws {
    let expected = try fixture("squashed_gaussian")
    let shape = try expected.shape("mean")
    let (rows, size) = (shape[0], shape[1])
    let (mean, logDeviation, noise) = try (
      expected.floats("mean"), expected.floats("log_std"), expected.floats("noise")
    )
    let (actionWeight, densityWeight) = try (
      expected.floats("action_weight"), expected.floats("log_probability_weight")
    )
    let policy = try transparentPolicy(actionSize: size, batchSize: 1)
    let draw = PolicyDraw(rows: 1, actionSize: size)

    func check(_ values: [Float], _ name: String, _ row: Int, _ tolerance: Double) throws {
      let expected = try expected.doubles(name)
      for i in values.indices {
        let reference = expected[row * values.count + i]
        #expect(
          abs(Double(values[i]) - reference) <= tolerance * max(1, abs(reference)),
          "\(name) of row \(row): \(values[i]), not \(reference)")
      }
    }
    for row in 0..<rows {
      let range = row * size..<(row + 1) * size
      // the heads' gradients are the gradients of their biases when the batch is one row
      let observation = Matrix(Array(mean[range] + logDeviation[range]), rows: 1, columns: 2 * size)
      policy.sample(observation, noise: Block(Array(noise[range])), into: draw, rows: 0..<1)
      policy.backward(
        actionGradient: Matrix(Array(actionWeight[range]), rows: 1, columns: size),
        logProbabilityGradient: densityWeight[row], rows: 0..<1)
      policy.weightGradients(observation, rows: 1, .whole)
      let gradients = policy.parameters.tensors("", of: policy.parameters.gradients)
      try check(draw.actions.values, "action", row, 2e-7)
      try check(draw.logProbabilities.values, "log_probability", row, 1.2e-6)
      try check(try #require(gradients.first { $0.name == ".mean.bias" }).values, "mean_gradient", row, 1e-6)
      try check(try #require(gradients.first { $0.name == ".log_std.bias" }).values, "log_std_gradient", row, 1e-6)
    }
  }

  @Test(arguments: hiddenSizes)
  func `the gradient of every layer is the finite difference`(hidden: [Int]) {
    let (rows, observationSize, actionSize) = (6, 5, 3)
    let policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: hidden, batchSize: rows)
    var stream = RandomStream(seed: 3, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    let reference = NetworkReference(policy.parameters.tensors("policy"))
    let x = inputsOffKinks([reference], rows: rows, size: observationSize, seed: 1)
    let noise = numbers(rows * actionSize, seed: 2)
    let weights = numbers(rows * actionSize, seed: 3)
    let densityWeight: Float = 0.3

    let observations = Matrix(x, rows: rows, columns: observationSize)
    let draw = PolicyDraw(rows: rows, actionSize: actionSize)
    policy.sample(observations, noise: Block(noise), into: draw, rows: 0..<rows)
    policy.backward(
      actionGradient: Matrix(weights, rows: rows, columns: actionSize), logProbabilityGradient: densityWeight,
      rows: 0..<rows)
    policy.weightGradients(observations, rows: rows, .whole)

    let expected = reference.gradient { network in
      var loss = 0.0
      for row in 0..<rows {
        let heads = network.forward(x.row(row, of: observationSize)).outputs
        for i in 0..<actionSize {
          let index = row * actionSize + i
          let (action, logProbability) = squashedGaussianReference(
            mean: heads[i], logDeviation: heads[actionSize + i], noise: Double(noise[index]))
          loss += Double(weights[index]) * action + Double(densityWeight) * logProbability
        }
      }
      return loss
    }
    #expect(firstDifference(policy.parameters.tensors("policy", of: policy.parameters.gradients), expected) == nil)
  }

  @Test(arguments: hiddenSizes)
  func `with the actions held fixed the gradient of every layer is the finite difference of log π`(hidden: [Int]) {
    let (rows, observationSize, actionSize, draws) = (6, 5, 3, 4)
    let policy = SquashedGaussian(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: hidden, batchSize: rows)
    var stream = RandomStream(seed: 3, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    let reference = NetworkReference(policy.parameters.tensors("policy"))
    let x = inputsOffKinks([reference], rows: rows, size: observationSize, seed: 1)
    let noise = numbers(draws * rows * actionSize, seed: 2)
    let weights = numbers(draws * rows, seed: 3)

    let observations = Matrix(x, rows: rows, columns: observationSize)
    let draw = PolicyDraw(rows: rows, actionSize: actionSize)
    policy.evaluate(observations, rows: 0..<rows)
    for k in 0..<draws { policy.sampleAgain(k, noise: Block(noise), into: draw, rows: 0..<rows) }
    policy.backward(scoreWeights: Block(weights), draws: draws, noise: Block(noise), rows: 0..<rows)
    policy.weightGradients(observations, rows: rows, .whole)

    // u of every draw, as it is held
    let drawn = (0..<rows).map { reference.forward(x.row($0, of: observationSize)).outputs }
    let expected = reference.gradient { network in
      var loss = 0.0
      for row in 0..<rows {
        let heads = network.forward(x.row(row, of: observationSize)).outputs
        for k in 0..<draws {
          for i in 0..<actionSize {
            let epsilon = Double(noise[(k * rows + row) * actionSize + i])
            let u = drawn[row][i] + exp(drawn[row][actionSize + i]) * epsilon
            let z = (u - heads[i]) / exp(heads[actionSize + i])
            loss += Double(weights[k * rows + row]) * (-0.5 * z * z - heads[actionSize + i])
          }
        }
      }
      return loss
    }
    #expect(firstDifference(policy.parameters.tensors("policy", of: policy.parameters.gradients), expected) == nil)
  }

  @Test(arguments: [(0.3, -0.7), (-1, -2), (0, 0.2)] as [(Float, Float)])
  func `the density integrates to one`(mean: Float, logDeviation: Float) throws {
    // ∫ π(a) da over the actions that a fine grid of ε gives, by trapezia
    let policy = try transparentPolicy(actionSize: 1, batchSize: 4001)
    let observations = Matrix(rows: 4001, columns: 2)
    let noise = Block(count: 4001)
    for i in 0...4000 {
      observations[i, 0] = mean
      observations[i, 1] = logDeviation
      noise[i] = Float(i - 2000) / 2000 * 5
    }
    let draw = PolicyDraw(rows: 4001, actionSize: 1)
    policy.sample(observations, noise: noise, into: draw, rows: 0..<4001)
    var integral = 0.0
    for i in 0..<4000 {
      let width = Double(draw.actions[i + 1, 0]) - Double(draw.actions[i, 0])
      integral += width * 0.5 * (exp(Double(draw.logProbabilities[i])) + exp(Double(draw.logProbabilities[i + 1])))
    }
    #expect(abs(integral - 1) < 1e-3)
  }

  @Test func `the mean action is tanh μ, and no ε changes it`() {
    let policy = SquashedGaussian(observationSize: 5, actionSize: 3, hiddenSizes: [16, 33], batchSize: 7)
    var stream = RandomStream(seed: 3, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    let x = numbers(35, seed: 1)
    let actions = Matrix(rows: 7, columns: 3)
    policy.mean(Matrix(x, rows: 7, columns: 5), into: actions, rows: 0..<7)
    let reference = NetworkReference(policy.parameters.tensors("policy"))
    for row in 0..<7 {
      let heads = reference.forward(x.row(row, of: 5)).outputs
      for i in 0..<3 { #expect(abs(Double(actions[row, i]) - tanh(heads[i])) < 1e-6) }
    }
    let draw = PolicyDraw(rows: 7, actionSize: 3)
    policy.sample(Matrix(x, rows: 7, columns: 5), noise: Block(count: 21), into: draw, rows: 0..<7)
    #expect(draw.actions.values == actions.values)
  }

  @Test func `a policy that shares another's parameters acts as it does, also after a change`() {
    let policy = SquashedGaussian(observationSize: 5, actionSize: 3, hiddenSizes: [8], batchSize: 2)
    let acting = SquashedGaussian(sharing: policy, batchSize: 1)
    let x = Matrix(numbers(5, seed: 1), rows: 1, columns: 5)
    let two = Matrix(numbers(5, seed: 1) + numbers(5, seed: 2), rows: 2, columns: 5)
    for seed in 0..<2 as Range<UInt64> {
      var stream = RandomStream(seed: seed, purpose: "initialization")
      policy.parameters.initialize(using: &stream)
      let one = Matrix(rows: 1, columns: 3)
      let both = Matrix(rows: 2, columns: 3)
      acting.mean(x, into: one, rows: 0..<1)
      policy.mean(two, into: both, rows: 0..<2)
      #expect(one.values.bits == Array(both.values[..<3]).bits)
    }
  }
}

@Suite struct DeterministicPolicyTests {
  @Test(arguments: hiddenSizes)
  func `actions are tanh of the network, and the gradient of every layer is the finite difference`(hidden: [Int]) {
    let (rows, observationSize, actionSize) = (6, 5, 3)
    let policy = DeterministicPolicy(
      observationSize: observationSize, actionSize: actionSize, hiddenSizes: hidden, batchSize: rows, isLearned: true)
    var stream = RandomStream(seed: 4, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    let reference = NetworkReference(policy.parameters.tensors("policy"))
    let x = inputsOffKinks([reference], rows: rows, size: observationSize, seed: 1)
    let weights = numbers(rows * actionSize, seed: 3)

    let observations = Matrix(x, rows: rows, columns: observationSize)
    let actions = Matrix(rows: rows, columns: actionSize)
    policy.evaluate(observations, into: actions, rows: 0..<rows)
    for row in 0..<rows {
      let outputs = reference.forward(x.row(row, of: observationSize)).outputs
      for i in 0..<actionSize { #expect(abs(Double(actions[row, i]) - tanh(outputs[i])) < 1e-6) }
    }
    policy.backward(
      actions: actions, actionGradient: Matrix(weights, rows: rows, columns: actionSize), rows: 0..<rows)
    policy.weightGradients(observations, rows: rows, .whole)

    let expected = reference.gradient { network in
      var loss = 0.0
      for row in 0..<rows {
        let outputs = network.forward(x.row(row, of: observationSize)).outputs
        for i in 0..<actionSize { loss += Double(weights[row * actionSize + i]) * tanh(outputs[i]) }
      }
      return loss
    }
    #expect(firstDifference(policy.parameters.tensors("policy", of: policy.parameters.gradients), expected) == nil)
  }

  @Test func `a target policy acts as the policy it was copied from`() {
    let policy = DeterministicPolicy(
      observationSize: 5, actionSize: 3, hiddenSizes: [16, 33], batchSize: 4, isLearned: true)
    let target = DeterministicPolicy(
      observationSize: 5, actionSize: 3, hiddenSizes: [16, 33], batchSize: 4, isLearned: false)
    var stream = RandomStream(seed: 4, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    target.parameters.copy(policy.parameters)
    let x = Matrix(numbers(20, seed: 1), rows: 4, columns: 5)
    let first = Matrix(rows: 4, columns: 3)
    let second = Matrix(rows: 4, columns: 3)
    policy.evaluate(x, into: first, rows: 0..<4)
    target.evaluate(x, into: second, rows: 0..<4)
    #expect(first.values.bits == second.values.bits)
    #expect(target.parameters.gradients.count == 0 && target.parameters.transposed.count == 0)
  }
}
