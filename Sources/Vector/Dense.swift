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

/// What a product's sums of rows by panels begin with, and where they end.
protocol RowsByPanels {
  func start<C: Panels>(_: C.Type, _ panel: Int) -> C
  func finish(_ sum: Lanes, row: Int, panel: Int) -> Lanes
  /// The results of row 0 of panel 0, and values from one panel to the next.
  var results: UnsafeMutablePointer<Float> { get }
  var stride: Int { get }
}

/// One tile of them at a time, written whole and never read back.
private protocol TileWork: RowsByPanels {
  func add<T: Tile>(to tile: inout T, row: Int, panel: Int)
}

extension TileWork {
  @inline(__always)
  func run<T: Tile>(_: T.Type, row: Int, panel: Int) {
    var tile = T(start(T.Columns.self, panel))
    add(to: &tile, row: row, panel: panel)
    let target = results + (panel &* stride &+ row &* laneCount)
    tile.forEach { r, p, sum in
      store(finish(sum, row: row &+ r, panel: panel &+ p), target + (p &* stride &+ r &* laneCount))
    }
  }
}

/// Runs every tile of `rows` rows and some panels, panels outside: a panel's weights stay in the first cache.
@inline(__always)
private func cover<W: TileWork>(_ rows: Int, _ panels: Range<Int>, _ work: W) {
  var panel = panels.lowerBound
  let panels = panels.upperBound
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
///
/// With `marks`, zeros among x are skipped where that pays and z has no columns: memory of `nonzerosByteCount` for `rows` rows
/// of `xColumns` columns.
package func denseForward(
  rows: Int,
  _ x: UnsafePointer<Float>, _ xStride: Int, _ xColumns: Int,
  _ z: UnsafePointer<Float>, _ zStride: Int, _ zColumns: Int,
  _ weights: UnsafePointer<Float>, panels: Int,
  _ y: UnsafeMutablePointer<Float>, _ yStride: Int, rectify: Bool, _ marks: UnsafeMutableRawPointer? = nil
) {
  let block = (xColumns &+ zColumns &+ 1) &* laneCount
  let work = Forward(
    x: x, xStride: xStride, xColumns: xColumns, z: z, zStride: zStride, zColumns: zColumns, weights: weights,
    block: block, results: y, stride: yStride, rectify: rectify)
  let left = RowsOfPanels(x: x, stride: xStride, rows: rows, steps: xColumns)
  let done = zColumns > 0 ? 0 : coverNonzeros(left, weights, block, panels: panels, work, marks)
  cover(rows, done..<panels, work)
}

private struct Forward: TileWork {
  let x: UnsafePointer<Float>
  let xStride, xColumns: Int
  let z: UnsafePointer<Float>
  let zStride, zColumns: Int
  let weights: UnsafePointer<Float>
  let block: Int
  let results: UnsafeMutablePointer<Float>
  let stride: Int
  let rectify: Bool

  @inline(__always)
  func start<C: Panels>(_: C.Type, _ panel: Int) -> C { C(weights + ((panel &+ 1) &* block &- laneCount), block) }

  @inline(__always)
  func add<T: Tile>(to tile: inout T, row: Int, panel: Int) {
    let w = weights + panel &* block
    multiply(&tile, x + row &* laneCount, xStride, xColumns, w, block)
    multiply(&tile, z + row &* laneCount, zStride, zColumns, w + xColumns &* laneCount, block)
  }

  @inline(__always)
  func finish(_ sum: Lanes, row: Int, panel: Int) -> Lanes {
    rectify ? sum.replacing(with: 0, where: sum .<= 0) : withoutNegativeZero(sum)
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
/// Row r's mask is row r of `mask`, or row `maskRows[r]`; dx is neither. With `marks`, zeros among dy are skipped where that
/// pays: memory of `nonzerosByteCount` for `rows` rows of `columns` columns.
package func denseInputGradient(
  rows: Int,
  _ dy: UnsafePointer<Float>, _ dyStride: Int, _ columns: Int,
  _ transposed: UnsafePointer<Float>, panels: Int,
  mask: UnsafePointer<Float>?, _ maskStride: Int, maskRows: UnsafePointer<Int32>?,
  _ dx: UnsafeMutablePointer<Float>, _ dxStride: Int, _ marks: UnsafeMutableRawPointer? = nil
) {
  let work = InputGradient(
    dy: dy, dyStride: dyStride, columns: columns, transposed: transposed, mask: mask, maskStride: maskStride,
    maskRows: maskRows, results: dx, stride: dxStride)
  let left = RowsOfPanels(x: dy, stride: dyStride, rows: rows, steps: columns)
  let done = coverNonzeros(left, transposed, columns &* laneCount, panels: panels, work, marks)
  cover(rows, done..<panels, work)
}

private struct InputGradient: TileWork {
  let dy: UnsafePointer<Float>
  let dyStride, columns: Int
  let transposed: UnsafePointer<Float>
  let mask: UnsafePointer<Float>?
  let maskStride: Int
  let maskRows: UnsafePointer<Int32>?
  let results: UnsafeMutablePointer<Float>
  let stride: Int

  @inline(__always)
  func start<C: Panels>(_: C.Type, _ panel: Int) -> C { .zero }

  @inline(__always)
  func add<T: Tile>(to tile: inout T, row: Int, panel: Int) {
    let block = columns &* laneCount
    multiply(&tile, dy + row &* laneCount, dyStride, columns, transposed + panel &* block, block)
  }

  @inline(__always)
  func finish(_ sum: Lanes, row: Int, panel: Int) -> Lanes {
    let sum = withoutNegativeZero(sum)
    guard let mask else { return sum }
    let maskRow = maskRows.map { Int($0[row]) } ?? row
    return sum.replacing(with: 0, where: load(mask + (panel &* maskStride &+ maskRow &* laneCount)) .<= 0)
  }
}

// MARK: weight gradient

/// dW = xᵀ dy and, if asked for, db = Σ dy over all `rows` rows, for `panels` panels of outputs, in W's own layout.
///
/// With `marks`, zeros among x are skipped where that pays: memory of `nonzerosByteCount` for `xColumns` rows of `rows` columns.
package func denseWeightGradient(
  rows: Int,
  _ x: UnsafePointer<Float>, _ xStride: Int, _ xColumns: Int,
  _ z: UnsafePointer<Float>, _ zStride: Int, _ zColumns: Int,
  _ dy: UnsafePointer<Float>, _ dyStride: Int, panels: Int,
  _ gradient: UnsafeMutablePointer<Float>, biases: Bool, _ marks: UnsafeMutableRawPointer? = nil
) {
  let block = (xColumns &+ zColumns &+ 1) &* laneCount
  let left = ColumnsOfPanels(x: x, stride: xStride, rows: xColumns, steps: rows)
  let done = coverNonzeros(left, dy, dyStride, panels: panels, WeightGradient(results: gradient, stride: block), marks)
  var panel = 0
  while panel < panels {
    let d = dy + panel &* dyStride
    let g = gradient + panel &* block
    let wide = Columns.count == 2 && panel &+ 2 <= panels
    if wide {
      if panel >= done { outerProducts(Columns.self, rows, x, xStride, xColumns, d, dyStride, g, block) }
      outerProducts(Columns.self, rows, z, zStride, zColumns, d, dyStride, g + xColumns &* laneCount, block)
      if biases { columnSums(Rows1<Columns>.self, rows, d, dyStride, g + (block &- laneCount), block) }
    } else {
      if panel >= done { outerProducts(OnePanel.self, rows, x, xStride, xColumns, d, dyStride, g, block) }
      outerProducts(OnePanel.self, rows, z, zStride, zColumns, d, dyStride, g + xColumns &* laneCount, block)
      if biases { columnSums(Rows1<OnePanel>.self, rows, d, dyStride, g + (block &- laneCount), block) }
    }
    panel &+= wide ? 2 : 1
  }
}

/// With x's columns as the rows of the product: its sums are the results.
private struct WeightGradient: RowsByPanels {
  let results: UnsafeMutablePointer<Float>
  let stride: Int

  @inline(__always) func start<C: Panels>(_: C.Type, _ panel: Int) -> C { .zero }
  @inline(__always) func finish(_ sum: Lanes, row: Int, panel: Int) -> Lanes { withoutNegativeZero(sum) }
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
        tile.forEach { r, p, sum in store(withoutNegativeZero(sum), target + (p &* block &+ r &* laneCount)) }
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
