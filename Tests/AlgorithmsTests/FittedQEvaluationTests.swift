import Kernels
import Networks
import Platform
import Replay
import Testing

@testable import Algorithms

@Suite struct FittedQEvaluationTests {
  private func make(_ settings: [String] = [], workers: Int = 1) throws -> FittedQEvaluation {
    FittedQEvaluation(
      configuration: try FittedQEvaluation.Configuration().setting(["batchSize=40", "hiddenSizes=20,33"] + settings),
      observationSize: 5, actionSize: 2, seed: 3, workers: WorkerPool(count: workers))
  }

  @Test func `restored from its state it goes on with the same bits`() throws {
    try expectResumable(FittedQEvaluation.self)
    try expectResumable(FittedQEvaluation.self, ["targetTracking.hard.every=4", "temperature=0.2", "critics=2"])
  }

  @Test func `a state that lacks something is refused by its name`() throws {
    try expectIncompleteStatesRefused(FittedQEvaluation.self)
  }

  @Test func `any number of workers gives the same bits`() throws {
    try expectSameBitsWithAnyWorkers(FittedQEvaluation.self)
  }

  @Test func `a reward that is not finite stops learning`() throws {
    try expectDivergenceReported(FittedQEvaluation.self)
  }

  @Test func `the policy is never changed, the critics are`() throws {
    let evaluation = try make()
    let before = evaluation.parameters
    for n in 1...3 { _ = try evaluation.update(exampleBatch(40, seed: UInt64(n))) }
    let after = Dictionary(uniqueKeysWithValues: evaluation.parameters.map { ($0.name, $0) })
    for tensor in before {
      #expect((after[tensor.name] == tensor) == tensor.name.hasPrefix("policy."), "\(tensor.name)")
    }
  }

  @Test func `each critic follows a target of its own, not the smallest`() throws {
    // γ = 1, no rewards, d = 0, and targets that are constants 0, 10, 20, 30: so is each critic's target
    let evaluation = try make(["discount=1", "targetTracking.soft.rate=1e-6", "criticLearningRate=0.003"])
    let tensors = Dictionary(uniqueKeysWithValues: evaluation.parameters.map { ($0.name, $0) })
    try evaluation.loadParameters { name in
      guard let tensor = tensors[name] else { throw MissingState(name: name) }
      guard name.hasPrefix("target_critic"), name.contains("layer.2") else { return tensor }
      let j = Float(String(name.dropFirst("target_critic.".count).prefix(1))) ?? 0
      let value: Float = name.hasSuffix("bias") ? 10 * j : 0
      return Tensor(name: name, shape: tensor.shape, values: tensor.values.map { _ in value })
    }
    let batch = exampleBatch(40)
    for row in 0..<40 { (batch.rewards[row], batch.terminated[row]) = (0, 0) }
    batch.setDiscounts(1)
    for _ in 0..<3000 { _ = try evaluation.update(batch) }
    var observations: [Float] = []
    var actions: [Float] = []
    for row in 0..<40 {
      for i in 0..<5 { observations.append(batch.observations[row, i]) }
      for i in 0..<2 { actions.append(batch.actions[row, i]) }
    }
    let values = evaluation.actionValues(observations, actions)
    for j in 0..<4 {
      for value in values[j] { #expect(abs(value - 10 * Double(j)) < 0.5, "critic \(j): \(value)") }
    }
  }

  @Test func `without draws a value is that of the mean action, and the same each time`() throws {
    let evaluation = try make()
    evaluation.drawsActions = false
    var stream = RandomStream(seed: 1, purpose: "test")
    let states = numbers(5 * 7, seed: 4)
    let first = evaluation.stateValues(states, draws: 8, using: &stream)
    #expect(first == evaluation.stateValues(states, draws: 8, using: &stream))
    var actions: [Float] = []
    for row in 0..<7 {
      var action: [Float] = [0, 0]
      var span = action.mutableSpan
      evaluation.act(states.span.extracting((row * 5)..<((row + 1) * 5)), explore: false, into: &span)
      actions += action
    }
    let expected = evaluation.actionValues(states, actions)
    for j in 0..<4 { for i in 0..<7 { #expect(abs(first[j][i] - expected[j][i]) < 1e-6) } }
  }

  @Test func `after an update, actions of several rows without exploration are the mean actions`() throws {
    let evaluation = try make()
    _ = try evaluation.update(exampleBatch(40, seed: 3))
    let states = numbers(5 * 7, seed: 4)
    let rows = Matrix(rows: 7, columns: 5)
    let actions = Matrix(rows: 7, columns: 2)
    for row in 0..<7 { rows.setRow(row, to: states.span.extracting((row * 5)..<((row + 1) * 5))) }
    evaluation.act(rows, rows: 7, explore: false, into: actions)
    for row in 0..<7 {
      var action: [Float] = [0, 0]
      var span = action.mutableSpan
      evaluation.act(states.span.extracting((row * 5)..<((row + 1) * 5)), explore: false, into: &span)
      let drawn = [actions[row, 0], actions[row, 1]]
      #expect(drawn == action)
    }
  }

  @Test func `the mean over draws comes near the mean over many more`() throws {
    let evaluation = try make(["temperature=0.5"])
    var stream = RandomStream(seed: 1, purpose: "test")
    let states = numbers(5 * 45, seed: 4)  // more rows than a batch
    let few = evaluation.stateValues(states, draws: 400, using: &stream)
    let many = evaluation.stateValues(states, draws: 4000, using: &stream)
    #expect(few.count == 4 && few[0].count == 45)
    for j in 0..<4 { for i in 0..<45 { #expect(abs(few[j][i] - many[j][i]) < 0.2) } }
  }

  @Test func `a policy of other sizes is refused with the tensor's name`() throws {
    let evaluation = try make()
    let other = FittedQEvaluation(
      configuration: FittedQEvaluation.Configuration(), observationSize: 4, actionSize: 2, seed: 1,
      workers: WorkerPool(count: 1))
    let tensors = Dictionary(uniqueKeysWithValues: other.parameters.map { ($0.name, $0) })
    let error = #expect(throws: TensorMismatch.self) {
      try evaluation.loadPolicy(normalization: nil) { name in
        guard let tensor = tensors[name] else { throw MissingState(name: name) }
        return tensor
      }
    }
    #expect(error?.description.contains("policy.layer.0.weight") == true)
  }
}
