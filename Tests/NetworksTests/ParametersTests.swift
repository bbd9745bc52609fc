import Foundation
import Kernels
import Networks
import Platform
import Testing

private let layout = Layout(
  inputs: 7, gradientInputs: 3, hidden: [20, 33], outputs: [("mean", 3), ("log_std", 3)], scalar: false)
private let scalarLayout = Layout(
  inputs: 7, gradientInputs: 3, hidden: [20, 33], outputs: [(nil, 1)], scalar: true)

/// The places in a network's block that no tensor names.
private func padding(_ layout: Layout) -> [Int] {
  var named: Set<Int> = []
  for view in layout.tensors { view.forEachIndex { named.insert($1) } }
  return (0..<layout.parameterCount).filter { !named.contains($0) }
}

@Suite struct ParametersTests {
  @Test func `weights and biases are uniform in ±1/√fan_in, and the padding stays zero`() {
    for layout in [layout, scalarLayout] {
      var pooled: [Float] = []
      for seed in 0..<20 as Range<UInt64> {
        let parameters = Parameters(layout, isLearned: true)
        var stream = RandomStream(seed: seed, purpose: "initialization")
        parameters.initialize(using: &stream)
        for (tensor, view) in zip(parameters.tensors(""), layout.tensors) {
          let bound = 1 / Float(view.layer.inputs).squareRoot()
          #expect(tensor.values.allSatisfy { abs($0) <= bound && $0 != 0 }, "\(tensor.name)")
          pooled += tensor.values.map { $0 / bound }
        }
        #expect(padding(layout).allSatisfy { parameters.values[$0] == 0 })
      }
      // U(−1, 1): mean 0, variance ⅓, fourth moment ⅕; 4 standard errors
      let n = Double(pooled.count)
      func moment(_ power: Double) -> Double { pooled.reduce(0) { $0 + pow(Double($1), power) } / n }
      #expect(abs(moment(1)) < 4 * (1 / 3 / n).squareRoot())
      #expect(abs(moment(2) - 1.0 / 3) < 4 * (4 / 45 / n).squareRoot())
      #expect(abs(moment(4) - 1.0 / 5) < 4 * (16 / 225 / n).squareRoot())
    }
  }

  @Test func `another seed gives other parameters, the same seed the same`() {
    func values(_ seed: UInt64) -> [Float] {
      let parameters = Parameters(layout, isLearned: true)
      var stream = RandomStream(seed: seed, purpose: "initialization")
      parameters.initialize(using: &stream)
      return parameters.values.values
    }
    #expect(values(1) == values(1) && values(1) != values(2))
  }

  @Test func `transposed weights are kept in step with the weights, whatever changes them`() throws {
    for layout in [layout, scalarLayout] {
      let parameters = Parameters(layout, isLearned: true)
      let other = Parameters(layout, isLearned: true)
      var stream = RandomStream(seed: 1, purpose: "initialization")
      func expectInStep(_ what: String) {
        let expected = Block(count: layout.transposedCount)
        for layer in layout.layers where layer.transposedCount > 0 {
          for output in 0..<layer.outputs {
            for input in layer.firstGradientInput..<layer.inputs {
              let column = input - layer.firstGradientInput
              expected[layer.transposedOffset + column / 16 * layer.outputs * 16 + output * 16 + column % 16] =
                parameters.values[layer.weightIndex(output: output, input: input)]
            }
          }
        }
        #expect(parameters.transposed.values == expected.values, "\(what)")
      }
      parameters.initialize(using: &stream)
      expectInStep("initialize")
      other.initialize(using: &stream)
      parameters.copy(other)
      #expect(parameters.values.values == other.values.values)
      expectInStep("copy")
      other.initialize(using: &stream)
      try parameters.load("x", from: finder(other.tensors("x")))
      expectInStep("load")
      // a change made by shares, as an optimiser's
      parameters.values.copy(other.values)
      WorkerPool(count: 3).forEachShare { parameters.refreshTransposed($0) }
      expectInStep("refreshTransposed")
    }
  }

  // MARK: tensors

  @Test func `tensors have PyTorch's names and shapes`() {
    let tensors = Parameters(layout, isLearned: false).tensors("policy")
    #expect(
      tensors.map { "\($0.name) \($0.shape)" } == [
        "policy.layer.0.weight [20, 7]", "policy.layer.0.bias [20]", "policy.layer.1.weight [33, 20]",
        "policy.layer.1.bias [33]", "policy.mean.weight [3, 33]", "policy.mean.bias [3]",
        "policy.log_std.weight [3, 33]",
        "policy.log_std.bias [3]",
      ])
    #expect(
      Parameters(scalarLayout, isLearned: false).tensors("q").suffix(2).map { "\($0.name) \($0.shape)" } == [
        "q.layer.2.weight [1, 33]", "q.layer.2.bias [1]",
      ])
  }

  @Test func `tensors that leave and come back are the same, and reach every parameter`() throws {
    for layout in [layout, scalarLayout] {
      let given = layout.tensors.enumerated().map { index, view in
        Tensor(
          name: "p.\(view.name)", shape: view.shape, values: numbers(view.shape.reduce(1, *), seed: UInt64(index)))
      }
      let parameters = Parameters(layout, isLearned: true)
      try parameters.load("p", from: finder(given))
      #expect(parameters.tensors("p") == given)
      #expect(padding(layout).allSatisfy { parameters.values[$0] == 0 })
      #expect(parameters.values.values.count { $0 != 0 } == given.reduce(0) { $0 + $1.values.count })
    }
  }

  @Test func `a tensor of another shape is refused by name, with both shapes`() {
    let parameters = Parameters(layout, isLearned: true)
    let tensors = parameters.tensors("p").map { tensor in
      tensor.name == "p.layer.1.weight" ? Tensor(name: tensor.name, shape: [20, 33], values: tensor.values) : tensor
    }
    let error = #expect(throws: TensorMismatch.self) { try parameters.load("p", from: finder(tensors)) }
    #expect(error?.description == "p.layer.1.weight has shape [20, 33], the network needs [33, 20]")
  }

  @Test func `a tensor that is missing is refused by name`() {
    let parameters = Parameters(layout, isLearned: true)
    let error = #expect(throws: TensorMismatch.self) {
      try parameters.load("p", from: finder(parameters.tensors("p").filter { $0.name != "p.mean.bias" }))
    }
    #expect(error?.description == "no p.mean.bias")
  }
}
