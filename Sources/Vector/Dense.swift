// Dense.swift — the three matrix products of a dense layer, over panels.
//
//   forward          y  = f(x W + b)          x (B × I), W (I × O), b (O), y (B × O)
//   input gradient   dx = (dy Wᵀ) ⊙ [h > 0]   h the layer's input, where it came out of a rectifier
//   weight gradient  dW = xᵀ dy,  db = Σ dy
//
// W is kept in panels of 16 outputs, each a block of (I + 1) × 16 values whose last row is the bias. The input gradient
// needs Wᵀ in panels of 16 inputs, blocks of O × 16. x may be two matrices side by side (observation and action).

#if WIDE
  // 32 registers of 16 values: 24 sums, 2 of the panels, and the broadcasts
  typealias Columns = TwoPanels
  typealias BigTile = Rows12
  typealias OuterTile = Rows8
#else
  // 16 registers of 8 values: 12 sums, 2 of the panel, and the broadcasts
  typealias Columns = OnePanel
  typealias BigTile = Rows6
  typealias OuterTile = Rows6
#endif

// MARK: rows by panels

/// A product whose results are rows by panels: one tile of them, each value written once and never read back.
private protocol TileWork {
  func run<T: Tile>(_: T.Type, row: Int, panel: Int)
}

/// Runs every tile of `rows` rows and `panels` panels, panels outside: a panel's weights stay in the first cache.
@inline(__always)
private func cover<W: TileWork>(_ rows: Int, _ panels: Int, _ work: W) {
  var panel = 0
  while Columns.count == 2 && panel &+ 2 <= panels {
    cover(Columns.self, rows, panel, work)
    panel &+= 2
  }
  while panel < panels {
    cover(OnePanel.self, rows, panel, work)
    panel &+= 1
  }
}

/// The last tile may begin before the others end: computing some rows twice, to the same bits, is cheaper than small tiles,
/// whose few sums wait for one another.
@inline(__always)
private func cover<C: Panels, W: TileWork>(_: C.Type, _ rows: Int, _ panel: Int, _ work: W) {
  let big = BigTile<C>.rows
  var row = 0
  while row &+ big <= rows {
    work.run(BigTile<C>.self, row: row, panel: panel)
    row &+= big
  }
  if rows &- row > 4 && rows >= big {
    work.run(BigTile<C>.self, row: rows &- big, panel: panel)
    return
  }
  while row &+ 4 <= rows {
    work.run(Rows4<C>.self, row: row, panel: panel)
    row &+= 4
  }
  if row < rows && rows >= 4 {
    work.run(Rows4<C>.self, row: rows &- 4, panel: panel)
    return
  }
  while row < rows {
    work.run(Rows1<C>.self, row: row, panel: panel)
    row &+= 1
  }
}

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
  cover(
    rows, panels,
    Forward(
      x: x, xStride: xStride, xColumns: xColumns, z: z, zStride: zStride, zColumns: zColumns, weights: weights,
      block: block, y: y, yStride: yStride, rectify: rectify))
}

private struct Forward: TileWork {
  let x: UnsafePointer<Float>
  let xStride, xColumns: Int
  let z: UnsafePointer<Float>
  let zStride, zColumns: Int
  let weights: UnsafePointer<Float>
  let block: Int
  let y: UnsafeMutablePointer<Float>
  let yStride: Int
  let rectify: Bool

  @inline(__always)
  func run<T: Tile>(_: T.Type, row: Int, panel: Int) {
    let start = row &* laneCount
    let w = weights + panel &* block
    var tile = T(T.Columns(w + (block &- laneCount), block))
    multiply(&tile, x + start, xStride, xColumns, w, block)
    multiply(&tile, z + start, zStride, zColumns, w + xColumns &* laneCount, block)
    let target = y + (panel &* yStride &+ start)
    tile.forEach { r, p, sum in
      let value = rectify ? sum.replacing(with: 0, where: sum .< 0) : sum
      store(value, target + (p &* yStride &+ r &* laneCount))
    }
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
    // by fours: a loop's own instructions compete with the multiply-adds
    while k &+ 4 <= count {
      tile.add(a + k, laneCount, T.Columns(b, bStride))
      tile.add(a + (k &+ 1), laneCount, T.Columns(b + laneCount, bStride))
      tile.add(a + (k &+ 2), laneCount, T.Columns(b + 2 &* laneCount, bStride))
      tile.add(a + (k &+ 3), laneCount, T.Columns(b + 3 &* laneCount, bStride))
      b += 4 &* laneCount
      k &+= 4
    }
    while k < count {
      tile.add(a + k, laneCount, T.Columns(b, bStride))
      b += laneCount
      k &+= 1
    }
    a += aStride
    left &-= laneCount
  }
}

// MARK: input gradient

/// dx = dy Wᵀ for `rows` rows, and zero where `mask` is not positive. `columns` is O, `panels` is I in panels.
///
/// Row r's mask is row r of `mask`, or row `maskRows[r]`.
package func denseInputGradient(
  rows: Int,
  _ dy: UnsafePointer<Float>, _ dyStride: Int, _ columns: Int,
  _ transposed: UnsafePointer<Float>, panels: Int,
  mask: UnsafePointer<Float>?, _ maskStride: Int, maskRows: UnsafePointer<Int32>?,
  _ dx: UnsafeMutablePointer<Float>, _ dxStride: Int
) {
  cover(
    rows, panels,
    InputGradient(
      dy: dy, dyStride: dyStride, columns: columns, transposed: transposed, mask: mask, maskStride: maskStride,
      maskRows: maskRows, dx: dx, dxStride: dxStride))
}

private struct InputGradient: TileWork {
  let dy: UnsafePointer<Float>
  let dyStride, columns: Int
  let transposed: UnsafePointer<Float>
  let mask: UnsafePointer<Float>?
  let maskStride: Int
  let maskRows: UnsafePointer<Int32>?
  let dx: UnsafeMutablePointer<Float>
  let dxStride: Int

  @inline(__always)
  func run<T: Tile>(_: T.Type, row: Int, panel: Int) {
    let start = row &* laneCount
    let block = columns &* laneCount
    var tile = T(.zero)
    multiply(&tile, dy + start, dyStride, columns, transposed + panel &* block, block)
    let target = dx + (panel &* dxStride &+ start)
    if let mask {
      let inputs = mask + panel &* maskStride
      tile.forEach { r, p, sum in
        let maskRow = maskRows.map { Int($0[row &+ r]) } ?? row &+ r
        let input = load(inputs + (p &* maskStride &+ maskRow &* laneCount))
        store(sum.replacing(with: 0, where: input .<= 0), target + (p &* dxStride &+ r &* laneCount))
      }
    } else {
      tile.forEach { r, p, sum in store(sum, target + (p &* dxStride &+ r &* laneCount)) }
    }
  }
}

// MARK: weight gradient

/// dW = xᵀ dy and, if asked for, db = Σ dy over all `rows` rows, for `panels` panels of outputs, in W's own layout.
package func denseWeightGradient(
  rows: Int,
  _ x: UnsafePointer<Float>, _ xStride: Int, _ xColumns: Int,
  _ z: UnsafePointer<Float>, _ zStride: Int, _ zColumns: Int,
  _ dy: UnsafePointer<Float>, _ dyStride: Int, panels: Int,
  _ gradient: UnsafeMutablePointer<Float>, biases: Bool
) {
  let block = (xColumns &+ zColumns &+ 1) &* laneCount
  var panel = 0
  while panel < panels {
    let d = dy + panel &* dyStride
    let g = gradient + panel &* block
    let wide = Columns.count == 2 && panel &+ 2 <= panels
    if wide {
      outerProducts(Columns.self, rows, x, xStride, xColumns, d, dyStride, g, block)
      outerProducts(Columns.self, rows, z, zStride, zColumns, d, dyStride, g + xColumns &* laneCount, block)
      if biases { columnSums(Rows1<Columns>.self, rows, d, dyStride, g + (block &- laneCount), block) }
    } else {
      outerProducts(OnePanel.self, rows, x, xStride, xColumns, d, dyStride, g, block)
      outerProducts(OnePanel.self, rows, z, zStride, zColumns, d, dyStride, g + xColumns &* laneCount, block)
      if biases { columnSums(Rows1<OnePanel>.self, rows, d, dyStride, g + (block &- laneCount), block) }
    }
    panel &+= wide ? 2 : 1
  }
}

/// g[i] = Σ_k x[k][i] dy[k]: the tile's rows are x's columns, k steps through the batch.
@inline(__always)
private func outerProducts<C: Panels>(
  _: C.Type, _ rows: Int, _ x: UnsafePointer<Float>, _ xStride: Int, _ columns: Int,
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
        var tile = U(.zero)
        var a = panel + i
        var b = dy
        var left = rows
        while left >= 4 {
          tile.add(a, 1, U.Columns(b, dyStride))
          tile.add(a + laneCount, 1, U.Columns(b + laneCount, dyStride))
          tile.add(a + 2 &* laneCount, 1, U.Columns(b + 2 &* laneCount, dyStride))
          tile.add(a + 3 &* laneCount, 1, U.Columns(b + 3 &* laneCount, dyStride))
          a += 4 &* laneCount
          b += 4 &* laneCount
          left &-= 4
        }
        while left > 0 {
          tile.add(a, 1, U.Columns(b, dyStride))
          a += laneCount
          b += laneCount
          left &-= 1
        }
        let target = g + i &* laneCount
        tile.forEach { r, p, sum in store(sum, target + (p &* block &+ r &* laneCount)) }
        i &+= U.rows
      }
    }
    run(OuterTile<C>.self)
    run(Rows4<C>.self)
    run(Rows2<C>.self)
    run(Rows1<C>.self)
    column &+= laneCount
  }
}

/// g = Σ_k dy[k].
@inline(__always)
private func columnSums<T: Tile>(
  _: T.Type, _ rows: Int, _ dy: UnsafePointer<Float>, _ dyStride: Int, _ gradient: UnsafeMutablePointer<Float>,
  _ block: Int
) {
  var tile = T(.zero)
  var b = dy
  var one: Float = 1
  withUnsafePointer(to: &one) { one in
    for _ in 0..<rows {
      tile.add(one, 0, T.Columns(b, dyStride))
      b += laneCount
    }
  }
  tile.forEach { _, p, sum in store(sum, gradient + p &* block) }
}
