import Foundation
import Kernels
import Networks
import Platform
import Testing

/// Adam in double precision (Kingma & Ba 2015, alg. 1).
struct AdamReference {
  private var m = 0.0
  private var v = 0.0
  private var t = 0.0

  mutating func step(
    _ value: inout Double, gradient: Double, learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8
  ) {
    t += 1
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    value -= learningRate * (m / (1 - pow(beta1, t))) / ((v / (1 - pow(beta2, t))).squareRoot() + epsilon)
  }
}

@Suite struct AdamTests {
  private static let layouts = [
    Layout(inputs: 7, gradientInputs: 0, hidden: [20], outputs: [("mean", 3), ("log_std", 3)], scalar: false),
    Layout(inputs: 7, gradientInputs: 3, hidden: [20, 33], outputs: [(nil, 1)], scalar: true),
  ]

  /// Networks with parameters, and new gradients for each step.
  private func networks() -> [Parameters] {
    Self.layouts.map { layout in
      let parameters = Parameters(layout, isLearned: true)
      var stream = RandomStream(seed: 1, purpose: "initialization")
      parameters.initialize(using: &stream)
      return parameters
    }
  }

  private func setGradients(_ networks: [Parameters], step: Int) {
    for (j, network) in networks.enumerated() {
      for (k, view) in network.layout.tensors.enumerated() {
        let values = numbers(view.shape.reduce(1, *), seed: UInt64(100 * step + 10 * j + k))
        view.forEachIndex { network.gradients[$1] = values[$0] * Float(1 + k) }
      }
    }
  }

  @Test(arguments: [(0.9, 0.999, 1e-8), (0.5, 0.95, 1e-3), (0, 0.9, 0.1), (0.9, 0, 1e-2)])
  func `every parameter of every network takes Adam's steps`(beta1: Double, beta2: Double, epsilon: Double) {
    var settings = AdamSettings(learningRate: 3e-3)
    (settings.beta1, settings.beta2, settings.epsilon) = (beta1, beta2, epsilon)
    settings.schedule = .linear(final: 0.5, updates: 40)
    let networks = networks()
    let adam = Adam(networks, settings)
    var expected = networks.map { $0.tensors("").map { $0.values.map(Double.init) } }
    var references = expected.map { $0.map { $0.map { _ in AdamReference() } } }
    for step in 1...50 {
      setGradients(networks, step: step)
      for j in networks.indices {
        for (k, gradient) in networks[j].tensors("", of: networks[j].gradients).enumerated() {
          for i in gradient.values.indices {
            references[j][k][i].step(
              &expected[j][k][i], gradient: Double(gradient.values[i]),
              learningRate: Double(3e-3 as Float) * (1 - 0.5 * Double(min(step - 1, 40)) / 40), beta1: beta1,
              beta2: beta2, epsilon: epsilon)
          }
        }
      }
      adam.beginStep(atUpdate: step)
      adam.apply(.whole)
    }
    #expect(adam.steps == 50)
    for j in networks.indices {
      for (k, tensor) in networks[j].tensors("").enumerated() {
        for i in tensor.values.indices { #expect(abs(Double(tensor.values[i]) - expected[j][k][i]) < 1e-5) }
      }
    }
  }

  @Test func `a step takes any number of workers to the same bits, the transposed weights with it`() {
    func results(_ workers: Int) -> [[UInt32]] {
      let networks = networks()
      let adam = Adam(networks, AdamSettings(learningRate: 1e-2))
      let pool = WorkerPool(count: workers)
      for step in 1...5 {
        setGradients(networks, step: step)
        adam.beginStep(atUpdate: step)
        pool.forEachShare { adam.apply($0) }
      }
      return networks.flatMap { [$0.values.values.bits, $0.transposed.values.bits] }
        + adam.tensors("").map(\.values.bits)
    }
    let one = results(1)
    for workers in 2...4 { #expect(results(workers) == one, "\(workers) workers") }
  }

  @Test func `the padding stays zero`() {
    let networks = networks()
    let adam = Adam(networks, AdamSettings(learningRate: 0.5))
    for step in 1...20 {
      setGradients(networks, step: step)
      adam.beginStep(atUpdate: step)
      adam.apply(.whole)
    }
    for network in networks {
      var named: Set<Int> = []
      for view in network.layout.tensors { view.forEachIndex { named.insert($1) } }
      for index in 0..<network.values.count where !named.contains(index) { #expect(network.values[index] == 0) }
    }
  }

  @Test func `moments that leave and come back go on alike`() throws {
    let networks = networks()
    let adam = Adam(networks, AdamSettings(learningRate: 1e-2))
    let others = self.networks()
    let other = Adam(others, AdamSettings(learningRate: 1e-2))
    for step in 1...10 {
      setGradients(networks, step: step)
      adam.beginStep(atUpdate: step)
      adam.apply(.whole)
      if step == 5 {
        for (target, source) in zip(others, networks) { target.copy(source) }
        try other.load("adam", steps: adam.steps, from: finder(adam.tensors("adam")))
      } else if step > 5 {
        setGradients(others, step: step)
        other.beginStep(atUpdate: step)
        other.apply(.whole)
      }
    }
    #expect(other.steps == 10 && other.tensors("adam") == adam.tensors("adam"))
    for (first, second) in zip(networks, others) { #expect(first.values.values.bits == second.values.values.bits) }
    #expect(adam.tensors("adam").first?.name == "adam.0.first.layer.0.weight")
  }

  @Test func `moments that are missing are refused`() {
    let adam = Adam(networks(), AdamSettings(learningRate: 1e-2))
    let tensors = adam.tensors("adam").filter { $0.name != "adam.1.second.layer.2.bias" }
    #expect(throws: TensorMismatch.self) { try adam.load("adam", steps: 1, from: finder(tensors)) }
  }

  @Test func `the constants of step t are the paper's bias corrections`() {
    for t in [1, 2, 10, 1000, 1_000_000] {
      let step = AdamStep(count: t, AdamSettings(learningRate: 3e-4), learningRate: 3e-4)
      #expect(step.rate == Float(3e-4 / (1 - pow(0.9, Double(t)))))
      #expect(step.correction == Float(1 / (1 - pow(0.999, Double(t))).squareRoot()))
      #expect(step.gain1 == 0.1 && step.beta2 == 0.999 && step.gain2 == 0.001 && step.epsilon == 1e-8)
    }
  }

  // MARK: the bound of the gradients' norm

  /// ‖g‖ of all networks in double precision.
  private func norm(_ networks: [Parameters]) -> Double {
    networks.reduce(0.0) { $0 + $1.gradients.values.reduce(0.0) { $0 + Double($1) * Double($1) } }.squareRoot()
  }

  private func settings(maximumNorm: Float?) -> AdamSettings {
    var settings = AdamSettings(learningRate: 1e-2)
    settings.maximumGradientNorm = maximumNorm
    return settings
  }

  @Test func `gradients above the bound are scaled to it, over all networks together`() {
    let networks = networks()
    setGradients(networks, step: 1)
    let (before, norm) = (networks.map { $0.gradients.values }, norm(networks))
    let adam = Adam(networks, settings(maximumNorm: Float(norm / 3)))
    adam.step(atUpdate: 1, by: WorkerPool(count: 1), gradients: { _, _ in })
    // torch.nn.utils.clip_grad_norm_:  c / (‖g‖ + 1e-6)
    let factor = norm / 3 / (norm + 1e-6)
    for (network, gradients) in zip(networks, before) {
      for i in gradients.indices {
        let expected = Double(gradients[i]) * factor
        #expect(abs(Double(network.gradients[i]) - expected) <= 1e-6 * abs(expected))
      }
    }
    // and the step is along them
    let others = self.networks()
    for (network, other) in zip(networks, others) { other.gradients.copy(network.gradients) }
    Adam(others, settings(maximumNorm: nil)).step(atUpdate: 1, by: WorkerPool(count: 1), gradients: { _, _ in })
    for (network, other) in zip(networks, others) { #expect(network.values.values.bits == other.values.values.bits) }
  }

  @Test func `gradients below the bound stay as they are, to the bit`() {
    func results(_ maximumNorm: Float?) -> [[UInt32]] {
      let networks = networks()
      let adam = Adam(networks, settings(maximumNorm: maximumNorm))
      for step in 1...5 {
        setGradients(networks, step: step)
        adam.step(atUpdate: step, by: WorkerPool(count: 2), gradients: { _, _ in })
      }
      return networks.map { $0.values.values.bits }
    }
    #expect(results(1e6) == results(nil))
    #expect(results(1) != results(nil))
  }

  @Test(arguments: [nil, 0.5] as [Float?], 1...3)
  func `each share is computed once, then stepped, then followed`(maximumNorm: Float?, workers: Int) {
    let networks = networks()
    let adam = Adam(networks, settings(maximumNorm: maximumNorm))
    let before = networks.map { $0.values.values }
    let computed = Block(count: 6)  // 2 × 3 parts at most
    let followed = Block(count: 6)
    adam.step(atUpdate: 1, by: WorkerPool(count: workers)) { j, share in
      for k in share.lower..<share.upper { computed[3 * j + k] += 1 }
      for layer in networks[j].layout.layers {
        for i in layer.range(of: share) { networks[j].gradients[i] = networks[j].values[i] == before[j][i] ? 1 : .nan }
      }
    } following: { j, share in
      for k in share.lower..<share.upper { followed[3 * j + k] += 1 }
      for layer in networks[j].layout.layers {
        for i in layer.range(of: share) where !(networks[j].values[i] < before[j][i]) { followed[3 * j] = .nan }
      }
    }
    for j in 0..<2 {
      for k in 0..<3 {
        #expect(computed[3 * j + k] == (k < workers ? 1 : 0) && followed[3 * j + k] == computed[3 * j + k])
      }
    }
    #expect(adam.steps == 1)
  }

  @Test(arguments: [Float.nan, .infinity, 1e30])
  func `a norm that is not finite is seen in the parameters`(value: Float) {
    // 1e30 is finite, its square is not: the other gradients must not silently become zero
    let networks = networks()
    setGradients(networks, step: 1)
    networks[1].gradients[3] = value
    let adam = Adam(networks, settings(maximumNorm: 1))
    adam.step(atUpdate: 1, by: WorkerPool(count: 1), gradients: { _, _ in })
    #expect(!adam.leftAllFinite)
  }

  @Test func `one number takes Adam's steps too`() {
    var settings = AdamSettings(learningRate: 1e-3)
    (settings.beta1, settings.beta2, settings.epsilon) = (0.8, 0.99, 1e-4)
    settings.schedule = .linear(final: 0, updates: 2000)
    settings.maximumGradientNorm = 1e-3  // of networks: no bound here
    var (value, expected) = (0.5, 0.5)
    var scalar = ScalarAdam()
    var reference = AdamReference()
    let gradients = numbers(1000, seed: 3).map(Double.init)
    for gradient in gradients {
      let rate = Double(1e-3 as Float) * (1 - Double(scalar.steps) / 2000)
      scalar.step(&value, gradient: gradient, settings, atUpdate: scalar.steps + 1)
      reference.step(&expected, gradient: gradient, learningRate: rate, beta1: 0.8, beta2: 0.99, epsilon: 1e-4)
      #expect(abs(value - expected) < 1e-12)
    }
    #expect(scalar.steps == 1000)
  }
}
