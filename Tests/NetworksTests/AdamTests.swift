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

  mutating func step(_ value: inout Double, gradient: Double, learningRate: Double) {
    t += 1
    m = 0.9 * m + 0.1 * gradient
    v = 0.999 * v + 0.001 * gradient * gradient
    value -= learningRate * (m / (1 - pow(0.9, t))) / ((v / (1 - pow(0.999, t))).squareRoot() + 1e-8)
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

  @Test func `every parameter of every network takes Adam's steps`() {
    let networks = networks()
    let adam = Adam(networks, learningRate: 3e-3)
    var expected = networks.map { $0.tensors("").map { $0.values.map(Double.init) } }
    var references = expected.map { $0.map { $0.map { _ in AdamReference() } } }
    for step in 1...50 {
      setGradients(networks, step: step)
      for j in networks.indices {
        for (k, gradient) in networks[j].tensors("", of: networks[j].gradients).enumerated() {
          for i in gradient.values.indices {
            references[j][k][i].step(
              &expected[j][k][i], gradient: Double(gradient.values[i]), learningRate: Double(3e-3 as Float))
          }
        }
      }
      adam.beginStep()
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
      let adam = Adam(networks, learningRate: 1e-2)
      let pool = WorkerPool(count: workers)
      for step in 1...5 {
        setGradients(networks, step: step)
        adam.beginStep()
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
    let adam = Adam(networks, learningRate: 0.5)
    for step in 1...20 {
      setGradients(networks, step: step)
      adam.beginStep()
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
    let adam = Adam(networks, learningRate: 1e-2)
    let others = self.networks()
    let other = Adam(others, learningRate: 1e-2)
    for step in 1...10 {
      setGradients(networks, step: step)
      adam.beginStep()
      adam.apply(.whole)
      if step == 5 {
        for (target, source) in zip(others, networks) { target.copy(source) }
        try other.load("adam", steps: adam.steps, from: finder(adam.tensors("adam")))
      } else if step > 5 {
        setGradients(others, step: step)
        other.beginStep()
        other.apply(.whole)
      }
    }
    #expect(other.steps == 10 && other.tensors("adam") == adam.tensors("adam"))
    for (first, second) in zip(networks, others) { #expect(first.values.values.bits == second.values.values.bits) }
    #expect(adam.tensors("adam").first?.name == "adam.0.first.layer.0.weight")
  }

  @Test func `moments that are missing are refused`() {
    let adam = Adam(networks(), learningRate: 1e-2)
    let tensors = adam.tensors("adam").filter { $0.name != "adam.1.second.layer.2.bias" }
    #expect(throws: TensorMismatch.self) { try adam.load("adam", steps: 1, from: finder(tensors)) }
  }

  @Test func `the constants of step t are the paper's bias corrections`() {
    for t in [1, 2, 10, 1000, 1_000_000] {
      let step = AdamStep(count: t, learningRate: 3e-4)
      #expect(step.rate == Float(3e-4 / (1 - pow(0.9, Double(t)))))
      #expect(step.correction == Float(1 / (1 - pow(0.999, Double(t))).squareRoot()))
      #expect(step.gain1 == 0.1 && step.beta2 == 0.999 && step.gain2 == 0.001 && step.epsilon == 1e-8)
    }
  }

  @Test func `one number takes Adam's steps too`() {
    var (value, expected) = (0.5, 0.5)
    var scalar = ScalarAdam()
    var reference = AdamReference()
    let gradients = numbers(1000, seed: 3).map(Double.init)
    for gradient in gradients {
      scalar.step(&value, gradient: gradient, learningRate: 1e-3)
      reference.step(&expected, gradient: gradient, learningRate: Double(1e-3 as Float))
      #expect(abs(value - expected) < 1e-12)
    }
    #expect(scalar.steps == 1000)
  }
}
