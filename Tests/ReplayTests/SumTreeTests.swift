import Kernels
import Replay
import Testing

@Suite struct SumTreeTests {
  @Test(arguments: Array(1...40) + [63, 64, 65, 1000])
  func `the item found is the first whose running sum is above, as a plain sum finds it`(count: Int) {
    var tree = SumTree(count: count)
    var weights = [Double](repeating: 0, count: count)
    var stream = RandomStream(seed: UInt64(count), purpose: "weights")
    for _ in 0..<30 {
      for _ in 0..<count {
        let item = stream.index(below: count)
        // whole numbers: plain sums are exact
        weights[item] = Double(stream.index(below: 4))
        tree[item] = weights[item]
      }
      #expect(tree.total == weights.reduce(0, +) && weights.indices.allSatisfy { tree[$0] == weights[$0] })
      guard tree.total > 0 else { continue }
      for _ in 0..<20 {
        let sum = Double(stream.index(below: 4 * Int(tree.total))) / 4
        var (item, running) = (0, weights[0])
        while running <= sum {
          item += 1
          running += weights[item]
        }
        #expect(tree.item(at: sum) == item)
      }
    }
  }

  @Test func `each item is found as often as its weight says, the first and the last too`() {
    let weights = [3, 0, 1, 0.5, 0, 2.25, 0.25]
    var tree = SumTree(count: weights.count)
    for (item, weight) in weights.enumerated() { tree[item] = weight }
    var counts = [Double](repeating: 0, count: weights.count)
    for n in 0..<7000 { counts[tree.item(at: Double(n) / 1000)] += 1 }
    #expect(counts == weights.map { $0 * 1000 })
  }

  @Test func `a sum that rounding lifted to the total or past it finds the last item with a weight`() {
    for count in [1, 2, 5, 8, 100] {
      for last in [0, count / 2, count - 1] {
        var tree = SumTree(count: count)
        for item in 0...last { tree[item] = item == last ? 0.1 : item % 3 == 0 ? 0 : 0.1 }
        for sum in [tree.total.nextDown, tree.total, tree.total.nextUp, 2 * tree.total] {
          #expect(tree.item(at: sum) == last, "\(last) of \(count)")
        }
      }
    }
  }

  @Test func `an item of weight 0 is never found, whatever rounding does`() {
    var stream = RandomStream(seed: 1, purpose: "weights")
    for count in [3, 17, 100, 777] {
      var tree = SumTree(count: count)
      for _ in 0..<200 {
        for _ in 0..<count / 2 {
          // over 30 orders of magnitude: sums lose the small ones
          let exponent = stream.index(below: 100) - 50
          tree[stream.index(below: count)] = stream.index(below: 3) == 0 ? 0 : scaled(stream.uniform(), exponent)
        }
        if tree.total == 0 { continue }
        for part in 0...20 { #expect(tree[tree.item(at: Double(part) / 20 * tree.total)] > 0) }
      }
    }
  }

  @Test func `sums depend on the weights alone, not on what was there before`() {
    var stream = RandomStream(seed: 1, purpose: "weights")
    let weights = (0..<500).map { _ in Double(stream.uniform()) }
    var (old, new) = (SumTree(count: 500), SumTree(count: 500))
    for _ in 0..<5000 { old[stream.index(below: 500)] = 1e12 * Double(stream.uniform()) }
    for item in weights.indices.reversed() { old[item] = weights[item] }
    for item in weights.indices { new[item] = weights[item] }
    #expect(old.total.bitPattern == new.total.bitPattern)
    for _ in 0..<2000 {
      let sum = Double(stream.uniform()) * new.total
      #expect(old.item(at: sum) == new.item(at: sum))
    }
    old.removeAll()
    #expect(old.total == 0 && old[499] == 0)
  }

  @Test func `a tree takes about two numbers for each item`() {
    #expect(SumTree.byteCount(1_000_000) < 16_001_000)
  }

  @Test func `misuse traps`() async {
    await #expect(processExitsWith: .failure) { _ = SumTree(count: 3).item(at: 0) }
    await #expect(processExitsWith: .failure) {
      var tree = SumTree(count: 3)
      tree[1] = .nan
    }
    await #expect(processExitsWith: .failure) {
      var tree = SumTree(count: 3)
      tree[1] = -1
    }
    await #expect(processExitsWith: .failure) {
      var tree = SumTree(count: 3)
      tree[3] = 1
    }
  }
}

/// A number, times a power of 2.
private func scaled(_ value: Float, _ exponent: Int) -> Double {
  Double(sign: .plus, exponent: exponent, significand: Double(value))
}
