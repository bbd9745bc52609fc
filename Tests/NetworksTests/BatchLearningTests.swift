import Foundation
import Kernels
import Platform
import Testing

@testable import Networks

/// A network that normalises batches in double precision, slowly, from tensors as PyTorch would read them.
struct BatchReference {
  let prefix: String
  let activation: Activation
  let depth: Int
  let order: BatchNormalization.Order
  var values: [String: [Double]]
  let shapes: [String: [Int]]
  /// r and d of every place and column; nil: they are found from the batch.
  var constants: [[(ratio: Double, distance: Double)]]?

  init(
    _ tensors: [Tensor], _ prefix: String, _ activation: Activation, depth: Int,
    order: BatchNormalization.Order = .afterActivation
  ) {
    (self.prefix, self.activation, self.depth, self.order) = (prefix, activation, depth, order)
    values = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.values.map(Double.init)) })
    shapes = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) })
  }

  private func tensor(_ name: String) -> [Double] { values["\(prefix).\(name)"]! }

  /// What the heads give for a batch, normalised by its own statistics or by the running ones, and r and d.
  func forward(
    _ batch: [[Double]], heads: [String], learning: Bool, bounds: (Double, Double)? = nil
  ) -> (outputs: [[Double]], constants: [[(ratio: Double, distance: Double)]]) {
    var (x, constants) = (batch, [[(ratio: Double, distance: Double)]]())
    for k in 0...depth {
      let (means, variances) = (tensor("batch_norm.\(k).running_mean"), tensor("batch_norm.\(k).running_var"))
      let (scale, shift) = (tensor("batch_norm.\(k).weight"), tensor("batch_norm.\(k).bias"))
      var own: [(ratio: Double, distance: Double)] = []
      for i in scale.indices {
        var (mean, variance) = (means[i], variances[i])
        var (ratio, distance) = (1.0, 0.0)
        if learning {
          let past = (variance + 1e-3).squareRoot()
          let pastMean = mean
          mean = x.reduce(0) { $0 + $1[i] } / Double(x.count)
          variance = x.reduce(0) { $0 + ($1[i] - mean) * ($1[i] - mean) } / Double(x.count)
          if let bounds {
            ratio = min(max((variance + 1e-3).squareRoot() / past, 1 / bounds.0), bounds.0)
            distance = min(max((mean - pastMean) / past, -bounds.1), bounds.1)
          }
          if let held = self.constants { (ratio, distance) = held[k][i] }
        }
        own.append((ratio, distance))
        let deviation = (variance + 1e-3).squareRoot()
        for row in x.indices { x[row][i] = scale[i] * ((x[row][i] - mean) / deviation * ratio + distance) + shift[i] }
      }
      constants.append(own)
      if order == .beforeActivation && k > 0 { x = x.map { $0.map(applied) } }
      guard k < depth else { break }
      x = x.map { product("layer.\(k)", $0) }
      if order == .afterActivation { x = x.map { $0.map(applied) } }
    }
    return (x.map { row in heads.flatMap { product($0, row) } }, constants)
  }

  private func product(_ name: String, _ x: [Double]) -> [Double] {
    let weight = tensor(name + ".weight")
    let biases = values["\(prefix).\(name).bias"] ?? [Double](repeating: 0, count: weight.count / x.count)
    return biases.enumerated().map { row, bias in
      x.indices.reduce(bias) { $0 + weight[row * x.count + $1] * x[$1] }
    }
  }

  private func applied(_ x: Double) -> Double {
    switch activation {
    case .relu: max(0, x)
    case .tanh: tanh(x)
    case .elu: x > 0 ? x : exp(x) - 1
    case .silu: x / (1 + exp(-x))
    }
  }

  /// ∂loss/∂θ of some tensor's elements by central differences.
  func gradient(_ name: String, _ loss: (BatchReference) -> Double) -> [Double] {
    let h = 1e-6
    var changed = self
    return values[name]!.indices.map { i in
      let value = values[name]![i]
      changed.values[name]![i] = value + h
      let up = loss(changed)
      changed.values[name]![i] = value - h
      let down = loss(changed)
      changed.values[name]![i] = value
      return (up - down) / (2 * h)
    }
  }
}

/// A way to normalise batches, with what a name says of it.
private struct Kind: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let activation: Activation
  let normalization: BatchNormalization
  let bounds: (Double, Double)?

  static let all: [Kind] = {
    var renormalized = BatchRenormalization()
    (renormalized.warmup, renormalized.ratioBound, renormalized.distanceBound) = (0, 1.2, 0.3)
    return [
      Kind(testDescription: "ReLU", activation: .relu, normalization: BatchNormalization(), bounds: nil),
      Kind(testDescription: "tanh", activation: .tanh, normalization: BatchNormalization(), bounds: nil),
      Kind(
        testDescription: "ReLU, renormalised", activation: .relu,
        normalization: BatchNormalization(renormalization: renormalized), bounds: (1.2, 0.3)),
      Kind(
        testDescription: "SiLU, renormalised", activation: .silu,
        normalization: BatchNormalization(renormalization: renormalized), bounds: (1.2, 0.3)),
    ]
  }()

  /// Those and what only networks with several outputs have.
  static let policies: [Kind] = {
    var first = BatchNormalization()
    first.order = .beforeActivation
    return all + [Kind(testDescription: "before ReLU", activation: .relu, normalization: first, bounds: nil)]
  }()
}

@Suite struct BatchLearningTests {
  static let (rows, s, a) = (11, 4, 3)
  static let sizes = [18, 7]

  private let observations = numbers(BatchLearningTests.rows * BatchLearningTests.s, seed: 21)
  private let actions = numbers(BatchLearningTests.rows * BatchLearningTests.a, seed: 22)
  private let nextObservations = numbers(BatchLearningTests.rows * BatchLearningTests.s, seed: 23).map { 2 * $0 + 1 }
  private let nextActions = numbers(BatchLearningTests.rows * BatchLearningTests.a, seed: 24)

  /// Scales that are not 1, shifts and running statistics that are not those of a new network.
  private func disturb(_ network: Parameters, _ stream: inout RandomStream) {
    for view in network.layout.tensors where view.name.hasPrefix("batch_norm") {
      view.forEachIndex { _, index in
        network.values[index] = (view.isBias ? 0 : 1) + 0.3 * (2 * stream.uniform() - 1)
      }
    }
    for site in network.layout.sites {
      for view in site.tensors {
        view.forEachIndex { _, index in
          network.statistics[index] = view.isBias ? 0.2 + stream.uniform() : 0.4 * (2 * stream.uniform() - 1)
        }
      }
    }
    network.refreshTransposed(.whole)
  }

  private func makeCritics(_ kind: Kind) -> (Critics, [BatchReference]) {
    let critics = Critics(
      count: 2, observationSize: Self.s, actionSize: Self.a,
      blocks: [NetworkBlock](Self.sizes, activation: kind.activation), batchSize: 2 * Self.rows, isLearned: true,
      batchNormalization: kind.normalization)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    critics.initialize(using: &stream)
    for network in critics.networks { disturb(network, &stream) }
    let references = critics.networks.map {
      BatchReference($0.tensors("critic"), "critic", kind.activation, depth: Self.sizes.count)
    }
    return (critics, references)
  }

  private func joint() -> [[Double]] {
    (0..<Self.rows).map { observations.row($0, of: Self.s) + actions.row($0, of: Self.a) }
      + (0..<Self.rows).map { nextObservations.row($0, of: Self.s) + nextActions.row($0, of: Self.a) }
  }

  private func evaluateJointly(_ critics: Critics, _ workers: WorkerPool = WorkerPool(count: 1)) {
    critics.evaluateJointly(
      Matrix(observations, rows: Self.rows, columns: Self.s), Matrix(actions, rows: Self.rows, columns: Self.a),
      next: Matrix(nextObservations, rows: Self.rows, columns: Self.s),
      Matrix(nextActions, rows: Self.rows, columns: Self.a), by: workers)
  }

  @Test(arguments: Kind.all)
  private func `the joint pass and every gradient of it are those of double precision`(kind: Kind) throws {
    let (critics, references) = makeCritics(kind)
    let targets = numbers(Self.rows, seed: 9)
    evaluateJointly(critics)
    critics.backwardJointly(
      .squared, to: Block(targets), weights: .ones(Self.rows), scale: 1 / Float(Self.rows), rows: Self.rows,
      by: WorkerPool(count: 1))
    for j in 0..<2 {
      let head = "layer.\(Self.sizes.count)"
      let (expected, constants) = references[j].forward(joint(), heads: [head], learning: true, bounds: kind.bounds)
      for row in 0..<2 * Self.rows {
        #expect(abs(Double(critics.value(j, at: row)) - expected[row][0]) < 2e-5, "Q_\(j) of row \(row)")
      }
      if kind.bounds != nil { #expect(constants.joined().contains { $0.ratio != 1 && $0.ratio != 1.2 }) }
      critics.jointWeightGradients(j, rows: Self.rows, .whole)
      let network = critics.networks[j]
      var held = references[j]
      held.constants = constants
      func loss(_ reference: BatchReference) -> Double {
        let outputs = reference.forward(joint(), heads: [head], learning: true).outputs
        return (0..<Self.rows).reduce(0) { $0 + pow(outputs[$1][0] - Double(targets[$1]), 2) / Double(Self.rows) }
      }
      for tensor in network.tensors("critic", of: network.gradients) {
        let expected = held.gradient(tensor.name, loss)
        let largest = expected.map(abs).max() ?? 0
        for (own, theirs) in zip(tensor.values, expected) {
          #expect(
            abs(Double(own) - theirs) <= 2e-3 * abs(theirs) + 1e-4 * max(largest, 0.01),
            "\(tensor.name): \(own), \(theirs)")
        }
      }
    }
  }

  @Test(arguments: Kind.all)
  private func `elsewhere running statistics normalise, and the gradient of the smaller critic reaches the action`(
    kind: Kind
  ) {
    let (critics, references) = makeCritics(kind)
    let x = Matrix(observations, rows: Self.rows, columns: Self.s)
    let z = Matrix(actions, rows: Self.rows, columns: Self.a)
    for j in 0..<2 { critics.evaluate(j, x, z, rows: 0..<Self.rows) }
    let head = ["layer.\(Self.sizes.count)"]
    func value(_ j: Int, _ row: Int, moved: Int = 0, by h: Double = 0) -> Double {
      var input = observations.row(row, of: Self.s) + actions.row(row, of: Self.a)
      input[Self.s + moved] += h
      return references[j].forward([input], heads: head, learning: false).outputs[0][0]
    }
    critics.gatherMinimum(rows: Self.rows)
    let gradient = Matrix(rows: Self.rows, columns: Self.a)
    for j in 0..<2 { critics.minimumActionGradient(j, scale: 0.5, into: gradient, rows: 0..<critics.gathered[j]) }
    let h = 1e-6
    for row in 0..<Self.rows {
      for j in 0..<2 { #expect(abs(Double(critics.value(j, at: row)) - value(j, row)) < 2e-5) }
      let smaller = critics.value(1, at: row) < critics.value(0, at: row) ? 1 : 0
      for i in 0..<Self.a {
        let expected = 0.5 * (value(smaller, row, moved: i, by: h) - value(smaller, row, moved: i, by: -h)) / (2 * h)
        #expect(abs(Double(gradient[row, i]) - expected) < 2e-4, "row \(row), action \(i)")
      }
    }
    for j in 0..<2 { critics.backwardToActions(j, scale: 0.25, rows: 0..<Self.rows) }
    critics.addActionGradients(into: gradient, rows: 0..<Self.rows)
    for row in 0..<Self.rows {
      for i in 0..<Self.a {
        let expected = (0..<2).reduce(0.0) {
          $0 + 0.25 * (value($1, row, moved: i, by: h) - value($1, row, moved: i, by: -h)) / (2 * h)
        }
        #expect(abs(Double(gradient[row, i]) - expected) < 2e-4, "all, row \(row), action \(i)")
      }
    }
  }

  // MARK: policy

  private func makePolicy(_ kind: Kind, sizes: [Int] = sizes) -> SquashedGaussian {
    let policy = SquashedGaussian(
      observationSize: Self.s, actionSize: Self.a, hiddenSizes: sizes, activation: kind.activation,
      batchSize: Self.rows, batchNormalization: kind.normalization)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    disturb(policy.parameters, &stream)
    return policy
  }

  @Test(arguments: Kind.policies)
  private func `a policy's draws from a batch and every gradient are those of double precision`(kind: Kind) {
    let policy = makePolicy(kind)
    let tensors = policy.parameters.tensors("policy")
    let noise = numbers(Self.rows * Self.a, seed: 5)
    let actionGradient = numbers(Self.rows * Self.a, seed: 6)
    let draw = PolicyDraw(rows: Self.rows, actionSize: Self.a)
    let workers = WorkerPool(count: 1)
    let x = Matrix(observations, rows: Self.rows, columns: Self.s)
    policy.sampleBatch(x, noise: Block(noise), into: draw, by: workers)
    policy.backwardBatch(
      actionGradient: Matrix(actionGradient, rows: Self.rows, columns: Self.a), logProbabilityGradient: 0.3, by: workers
    )
    policy.weightGradients(x, rows: Self.rows, .whole)

    var reference = BatchReference(
      tensors, "policy", kind.activation, depth: Self.sizes.count, order: kind.normalization.order)
    let batch = (0..<Self.rows).map { observations.row($0, of: Self.s) }
    let constants = reference.forward(batch, heads: [], learning: true, bounds: kind.bounds).constants
    reference.constants = constants
    func draws(_ reference: BatchReference) -> (actions: [[Double]], logProbabilities: [Double]) {
      let heads = reference.forward(batch, heads: ["mean", "log_std"], learning: true).outputs
      var (actions, logs) = ([[Double]](), [Double]())
      for row in 0..<Self.rows {
        var (own, sum) = ([Double](), 0.0)
        for i in 0..<Self.a {
          let (mean, logDeviation) = (heads[row][i], heads[row][Self.a + i])
          let e = Double(noise[row * Self.a + i])
          let u = mean + exp(logDeviation) * e
          own.append(tanh(u))
          sum += -0.5 * e * e - logDeviation - 0.5 * log(2 * Double.pi) - log(1 - tanh(u) * tanh(u))
        }
        actions.append(own)
        logs.append(sum)
      }
      return (actions, logs)
    }
    func loss(_ reference: BatchReference) -> Double {
      let (actions, logs) = draws(reference)
      var sum = logs.reduce(0) { $0 + 0.3 * $1 }
      for row in 0..<Self.rows {
        for i in 0..<Self.a { sum += actions[row][i] * Double(actionGradient[row * Self.a + i]) }
      }
      return sum
    }
    let (expected, logs) = draws(reference)
    for row in 0..<Self.rows {
      #expect(abs(Double(draw.logProbabilities[row]) - logs[row]) < 1e-4)
      for i in 0..<Self.a { #expect(abs(Double(draw.actions[row, i]) - expected[row][i]) < 2e-5) }
    }
    for tensor in policy.parameters.tensors("policy", of: policy.parameters.gradients) {
      let expected = reference.gradient(tensor.name, loss)
      let largest = expected.map(abs).max() ?? 0
      for (own, theirs) in zip(tensor.values, expected) {
        #expect(
          abs(Double(own) - theirs) <= 2e-3 * abs(theirs) + 1e-4 * max(largest, 0.01),
          "\(tensor.name): \(own), \(theirs)")
      }
    }
  }

  @Test(arguments: [[18, 7], [40], [16, 33, 5]])
  func `a folded policy acts as the policy does by its running statistics`(sizes: [Int]) {
    for kind in Kind.policies {
      let policy = makePolicy(kind, sizes: sizes)
      let folded = SquashedGaussian(
        observationSize: Self.s, actionSize: Self.a, hiddenSizes: sizes, activation: kind.activation,
        batchSize: Self.rows)
      policy.parameters.fold(into: folded.parameters)
      let x = Matrix(observations, rows: Self.rows, columns: Self.s)
      let own = PolicyDraw(rows: Self.rows, actionSize: Self.a)
      let theirs = PolicyDraw(rows: Self.rows, actionSize: Self.a)
      let noise = Block(numbers(Self.rows * Self.a, seed: 5))
      policy.sample(x, noise: noise, into: own, rows: 0..<Self.rows)
      folded.sample(x, noise: noise, into: theirs, rows: 0..<Self.rows)
      for row in 0..<Self.rows {
        #expect(abs(own.logProbabilities[row] - theirs.logProbabilities[row]) < 1e-4)
        for i in 0..<Self.a { #expect(abs(own.actions[row, i] - theirs.actions[row, i]) < 2e-5) }
      }
      #expect(folded.parameters.tensors("policy").count == 2 * (sizes.count + 2))
    }
  }

  @Test func `a batch that is only observed moves the running statistics as a draw from it does, and nothing else`() {
    for kind in Kind.policies {
      let (drawing, observing) = (makePolicy(kind), makePolicy(kind))
      let x = Matrix(observations, rows: Self.rows, columns: Self.s)
      let workers = WorkerPool(count: 2)
      let before = observing.parameters.tensors("policy")
      drawing.sampleBatch(
        x, noise: Block(count: Self.rows * Self.a), into: PolicyDraw(rows: Self.rows, actionSize: Self.a), by: workers)
      observing.observeBatch(x, by: workers)
      let after = observing.parameters.tensors("policy")
      #expect(after == drawing.parameters.tensors("policy"))
      for (old, new) in zip(before, after) {
        #expect((old != new) == (old.name.contains("running") || old.name.hasSuffix("batches")), "\(old.name)")
      }
    }
  }

  @Test func `normalised before ReLU hidden layers have no bias, and weights of length 1 stay so`() {
    let kind = Kind.policies[Kind.policies.count - 1]
    let policy = SquashedGaussian(
      observationSize: Self.s, actionSize: Self.a, hiddenSizes: Self.sizes, batchSize: Self.rows,
      batchNormalization: kind.normalization, hasUnitLengths: true)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    policy.parameters.initialize(using: &stream)
    func check() {
      for tensor in policy.parameters.tensors("policy") where tensor.shape.count == 2 {
        for row in 0..<tensor.shape[0] {
          let length = tensor.values.row(row, of: tensor.shape[1]).reduce(0) { $0 + $1 * $1 }.squareRoot()
          #expect(abs(length - 1) < 1e-6, "\(tensor.name), unit \(row)")
        }
      }
    }
    check()
    let names = policy.parameters.tensors("policy").map(\.name)
    #expect(names.contains("policy.layer.1.weight") && names.contains("policy.mean.bias"))
    #expect(!names.contains { $0.hasPrefix("policy.layer.") && $0.hasSuffix("bias") })
    let x = Matrix(observations, rows: Self.rows, columns: Self.s)
    let noise = Block(numbers(Self.rows * Self.a, seed: 5))
    let draw = PolicyDraw(rows: Self.rows, actionSize: Self.a)
    let (pool, before) = (WorkerPool(count: 2), policy.parameters.tensors("policy"))
    let optimizer = Adam([policy.parameters], AdamSettings(learningRate: 1e-2))
    for update in 1...20 {
      policy.sampleBatch(x, noise: noise, into: draw, by: pool)
      policy.backwardBatch(actionGradient: draw.actions, logProbabilityGradient: 0.1, by: pool)
      optimizer.step(atUpdate: update, by: pool) { _, share in policy.weightGradients(x, rows: Self.rows, share) }
    }
    check()
    for (old, new) in zip(before, policy.parameters.tensors("policy")) {
      #expect((old != new) == (old.name != "policy.batch_norm.0.bias"), "\(old.name)")
    }
    // a bias that is not there is 0 in the block
    let layer = policy.parameters.layout.layers[0]
    for unit in 0..<layer.outputs { #expect(policy.parameters.values[layer.biasIndex(output: unit)] == 0) }
  }

  // MARK: bits and state

  @Test(arguments: Kind.policies)
  private func `any number of workers has the same bits`(kind: Kind) {
    func learned(_ workers: Int) -> [[UInt32]] {
      // a dot product has no normalisation before ReLU
      let (critics, _) = makeCritics(kind.normalization.order == .beforeActivation ? Kind.all[0] : kind)
      let policy = makePolicy(kind)
      let pool = WorkerPool(count: workers)
      let settings = AdamSettings(learningRate: 1e-2)
      let (criticOptimizer, policyOptimizer) = (Adam(critics.networks, settings), Adam([policy.parameters], settings))
      let x = Matrix(observations, rows: Self.rows, columns: Self.s)
      let targets = Block(numbers(Self.rows, seed: 9))
      let noise = Block(numbers(Self.rows * Self.a, seed: 5))
      let draw = PolicyDraw(rows: Self.rows, actionSize: Self.a)
      for update in 1...4 {
        evaluateJointly(critics, pool)
        critics.backwardJointly(
          .squared, to: targets, weights: .ones(Self.rows), scale: 0.1, rows: Self.rows, by: pool)
        criticOptimizer.step(atUpdate: update, by: pool) { j, share in
          critics.jointWeightGradients(j, rows: Self.rows, share)
        }
        policy.sampleBatch(x, noise: noise, into: draw, by: pool)
        policy.backwardBatch(actionGradient: draw.actions, logProbabilityGradient: 0.1, by: pool)
        policyOptimizer.step(atUpdate: update, by: pool) { _, share in
          policy.weightGradients(x, rows: Self.rows, share)
        }
      }
      return (critics.tensors("") + policy.parameters.tensors("")).map(\.values.bits)
    }
    let one = learned(1)
    for workers in 2...5 { #expect(learned(workers) == one, "\(workers) workers") }
  }

  @Test func `renormalisation begins after the batches of its warm-up`() {
    var renormalization = BatchRenormalization()
    (renormalization.warmup, renormalization.ratioBound) = (2, 1.5)
    let normalization = BatchNormalization(renormalization: renormalization)
    let (critics, _) = makeCritics(
      Kind(testDescription: "", activation: .relu, normalization: normalization, bounds: nil))
    for batch in 0..<4 {
      #expect(critics.networks[0].batches == batch)
      evaluateJointly(critics)
      var ratios: [Float] = []
      for k in 0...2 {
        let columns = critics.activations[0].batchRecords[k].columns
        for column in 0..<columns { ratios.append(critics.activations[0].batchRecords[k].ratio(column)) }
      }
      #expect(ratios.contains { $0 != 1 } == (batch >= 2))
      #expect(ratios.allSatisfy { $0 >= 1 / 1.5 && $0 <= 1.5 })
    }
    #expect(critics.statisticsLag > 0)
  }

  @Test func `the running statistics and the count of batches are tensors, and come back`() throws {
    let (critics, _) = makeCritics(Kind.all[2])
    evaluateJointly(critics)
    let tensors = critics.tensors("critic")
    let names = Set(tensors.map(\.name))
    for k in 0...2 {
      for part in ["weight", "bias", "running_mean", "running_var"] {
        #expect(names.contains("critic.1.batch_norm.\(k).\(part)"))
      }
    }
    #expect(tensors.first { $0.name == "critic.0.batch_norm.batches" }?.values == [1])
    let (other, _) = makeCritics(Kind.all[0])
    try other.load("critic", from: finder(tensors))
    #expect(other.tensors("critic") == tensors && other.networks[0].batches == 1)
    // what the running statistics make of columns has followed
    let x = Matrix(observations, rows: Self.rows, columns: Self.s)
    let z = Matrix(actions, rows: Self.rows, columns: Self.a)
    critics.networks[0].refreshTransposed(.whole)
    critics.evaluate(0, x, z, rows: 0..<Self.rows)
    other.evaluate(0, x, z, rows: 0..<Self.rows)
    #expect((0..<Self.rows).allSatisfy { critics.value(0, at: $0) == other.value(0, at: $0) })
  }

  @Test(arguments: [
    ("critic.0.batch_norm.1.running_var", [-1] + [Float](repeating: 1, count: 17), "no variance is below 0"),
    ("critic.0.batch_norm.batches", [0.5], "is a whole number from 0 to 16777216"),
    ("critic.0.batch_norm.0.running_mean", [1], "has shape [1], the network needs [7]"),
  ])
  func `statistics that cannot be are refused`(name: String, values: [Float], reason: String) {
    let (critics, _) = makeCritics(Kind.all[0])
    let tensors = critics.tensors("critic").map {
      $0.name == name ? Tensor(name: name, shape: [values.count], values: values) : $0
    }
    let error = #expect(throws: TensorMismatch.self) { try critics.load("critic", from: finder(tensors)) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func `without batch normalisation a network has the tensors that it had`() {
    let critics = Critics(
      count: 1, observationSize: 3, actionSize: 2, hiddenSizes: [5], batchSize: 2, isLearned: true)
    #expect(
      critics.tensors("critic").map(\.name) == [
        "critic.0.layer.0.weight", "critic.0.layer.0.bias", "critic.0.layer.1.weight", "critic.0.layer.1.bias",
      ])
    #expect(critics.networks[0].statistics.count == 0 && critics.networks[0].batches == 0)
  }
}
