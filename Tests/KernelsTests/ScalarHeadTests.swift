import Kernels
import Testing

@Suite struct ScalarHeadTests {
  /// w (I) and b as the kernels keep them.
  private func head(_ weights: [Float], bias: Float) -> Block {
    let block = Block(count: headParameterCount(inputs: weights.count))
    block.set(weights)
    block[(weights.count + 15) / 16 * 16] = bias
    return block
  }

  private func forEachSize(_ body: (_ rows: Int, _ inputs: Int) -> String?) -> String? {
    for rows in 1...70 {
      for inputs in 1...70 {
        if let failure = body(rows, inputs) { return "\(rows) × \(inputs): \(failure)" }
      }
    }
    return body(256, 256)
  }

  @Test func `one output is near the dot product in double precision, for every size`() {
    let failure = forEachSize { rows, inputs in
      let (h, w) = (numbers(rows * inputs, seed: inputs), numbers(inputs, seed: rows))
      let range = min(rows - 1, inputs % 3)..<rows
      let q = Block([Float](repeating: untouched, count: rows + 1))
      headForward(Matrix(h, rows: rows, columns: inputs), head(w, bias: 0.7), at: 0, into: q, rows: range)
      for row in 0...rows {
        if range.contains(row) {
          var sum = SumReference()
          for i in 0..<inputs { sum.add(h[row * inputs + i], w[i]) }
          sum.add(1, 0.7)
          if !sum.isNear(q[row]) { return "row \(row) is \(q[row]), not \(sum.value)" }
        } else if q[row] != untouched {
          return "row \(row) outside \(range) was touched"
        }
      }
      return nil
    }
    #expect(failure == nil)
  }

  @Test func `its input gradient is one product where the input was positive and else zero, for every size`() {
    let failure = forEachSize { rows, inputs in
      let h = numbers(rows * inputs, seed: inputs).map { abs($0) < 0.3 ? 0 : $0 }
      let (w, dq) = (numbers(inputs, seed: rows), numbers(rows, seed: 9))
      let range = min(rows - 1, inputs % 3)..<rows
      let dh = Matrix(repeating: untouched, rows: rows, columns: inputs)
      headInputGradient(
        Block(dq), head(w, bias: 0.7), at: 0, mask: Matrix(h, rows: rows, columns: inputs), into: dh, rows: range)
      guard dh.isPaddingZero else { return "the padding is not zero" }
      for row in 0..<rows {
        for i in 0..<inputs {
          let expected = range.contains(row) ? (h[row * inputs + i] > 0 ? w[i] * dq[row] : 0) : untouched
          if dh.at(row, i) != expected { return "(\(row), \(i)) is \(dh.at(row, i)), not \(expected)" }
        }
      }
      return nil
    }
    #expect(failure == nil)
  }

  @Test func `a gathered mask is the mask of the rows it names, for every size`() {
    let failure = forEachSize { rows, inputs in
      let h = Matrix(numbers(rows * inputs, seed: inputs), rows: rows, columns: inputs)
      let dq = Block(numbers(rows, seed: 9))
      let owners = RowIndices(count: rows)
      let gathered = Matrix(rows: rows, columns: inputs)
      for row in 0..<rows {
        owners[row] = (row * 7 + inputs) % rows
        h.copyRow(owners[row], to: gathered, row: row)
      }
      let weights = head(numbers(inputs, seed: rows), bias: 0)
      let expected = Matrix(rows: rows, columns: inputs)
      let dh = Matrix(rows: rows, columns: inputs)
      headInputGradient(dq, weights, at: 0, mask: gathered, into: expected, rows: 0..<rows)
      headInputGradient(dq, weights, at: 0, mask: h, maskRows: owners, into: dh, rows: 0..<rows)
      return dh.values == expected.values ? nil : "another mask"
    }
    #expect(failure == nil)
  }

  @Test func `its weight gradients are near the sums, and the bias belongs to the last panel, for every size`() {
    let failure = forEachSize { rows, inputs in
      let total = rows + inputs % 3
      let (h, dq) = (numbers(total * inputs, seed: inputs), numbers(total, seed: rows))
      let panelCount = (inputs + 15) / 16
      let panels = min(panelCount - 1, rows % 2)..<max(1, panelCount - rows % 3)
      let count = headParameterCount(inputs: inputs)
      let gradients = Block([Float](repeating: untouched, count: count))
      guard !panels.isEmpty else { return nil }
      headWeightGradient(
        Block(dq), Matrix(h, rows: total, columns: inputs), rows: rows, into: gradients, at: 0, panels: panels)
      for index in 0..<count {
        let value = gradients[index]
        let isBias = index == panelCount * 16
        if isBias ? panels.upperBound < panelCount : !panels.contains(index / 16) {
          if value != untouched { return "value \(index) outside panels \(panels) was touched" }
        } else if isBias || index < inputs {
          var sum = SumReference()
          for row in 0..<rows { sum.add(isBias ? 1 : h[row * inputs + index], dq[row]) }
          if !sum.isNear(value) { return "value \(index) is \(value), not \(sum.value)" }
        } else if index < panelCount * 16, value != 0 {
          return "the padding is not zero"
        }
      }
      return nil
    }
    #expect(failure == nil)
  }
}
