import Kernels
import Networks
import Testing

@Suite struct ChoicesOfOneTests {
  @Test func `each choice has the smallest value of the critics, as a batch has it, and NaN is not hidden`() {
    let critics = ActionValues(count: 2, observationSize: 3, choices: 4, hiddenSizes: [7], batchSize: 2)
    var stream = RandomStream(seed: 3, purpose: "initialization")
    critics.initialize(using: &stream)
    let one = ChoicesOfOne(critics, observationSize: 3)
    let observation: [Float] = [0.3, -1, 2]
    let rows = Matrix([0, 0, 0] + observation, rows: 2, columns: 3)
    for j in 0..<2 { critics.evaluate(j, rows, rows: 0..<2) }
    for choice in 0..<4 {
      let smaller = min(critics.value(0, of: choice, at: 1), critics.value(1, of: choice, at: 1))
      #expect(one.minimum(observation.span, of: choice) == Double(smaller))
    }
    #expect(one.minimum([Float.nan, 0, 0].span, of: 0).isNaN)
  }
}
