import Kernels
import Testing

@Suite struct TransposeTests {
  @Test func `transposition moves every weight to its place and nothing else, for every size`() {
    for inputs in 1...70 {
      for outputs in 1...70 {
        let layer = LayerReference(inputs: inputs, outputs: outputs, seed: inputs)
        let parameters = Block([untouched] + layer.panels)
        for first in [0, inputs / 2, inputs - 1] {
          let expected = layer.transposed(from: first)
          let transposed = Block(count: expected.count + 2)
          transposed[0] = untouched
          transposed[expected.count + 1] = untouched
          // panel by panel, as workers share it
          for panel in 0..<(outputs + 15) / 16 {
            denseTranspose(
              parameters, at: 1, inputs: inputs, outputs: outputs, copying: first..<inputs, into: transposed, at: 1,
              panels: panel..<panel + 1)
          }
          #expect(
            transposed.values == [untouched] + expected + [untouched], "\(inputs) × \(outputs) from \(first)")
        }
        // sixteen inputs at a time, as workers share a layer of one panel
        let pieces = Block(count: layer.transposed(from: 0).count)
        for first in stride(from: 0, to: outputs > 16 ? 0 : inputs, by: 16) {
          denseTranspose(
            parameters, at: 1, inputs: inputs, outputs: outputs, copying: first..<min(inputs, first + 16), into: pieces,
            at: first * outputs, panels: 0..<1)
        }
        if outputs <= 16 {
          #expect(pieces.values == layer.transposed(from: 0), "\(inputs) × \(outputs) in pieces")
        }
      }
    }
  }
}
