// SumTree.swift — a sum tree: finds an item in proportion to its weight in O(log n).
// Schaul et al. 2016, "Prioritized Experience Replay", arXiv:1511.05952, appendix B.2.1.

/// A binary tree whose leaves are weights and whose inner nodes are the sums of their two children.
///
/// An inner node is always computed anew as left + right, never by adding a difference: the sums are a function of the
/// leaves alone, whatever the order in which these were set, and no rounding error builds up.
///
/// differs: sums are in Double; single precision, as in TD7's running sums, no longer tells a million items apart
package struct SumTree {
  /// Items.
  package let count: Int
  /// Level after level, the leaves first, each of an even length but for the root.
  private var nodes: [Double]
  /// Where each level begins.
  private let levels: [Int]

  /// A tree of `count` weights of 0.
  ///
  /// - Precondition: at least one item.
  package init(count: Int) {
    precondition(count > 0, "a tree of \(count) items")
    self.count = count
    let layout = Self.layout(count)
    levels = layout.levels
    nodes = [Double](repeating: 0, count: layout.nodes)
  }

  /// Bytes that a tree takes.
  package static func byteCount(_ count: Int) -> Int { layout(count).nodes * MemoryLayout<Double>.stride }

  private static func layout(_ count: Int) -> (levels: [Int], nodes: Int) {
    var (levels, nodes, width) = ([0], count, count)
    while width > 1 {
      // a node without a neighbour has one of weight 0
      nodes += width & 1
      width = (width + 1) / 2
      levels.append(nodes)
      nodes += width
    }
    return (levels, nodes)
  }

  /// The sum of all weights.
  package var total: Double { nodes[nodes.count - 1] }

  /// The weight of an item: finite, not below 0.
  package subscript(item: Int) -> Double {
    get {
      precondition(item >= 0 && item < count, "item \(item) of \(count)")
      return nodes[item]
    }
    set {
      precondition(item >= 0 && item < count, "item \(item) of \(count)")
      precondition(newValue >= 0 && newValue.isFinite, "a weight of \(newValue)")
      nodes[item] = newValue
      var node = item
      for level in 1..<levels.count {
        let children = levels[level - 1] + (node & ~1)
        node >>= 1
        nodes[levels[level] + node] = nodes[children] + nodes[children + 1]
      }
    }
  }

  /// The item in whose share of the running sum `sum` lies: the first whose running sum is above it.
  ///
  /// An item of weight 0 is never found. A `sum` that rounding has lifted to the total or past it finds the last item
  /// that has a weight.
  ///
  /// - Precondition: some weight is above 0, and `sum` is not below 0.
  package func item(at sum: Double) -> Int {
    precondition(total > 0 && sum >= 0, "\(sum) of a total of \(total)")
    var (node, rest) = (0, sum)
    for level in stride(from: levels.count - 2, through: 0, by: -1) {
      node &*= 2
      let left = nodes[levels[level] + node]
      // never into a node of weight 0: below it there is nothing to find
      if rest >= left && nodes[levels[level] + node + 1] > 0 {
        rest -= left
        node += 1
      }
    }
    return node
  }

  /// Sets every weight to 0.
  package mutating func removeAll() {
    for node in nodes.indices { nodes[node] = 0 }
  }
}
