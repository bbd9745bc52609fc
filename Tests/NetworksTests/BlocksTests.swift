import Foundation
import Kernels
import Networks
import Platform
import Testing

/// A network of blocks in double precision, slowly, from tensors as PyTorch would read them.
private struct BlockReference {
  let activation: Activation
  var values: [String: [Double]]
  let shapes: [String: [Int]]
  let depth: Int
  /// What block k of row r is multiplied by.
  var dropped: (Int, Int) -> [Double]? = { _, _ in nil }

  init(_ tensors: [Tensor], _ activation: Activation, depth: Int) {
    (self.activation, self.depth) = (activation, depth)
    values = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.values.map(Double.init)) })
    shapes = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.shape) })
  }

  func forward(_ input: [Double], row: Int) -> [Double] {
    var x = input
    for k in 0..<depth {
      x = product("critic.layer.\(k)", x)
      if let factors = dropped(k, row) { x = zip(x, factors).map { $0 * $1 } }
      if let scale = values["critic.norm.\(k).weight"], let shift = values["critic.norm.\(k).bias"] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        x = x.indices.map { scale[$0] * (x[$0] - mean) / (variance + 1e-5).squareRoot() + shift[$0] }
      }
      x = x.map(applied)
    }
    return product("critic.layer.\(depth)", x)
  }

  private func product(_ name: String, _ x: [Double]) -> [Double] {
    let weight = values[name + ".weight"]!
    return values[name + ".bias"]!.enumerated().map { row, bias in
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
  func gradient(_ name: String, _ loss: (BlockReference) -> Double) -> [Double] {
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

/// Blocks with everything that may follow a product, and what a name says of them.
private let kinds: [(name: String, blocks: [NetworkBlock])] = {
  var kinds: [(String, [NetworkBlock])] = []
  for activation in Activation.allCases {
    for normalization in BlockNormalization.allCases {
      for dropout: Float in [0, 0.3] {
        kinds.append(
          (
            "\(activation), \(normalization), \(dropout)",
            [NetworkBlock]([18, 7], activation: activation, normalization: normalization, dropout: dropout)
          ))
      }
    }
  }
  return kinds
}()

@Suite struct BlocksTests {
  static let (rows, s, a) = (9, 4, 3)

  /// Critics with norms that are not 1 and 0, and the same in double precision.
  private func make(_ blocks: [NetworkBlock]) -> (Critics, [BlockReference], DropoutDraw) {
    let critics = Critics(
      count: 2, observationSize: Self.s, actionSize: Self.a, blocks: blocks, batchSize: Self.rows, isLearned: true)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    critics.initialize(using: &stream)
    var dropoutStream = RandomStream(seed: 4, purpose: "dropout")
    let draw = dropoutStream.dropout()
    let references = critics.networks.enumerated().map { j, network in
      for (k, block) in blocks.enumerated() {
        guard let layer = network.layout.normalization(k) else { continue }
        for unit in 0..<block.units {
          network.values[layer.weightIndex(output: unit, input: 0)] = 1 + 0.3 * (2 * stream.uniform() - 1)
          network.values[layer.biasIndex(output: unit)] = 0.3 * (2 * stream.uniform() - 1)
        }
      }
      var reference = BlockReference(network.tensors("critic"), blocks[0].activation, depth: blocks.count)
      if blocks[0].dropout > 0 {
        reference.dropped = { k, row in
          let sizes = blocks.map(\.units)
          var first = j * sizes.reduce(0) { $0 + dropoutIndexCount(columns: $1, rows: Self.rows) }
          for size in sizes[..<k] { first += dropoutIndexCount(columns: size, rows: Self.rows) }
          let factors = Matrix(rows: Self.rows, columns: sizes[k])
          dropoutForward(
            Matrix(rows: Self.rows, columns: sizes[k]), rate: blocks[k].dropout, draw, first: first, factors: factors,
            rows: 0..<Self.rows)
          return (0..<sizes[k]).map { Double(factors[row, $0]) }
        }
      }
      return reference
    }
    return (critics, references, draw)
  }

  private let observations = numbers(BlocksTests.rows * BlocksTests.s, seed: 21)
  private let actions = numbers(BlocksTests.rows * BlocksTests.a, seed: 22)

  private func input(_ row: Int, moved: Int? = nil, by h: Double = 0) -> [Double] {
    var input = observations.row(row, of: Self.s) + actions.row(row, of: Self.a)
    if let moved { input[Self.s + moved] += h }
    return input
  }

  @Test(arguments: kinds.indices)
  func `values and every gradient are those of double precision`(kind: Int) throws {
    let (name, blocks) = kinds[kind]
    let (critics, references, draw) = make(blocks)
    let x = Matrix(observations, rows: Self.rows, columns: Self.s)
    let z = Matrix(actions, rows: Self.rows, columns: Self.a)
    let targets = numbers(Self.rows, seed: 9)
    for j in 0..<2 { critics.evaluate(j, x, z, dropout: draw, rows: 0..<Self.rows) }
    for j in 0..<2 {
      for row in 0..<Self.rows {
        let expected = references[j].forward(input(row), row: row)[0]
        #expect(abs(Double(critics.value(j, at: row)) - expected) < 5e-6, "\(name): Q_\(j) of row \(row)")
      }
    }
    for j in 0..<2 {
      critics.backward(
        j, .squared, to: Block(targets), weights: .ones(Self.rows), scale: 1 / Float(Self.rows), rows: 0..<Self.rows)
      critics.weightGradients(j, x, z, rows: Self.rows, .whole)
      let network = critics.networks[j]
      func loss(_ reference: BlockReference) -> Double {
        (0..<Self.rows).reduce(0) {
          $0 + pow(reference.forward(input($1), row: $1)[0] - Double(targets[$1]), 2) / Double(Self.rows)
        }
      }
      for tensor in network.tensors("critic", of: network.gradients) {
        let expected = references[j].gradient(tensor.name, loss)
        let largest = expected.map(abs).max() ?? 0
        for (own, theirs) in zip(tensor.values, expected) {
          #expect(
            abs(Double(own) - theirs) <= 1e-3 * abs(theirs) + 3e-5 * max(largest, 0.01), "\(name): \(tensor.name)")
        }
      }
    }
  }

  @Test(arguments: kinds.indices)
  func `the gradient of the smaller critic reaches the action`(kind: Int) {
    let (name, blocks) = kinds[kind]
    let (critics, references, draw) = make(blocks)
    let x = Matrix(observations, rows: Self.rows, columns: Self.s)
    let z = Matrix(actions, rows: Self.rows, columns: Self.a)
    for j in 0..<2 { critics.evaluate(j, x, z, dropout: draw, rows: 0..<Self.rows) }
    critics.gatherMinimum(rows: Self.rows)
    let gradient = Matrix(rows: Self.rows, columns: Self.a)
    for j in 0..<2 { critics.minimumActionGradient(j, scale: 0.5, into: gradient, rows: 0..<critics.gathered[j]) }
    let h = 1e-6
    for row in 0..<Self.rows {
      let smaller = critics.value(1, at: row) < critics.value(0, at: row) ? 1 : 0
      for i in 0..<Self.a {
        let expected =
          0.5
          * (references[smaller].forward(input(row, moved: i, by: h), row: row)[0]
            - references[smaller].forward(input(row, moved: i, by: -h), row: row)[0]) / (2 * h)
        #expect(abs(Double(gradient[row, i]) - expected) < 1e-4, "\(name): row \(row), action \(i)")
      }
    }
    // all critics together
    for j in 0..<2 { critics.backwardToActions(j, scale: 0.25, rows: 0..<Self.rows) }
    critics.addActionGradients(into: gradient, rows: 0..<Self.rows)
    for row in 0..<Self.rows {
      for i in 0..<Self.a {
        let expected = references.reduce(0.0) {
          $0 + 0.25
            * ($1.forward(input(row, moved: i, by: h), row: row)[0]
              - $1.forward(input(row, moved: i, by: -h), row: row)[0]) / (2 * h)
        }
        #expect(abs(Double(gradient[row, i]) - expected) < 1e-4, "\(name): all, row \(row), action \(i)")
      }
    }
  }

  @Test(arguments: kinds.indices)
  func `any number of workers has the same bits`(kind: Int) {
    let (name, blocks) = kinds[kind]
    func learned(_ workers: Int) -> [[UInt32]] {
      let (critics, _, draw) = make(blocks)
      let pool = WorkerPool(count: workers)
      let optimizer = Adam(critics.networks, AdamSettings(learningRate: 1e-2))
      let x = Matrix(observations, rows: Self.rows, columns: Self.s)
      let z = Matrix(actions, rows: Self.rows, columns: Self.a)
      let targets = Block(numbers(Self.rows, seed: 9))
      for update in 1...4 {
        pool.forEachChunk(ofRows: Self.rows, of: 2) { j, rows in
          critics.evaluate(j, x, z, dropout: draw, rows: rows)
          critics.backward(j, .squared, to: targets, weights: .ones(Self.rows), scale: 0.1, rows: rows)
        }
        optimizer.step(atUpdate: update, by: pool) { j, share in
          critics.weightGradients(j, x, z, rows: Self.rows, share)
        }
      }
      return critics.tensors("").map(\.values.bits)
    }
    let one = learned(1)
    for workers in 2...4 { #expect(learned(workers) == one, "\(name), \(workers) workers") }
  }

  @Test func `where nothing is learned nothing is dropped`() {
    let (critics, _, draw) = make([NetworkBlock]([18, 7], dropout: 0.5))
    let x = Matrix(observations, rows: Self.rows, columns: Self.s)
    let z = Matrix(actions, rows: Self.rows, columns: Self.a)
    critics.evaluate(x, z, rows: 0..<Self.rows)
    let plain = (0..<Self.rows).map { critics.value(0, at: $0) }
    critics.evaluate(0, x, z, dropout: draw, rows: 0..<Self.rows)
    #expect((0..<Self.rows).map { critics.value(0, at: $0) } != plain)
    critics.evaluate(x, z, rows: 0..<Self.rows)
    #expect((0..<Self.rows).map { critics.value(0, at: $0) } == plain)
  }

  @Test func `a block with ReLU alone is one kernel, and every other one is not`() {
    for (_, blocks) in kinds {
      let block = blocks[0]
      let isPlain = block.activation == .relu && block.normalization == .none && block.dropout == 0
      #expect(block.isFused == isPlain && (block.furtherNumbers == 0) == isPlain)
    }
  }

  @Test func `scale and shift of a normalisation begin as 1 and 0, and are tensors`() {
    let critics = Critics(
      count: 1, observationSize: 3, actionSize: 2, blocks: [NetworkBlock]([20], normalization: .layer), batchSize: 2,
      isLearned: true)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    critics.initialize(using: &stream)
    let tensors = Dictionary(uniqueKeysWithValues: critics.tensors("critic").map { ($0.name, $0) })
    #expect(tensors["critic.0.norm.0.weight"]?.values == [Float](repeating: 1, count: 20))
    #expect(tensors["critic.0.norm.0.bias"]?.values == [Float](repeating: 0, count: 20))
    #expect(tensors["critic.0.norm.0.weight"]?.shape == [20] && tensors.count == 6)
  }

  @Test func `a unit of tanh is dead where it is flat for every row`() {
    let policy = DeterministicPolicy(
      observationSize: 1, actionSize: 1, hiddenSizes: [4], activation: .tanh, batchSize: 2, isLearned: true)
    let bias = policy.parameters.layout.layers[0]
    for (unit, value) in [0, 9, -9, 1].enumerated() {
      policy.parameters.values[bias.biasIndex(output: unit)] = Float(value)
    }
    policy.evaluate(Matrix(rows: 2, columns: 1), into: Matrix(rows: 2, columns: 1), rows: 0..<2)
    #expect(policy.deadUnits(rows: 2) == 0.5)
  }
}
