import Kernels
import Testing

@testable import Networks

@Suite struct EnsembleMeasuresTests {
  @Test func `errors are the mean over the networks of the distance to the target`() {
    let values = FixedArray(count: 2) { j in Block(j == 0 ? [1, -2, 5] : [4, 0, 5]) }
    let errors = Block([9, 9, 9])
    values.absoluteErrors(to: Block([2, -1, 0]), into: errors, rows: 2)
    // |1 − 2|, |4 − 2|; |−2 + 1|, |0 + 1|; the third row is not looked at
    #expect([errors[0], errors[1], errors[2]] == [1.5, 1, 9])
  }

  @Test func `the largest value counts both signs and shows NaN`() {
    let values = FixedArray(count: 2) { j in Block(j == 0 ? [1, -2, 5] : [-3, .nan, 5]) }
    #expect(values.largestMagnitude(rows: 1) == 3)
    #expect(values.largestMagnitude(rows: 3).isNaN)
  }

  @Test func `dead units are the mean share over the networks`() {
    let layout = Layout(inputs: 1, gradientInputs: 0, hidden: [4], outputs: [(nil, 1)], scalar: true)
    let activations = FixedArray(count: 2) { _ in Activations(layout, rows: 1, forLearning: false) }
    activations[0].hidden[0][0, 2] = 0.5
    #expect(activations.deadUnits(rows: 1) == (0.75 + 1) / 2)
  }
}
