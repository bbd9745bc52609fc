import Kernels
import Networks
import Platform
import Testing

@Suite struct TrunkTests {
  @Test(arguments: [nil, 0.01, 100] as [Float?])
  func `any number of workers takes whole updates of critics and policy to the same bits`(maximumNorm: Float?) {
    let (rows, s, a) = (100, 9, 3)
    let x = Matrix(numbers(rows * s, seed: 1), rows: rows, columns: s)
    let actions = Matrix(numbers(rows * a, seed: 2), rows: rows, columns: a)
    let noise = Block(numbers(rows * a, seed: 3))
    let targets = Block(numbers(rows, seed: 4))

    var settings = AdamSettings(learningRate: 1e-3)
    settings.maximumGradientNorm = maximumNorm

    func results(_ workers: Int) -> [[UInt32]] {
      let pool = WorkerPool(count: workers)
      let critics = Critics(
        count: 2, observationSize: s, actionSize: a, hiddenSizes: [40, 37], batchSize: rows, isLearned: true)
      let followers = Critics(
        count: 2, observationSize: s, actionSize: a, hiddenSizes: [40, 37], batchSize: rows, isLearned: false)
      let policy = SquashedGaussian(observationSize: s, actionSize: a, hiddenSizes: [40, 37], batchSize: rows)
      var stream = RandomStream(seed: 6, purpose: "initialization")
      critics.initialize(using: &stream)
      policy.parameters.initialize(using: &stream)
      followers.copy(critics)
      let criticOptimizer = Adam(critics.networks, settings)
      let policyOptimizer = Adam([policy.parameters], settings)
      let draw = PolicyDraw(rows: rows, actionSize: a)
      let gradient = Matrix(rows: rows, columns: a)
      let ones = Block.ones(rows)
      for update in 1...3 {
        pool.forEachChunk(ofRows: rows, of: 2) { j, rows in
          critics.evaluate(j, x, actions, rows: rows)
          critics.backward(j, .squared, to: targets, weights: ones, scale: 0.01, rows: rows)
        }
        criticOptimizer.step(atUpdate: update, by: pool) { j, share in
          critics.weightGradients(j, x, actions, rows: rows, share)
        } following: { j, share in
          followers.track(j, critics, rate: 0.1, share)
        }
        pool.forEachChunk(ofRows: rows) { policy.sample(x, noise: noise, into: draw, rows: $0) }
        pool.forEachChunk(ofRows: rows, of: 2) { critics.evaluate($0, x, draw.actions, rows: $1) }
        critics.gatherMinimum(rows: rows)
        pool.forEachChunk(of: 2, rows: { critics.gathered[$0] }) {
          critics.minimumActionGradient($0, scale: -0.01, into: gradient, rows: $1)
        }
        pool.forEachChunk(ofRows: rows) {
          policy.backward(actionGradient: gradient, logProbabilityGradient: 0.002, rows: $0)
        }
        policyOptimizer.step(atUpdate: update, by: pool) { _, share in policy.weightGradients(x, rows: rows, share) }
      }
      let tensors = critics.tensors("") + followers.tensors("") + policy.parameters.tensors("")
      return tensors.map(\.values.bits)
    }
    let one = results(1)
    for workers in 2...4 { #expect(results(workers) == one, "\(workers) workers") }
  }

  @Test func `a batch smaller than the buffers is computed as in buffers of its size`() {
    // the last episode's statistics or an acting row use fewer rows than there is room for
    func gradients(batchSize: Int) -> [Tensor] {
      let policy = DeterministicPolicy(
        observationSize: 5, actionSize: 2, hiddenSizes: [20], batchSize: batchSize, isLearned: true)
      var stream = RandomStream(seed: 6, purpose: "initialization")
      policy.parameters.initialize(using: &stream)
      let x = Matrix(numbers(5 * batchSize, seed: 1), rows: batchSize, columns: 5)
      let actions = Matrix(rows: batchSize, columns: 2)
      let gradient = Matrix(numbers(2 * batchSize, seed: 2), rows: batchSize, columns: 2)
      policy.evaluate(x, into: actions, rows: 0..<7)
      policy.backward(actions: actions, actionGradient: gradient, rows: 0..<7)
      policy.weightGradients(x, rows: 7, .whole)
      return policy.parameters.tensors("", of: policy.parameters.gradients)
    }
    #expect(gradients(batchSize: 7) == gradients(batchSize: 30))
  }
}
