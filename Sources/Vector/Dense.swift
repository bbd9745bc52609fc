// Dense.swift — the three matrix products of a dense layer, over panels.
//
//   forward          y  = f(x W + b)          x (B × I), W (I × O), b (O), y (B × O)
//   input gradient   dx = (dy Wᵀ) ⊙ [h > 0]   h the layer's input, where it came out of a rectifier
//   weight gradient  dW = xᵀ dy,  db = Σ dy
//
// W is kept in panels of 16 outputs, each a block of (I + 1) × 16 values whose last row is the bias. The input gradient
// needs Wᵀ in panels of 16 inputs, blocks of O × 16. x may be two matrices side by side (observation and action).

#if WIDE
  // 32 registers of 16 values
  typealias BigTile = TwoPanels<Rows8>
  typealias BigNarrowTile = OnePanel<Rows8>
#else
  // 16 registers of 8 values
  typealias BigTile = OnePanel<Rows6>
  typealias BigNarrowTile = OnePanel<Rows6>
#endif

// MARK: forward

/// y = x W + b for `rows` rows, rectified or not. Pointers are at the first row; `panels` is O in panels.
package func denseForward(
  rows: Int,
  _ x: UnsafePointer<Float>, _ xStride: Int, _ xColumns: Int,
  _ z: UnsafePointer<Float>, _ zStride: Int, _ zColumns: Int,
  _ weights: UnsafePointer<Float>, panels: Int,
  _ y: UnsafeMutablePointer<Float>, _ yStride: Int, rectify: Bool
) {
  let block = (xColumns &+ zColumns &+ 1) &* laneCount
  var panel = 0
  while panel < panels {
    let w = weights + panel &* block
    let out = y + panel &* yStride
    let wide = BigTile.panels == 2 && panel &+ 2 <= panels
    var row = 0
    @inline(__always)
    func run<T: Tile>(_: T.Type) {
      while row &+ T.rows <= rows {
        let start = row &* laneCount
        var tile = T(w + (block &- laneCount), block)
        multiply(&tile, x + start, xStride, xColumns, w, block)
        multiply(&tile, z + start, zStride, zColumns, w + xColumns &* laneCount, block)
        let target = out + start
        tile.forEach { r, p, sum in
          let value = rectify ? sum.replacing(with: 0, where: sum .< 0) : sum
          store(value, target + (p &* yStride &+ r &* laneCount))
        }
        row &+= T.rows
      }
    }
    if wide {
      run(BigTile.self)
      run(TwoPanels<Rows4>.self)
      run(TwoPanels<Rows1>.self)
    } else {
      run(BigNarrowTile.self)
      run(OnePanel<Rows4>.self)
      run(OnePanel<Rows1>.self)
    }
    panel &+= wide ? 2 : 1
  }
}

/// tile += a b: a's columns are k, so k steps through the 16 columns of each of its panels.
@inline(__always)
private func multiply<T: Tile>(
  _ tile: inout T, _ a: UnsafePointer<Float>, _ aStride: Int, _ columns: Int, _ b: UnsafePointer<Float>, _ bStride: Int
) {
  var a = a
  var b = b
  var left = columns
  while left > 0 {
    let count = left < laneCount ? left : laneCount
    var k = 0
    while k < count {
      tile.add(a + k, laneCount, b, bStride)
      b += laneCount
      k &+= 1
    }
    a += aStride
    left &-= laneCount
  }
}

// MARK: input gradient

/// dx = dy Wᵀ for `rows` rows, and zero where `mask` is not positive. `columns` is O, `panels` is I in panels.
package func denseInputGradient(
  rows: Int,
  _ dy: UnsafePointer<Float>, _ dyStride: Int, _ columns: Int,
  _ transposed: UnsafePointer<Float>, panels: Int,
  mask: UnsafePointer<Float>?, _ maskStride: Int,
  _ dx: UnsafeMutablePointer<Float>, _ dxStride: Int
) {
  let block = columns &* laneCount
  var panel = 0
  while panel < panels {
    let w = transposed + panel &* block
    let out = dx + panel &* dxStride
    let wide = BigTile.panels == 2 && panel &+ 2 <= panels
    var row = 0
    @inline(__always)
    func run<T: Tile>(_: T.Type) {
      while row &+ T.rows <= rows {
        let start = row &* laneCount
        var tile = T(nil, 0)
        multiply(&tile, dy + start, dyStride, columns, w, block)
        let target = out + start
        if let mask {
          let inputs = mask + (panel &* maskStride &+ start)
          tile.forEach { r, p, sum in
            let input = load(inputs + (p &* maskStride &+ r &* laneCount))
            store(sum.replacing(with: 0, where: input .<= 0), target + (p &* dxStride &+ r &* laneCount))
          }
        } else {
          tile.forEach { r, p, sum in store(sum, target + (p &* dxStride &+ r &* laneCount)) }
        }
        row &+= T.rows
      }
    }
    if wide {
      run(BigTile.self)
      run(TwoPanels<Rows4>.self)
      run(TwoPanels<Rows1>.self)
    } else {
      run(BigNarrowTile.self)
      run(OnePanel<Rows4>.self)
      run(OnePanel<Rows1>.self)
    }
    panel &+= wide ? 2 : 1
  }
}

// MARK: weight gradient

/// dW = xᵀ dy and db = Σ dy over all `rows` rows, for `panels` panels of outputs, in W's own layout.
package func denseWeightGradient(
  rows: Int,
  _ x: UnsafePointer<Float>, _ xStride: Int, _ xColumns: Int,
  _ z: UnsafePointer<Float>, _ zStride: Int, _ zColumns: Int,
  _ dy: UnsafePointer<Float>, _ dyStride: Int, panels: Int,
  _ gradient: UnsafeMutablePointer<Float>
) {
  let block = (xColumns &+ zColumns &+ 1) &* laneCount
  var panel = 0
  while panel < panels {
    let d = dy + panel &* dyStride
    let g = gradient + panel &* block
    let wide = BigTile.panels == 2 && panel &+ 2 <= panels
    if wide {
      outerProducts(TwoPanels<Rows8>.self, rows, x, xStride, xColumns, d, dyStride, g, block)
      outerProducts(TwoPanels<Rows8>.self, rows, z, zStride, zColumns, d, dyStride, g + xColumns &* laneCount, block)
      columnSums(TwoPanels<Rows1>.self, rows, d, dyStride, g + (block &- laneCount), block)
    } else {
      outerProducts(BigNarrowTile.self, rows, x, xStride, xColumns, d, dyStride, g, block)
      outerProducts(BigNarrowTile.self, rows, z, zStride, zColumns, d, dyStride, g + xColumns &* laneCount, block)
      columnSums(OnePanel<Rows1>.self, rows, d, dyStride, g + (block &- laneCount), block)
    }
    panel &+= wide ? 2 : 1
  }
}

/// g[i] = Σ_k x[k][i] dy[k]: the tile's rows are x's columns, k steps through the batch.
@inline(__always)
private func outerProducts<T: Tile>(
  _: T.Type, _ rows: Int, _ x: UnsafePointer<Float>, _ xStride: Int, _ columns: Int,
  _ dy: UnsafePointer<Float>, _ dyStride: Int, _ gradient: UnsafeMutablePointer<Float>, _ block: Int
) {
  var column = 0
  while column < columns {
    let panel = x + (column / laneCount) &* xStride
    let count = min(laneCount, columns &- column)
    let g = gradient + column &* laneCount
    var i = 0
    @inline(__always)
    func run<U: Tile>(_: U.Type) {
      while i &+ U.rows <= count {
        var tile = U(nil, 0)
        var a = panel + i
        var b = dy
        for _ in 0..<rows {
          tile.add(a, 1, b, dyStride)
          a += laneCount
          b += laneCount
        }
        let target = g + i &* laneCount
        tile.forEach { r, p, sum in store(sum, target + (p &* block &+ r &* laneCount)) }
        i &+= U.rows
      }
    }
    run(T.self)
    if T.panels == 2 {
      run(TwoPanels<Rows4>.self)
      run(TwoPanels<Rows2>.self)
      run(TwoPanels<Rows1>.self)
    } else {
      run(OnePanel<Rows4>.self)
      run(OnePanel<Rows2>.self)
      run(OnePanel<Rows1>.self)
    }
    column &+= laneCount
  }
}

/// g = Σ_k dy[k].
@inline(__always)
private func columnSums<T: Tile>(
  _: T.Type, _ rows: Int, _ dy: UnsafePointer<Float>, _ dyStride: Int, _ gradient: UnsafeMutablePointer<Float>,
  _ block: Int
) {
  var tile = T(nil, 0)
  var b = dy
  var one: Float = 1
  withUnsafePointer(to: &one) { one in
    for _ in 0..<rows {
      tile.add(one, 0, b, dyStride)
      b += laneCount
    }
  }
  tile.forEach { _, p, sum in store(sum, gradient + p &* block) }
}

// MARK: transpose

/// Copies rows `firstInput ..< firstInput + inputs` of `panels` panels of W, from panel `firstPanel` on, into Wᵀ.
package func denseTranspose(
  _ weights: UnsafePointer<Float>, inputs allInputs: Int, firstPanel: Int, panels: Int, outputs: Int,
  firstInput: Int, inputs: Int, _ transposed: UnsafeMutablePointer<Float>
) {
  let block = (allInputs &+ 1) &* laneCount
  for panel in firstPanel..<(firstPanel &+ panels) {
    let columns = min(laneCount, outputs &- panel &* laneCount)
    var input = 0
    while input < inputs {
      let count = min(laneCount, inputs &- input)
      let source = weights + (panel &* block &+ (firstInput &+ input) &* laneCount)
      let target = transposed + ((input / laneCount) &* (outputs &* laneCount) &+ panel &* laneCount &* laneCount)
      for column in 0..<columns {
        var lanes = Lanes.zero
        for i in 0..<count { lanes[i] = source[i &* laneCount &+ column] }
        store(lanes, target + column &* laneCount)
      }
      input &+= laneCount
    }
  }
}
