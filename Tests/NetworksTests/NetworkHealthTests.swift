import Kernels
import Testing

@testable import Networks

@Suite struct NetworkHealthTests {
  @Test func `a unit is dead when it is zero in every row`() {
    let layout = Layout(inputs: 1, gradientInputs: 0, hidden: [4, 2], outputs: [(nil, 1)], scalar: true)
    let activations = Activations(layout, rows: 3, forLearning: false)
    #expect(activations.deadUnits(rows: 3) == 1)
    activations.hidden[0][2, 1] = 0.5
    activations.hidden[1][0, 0] = 0.1
    #expect(activations.deadUnits(rows: 3) == 4.0 / 6)
    // row 2 is not looked at
    #expect(activations.deadUnits(rows: 2) == 5.0 / 6)
  }

  @Test func `norms are over every network`() {
    let layout = Layout(inputs: 2, gradientInputs: 0, hidden: [1], outputs: [(nil, 1)], scalar: true)
    let networks = [Parameters(layout, isLearned: true), Parameters(layout, isLearned: true)]
    networks[0].values[0] = 3
    networks[1].values[0] = -4
    networks[1].gradients[1] = 2
    #expect(parameterNorm(networks) == 5 && gradientNorm(networks) == 2)
  }

  @Test func `the share above a limit counts both signs`() {
    let values = Matrix(rows: 2, columns: 2)
    values[0, 0] = 1
    values[0, 1] = -1
    values[1, 0] = 0.99
    #expect(share(of: values, above: 0.99, rows: 2) == 0.5)
    #expect(share(of: values, above: 0.99, rows: 1) == 1)
  }
}
