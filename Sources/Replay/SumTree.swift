// SumTree.swift — a sum tree: draws an item with probability proportional to its weight, in O(log n).
// Schaul et al. 2016, "Prioritized Experience Replay", arXiv:1511.05952, appendix B.2.1.

/// A binary tree whose leaves are weights and whose inner nodes are the sums of their two children.
///
/// An inner node is always computed as left + right, never by adding a difference. So the sums depend on the leaves only, not
/// on the order in which they were set, and rounding errors do not build up.
///
/// differs: sums are in Double; single precision, as in TD7's running sums, no longer tells a million items apart
package struct SumTree {
  /// The number of items.
  package let count: Int
  /// The nodes level by level, the leaves first. Every level has an even length except for the root.
  private var nodes: [Double]
  /// Index of the first node of each level.
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

  /// The size of a tree in bytes.
  package static func byteCount(_ count: Int) -> Int { layout(count).nodes * MemoryLayout<Double>.stride }

  private static func layout(_ count: Int) -> (levels: [Int], nodes: Int) {
    var (levels, nodes, width) = ([0], count, count)
    while width > 1 {
      // a node without a sibling gets one of weight 0
      nodes += width & 1
      width = (width + 1) / 2
      levels.append(nodes)
      nodes += width
    }
    return (levels, nodes)
  }

  /// The sum of all weights.
  package var total: Double { nodes[nodes.count - 1] }

  /// The weight of an item: finite and not negative.
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

  /// The first item whose cumulative weight is above `sum`.
  ///
  /// An item of weight 0 is never found. If rounding has lifted `sum` to the total or above it, the last item with a
  /// weight is found.
  ///
  /// - Precondition: some weight is above 0, and `sum` is not below 0.
  package func item(at sum: Double) -> Int {
    precondition(total > 0 && sum >= 0, "\(sum) of a total of \(total)")
    var (node, rest) = (0, sum)
    for level in stride(from: levels.count - 2, through: 0, by: -1) {
      node &*= 2
      let left = nodes[levels[level] + node]
      // never into a node of weight 0, which has no item to find
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
