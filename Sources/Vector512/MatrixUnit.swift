// MatrixUnit.swift — the three products of a dense layer on the matrix unit: what `Dense.swift` does, over tiles of 16 × 32.
//
// Operands are split into bfloat16 parts first, see `MatrixUnit.h`. Panels of 16 columns are both: 16 steps of k in the left
// operand, 16 outputs in the right one. The left operand, a chunk of rows or the inputs of a weight gradient, is split whole
// into the second cache, up to about 1,000 of 256; of the right one two panels and 128 steps of k at a time, which stay in the first cache while every tile
// of the left one goes past them.

import Intrinsics

package enum MatrixUnit {
  /// Bytes of scratch, on a cache line, that a product of some 16-row tiles over some blocks of 32 steps of k needs.
  package static func scratchByteCount(tiles: Int, blocks: Int) -> Int {
    sumBytes(tiles: tiles) &+ rightBytes &+ tiles &* blocks &* splitTileByteCount
  }

  /// Blocks of k for a layer's input of one or two matrices, each in panels of its own.
  package static func blocks(xColumns: Int, zColumns: Int) -> Int {
    (panels(xColumns) &+ panels(zColumns) &+ 1) / 2
  }

  /// Blocks of k for a batch.
  package static func blocks(rows: Int) -> Int { (rows &+ 31) / 32 }

  /// Tiles that rows or columns fill.
  package static func panels(_ columns: Int) -> Int { (columns &+ laneCount &- 1) / laneCount }
}

private let splitTileByteCount = splitTileBytes
private let square = laneCount &* laneCount
/// Blocks of k whose part of two panels leaves half of the first cache to the left operand.
private let blocksAtOnce = 4
private let rightBytes = 2 &* blocksAtOnce &* splitTileByteCount

/// The sums of every pair of tiles with two panels.
private func sumBytes(tiles: Int) -> Int { (tiles &+ 1) / 2 &* 4 &* tileBytes }

// MARK: the input of a layer

/// A layer's input, one matrix or two side by side, as panels one after another.
private struct InputPanels {
  let x: UnsafePointer<Float>
  let xStride, xColumns: Int
  let z: UnsafePointer<Float>
  let zStride, zColumns: Int

  @inline(__always)
  var count: Int { MatrixUnit.panels(xColumns) &+ MatrixUnit.panels(zColumns) }

  /// Where panel i starts, the first of its columns among all, and how many it has; none past the last panel.
  @inline(__always)
  subscript(i: Int) -> (start: UnsafePointer<Float>, first: Int, columns: Int) {
    let xPanels = MatrixUnit.panels(xColumns)
    if i < xPanels { return (x + i &* xStride, i &* laneCount, min(laneCount, xColumns &- i &* laneCount)) }
    let j = i &- xPanels
    if j >= MatrixUnit.panels(zColumns) { return (x, 0, 0) }
    return (z + j &* zStride, xColumns &+ j &* laneCount, min(laneCount, zColumns &- j &* laneCount))
  }
}

// MARK: the product of what is split

/// Every sum of `tiles` tiles of the left operand, which is split at the end of the scratch, with `panels` panels of the right one.
///
/// `split` splits a block of a panel; `finish` gets the number of a tile, of a panel and their 16 × 16 sums.
@inline(__always)
private func multiply(
  tiles: Int, panels: Int, blocks: Int, _ scratch: UnsafeMutableRawPointer,
  split: (_ panel: Int, _ block: Int, UnsafeMutableRawPointer) -> Void,
  finish: (_ tile: Int, _ panel: Int, UnsafePointer<Float>) -> Void
) {
  let sums = scratch.assumingMemoryBound(to: Float.self)
  let right = scratch + sumBytes(tiles: tiles)
  let nextPanel = blocksAtOnce &* splitTileByteCount
  let left = leftOperand(scratch, tiles: tiles)
  let nextTile = blocks &* splitTileByteCount
  enterMatrixUnit()
  var panel = 0
  while panel < panels {
    let twoPanels = panel &+ 1 < panels
    var block = 0
    while block < blocks {
      let count = min(blocksAtOnce, blocks &- block)
      for i in 0..<count {
        split(panel, block &+ i, right + i &* splitTileByteCount)
        if twoPanels { split(panel &+ 1, block &+ i, right + (nextPanel &+ i &* splitTileByteCount)) }
      }
      var tile = 0
      while tile < tiles {
        let twoTiles = tile &+ 1 < tiles
        let a = left + (tile &* nextTile &+ block &* splitTileByteCount)
        let own = sums + 2 &* tile &* square
        multiplySplit(
          a, twoTiles ? a + nextTile : nil, right, twoPanels ? right + nextPanel : nil, count, block > 0, own)
        if block &+ count == blocks {
          finish(tile, panel, own)
          if twoPanels { finish(tile, panel &+ 1, own + square) }
          if twoTiles { finish(tile &+ 1, panel, own + 2 &* square) }
          if twoTiles && twoPanels { finish(tile &+ 1, panel &+ 1, own + 3 &* square) }
        }
        tile &+= 2
      }
      block &+= count
    }
    panel &+= 2
  }
  leaveMatrixUnit()
}

/// Where the left operand is split to.
@inline(__always)
private func leftOperand(_ scratch: UnsafeMutableRawPointer, tiles: Int) -> UnsafeMutableRawPointer {
  scratch + (sumBytes(tiles: tiles) &+ rightBytes)
}

/// The weights of one block of k, as the right operand: rows of a panel for each panel of the left one.
@inline(__always)
private func splitWeights(
  _ weights: UnsafePointer<Float>, _ input: InputPanels, block: Int, _ target: UnsafeMutableRawPointer
) {
  let (low, high) = (input[2 &* block], input[2 &* block &+ 1])
  splitRows(weights + low.first &* laneCount, low.columns, weights + high.first &* laneCount, high.columns, target)
}

/// Splits the rows of a left operand, whose panels are steps of k.
@inline(__always)
private func splitLeft(rows: Int, _ input: InputPanels, blocks: Int, _ left: UnsafeMutableRawPointer) {
  var target = left
  var row = 0
  while row < rows {
    let count = min(laneCount, rows &- row)
    for block in 0..<blocks {
      let (low, high) = (input[2 &* block], input[2 &* block &+ 1])
      splitRows(
        low.start + row &* laneCount, count, high.start + row &* laneCount, high.columns == 0 ? 0 : count, target)
      target += splitTileByteCount
    }
    row &+= laneCount
  }
}

extension MatrixUnit {
  // MARK: forward

  /// `Vector.denseForward` with `scratch` for `rows` rows and the input's blocks.
  package static func denseForward(
    rows: Int,
    _ x: UnsafePointer<Float>, _ xStride: Int, _ xColumns: Int,
    _ z: UnsafePointer<Float>, _ zStride: Int, _ zColumns: Int,
    _ weights: UnsafePointer<Float>, panels: Int,
    _ y: UnsafeMutablePointer<Float>, _ yStride: Int, rectify: Bool, _ scratch: UnsafeMutableRawPointer
  ) {
    let input = InputPanels(x: x, xStride: xStride, xColumns: xColumns, z: z, zStride: zStride, zColumns: zColumns)
    let blocks = blocks(xColumns: xColumns, zColumns: zColumns)
    let panelSize = (xColumns &+ zColumns &+ 1) &* laneCount
    let tiles = Self.panels(rows)
    splitLeft(rows: rows, input, blocks: blocks, leftOperand(scratch, tiles: tiles))
    multiply(tiles: tiles, panels: panels, blocks: blocks, scratch) { panel, block, target in
      splitWeights(weights + panel &* panelSize, input, block: block, target)
    } finish: { tile, panel, sums in
      let bias = load(weights + ((panel &+ 1) &* panelSize &- laneCount))
      let target = y + (panel &* yStride &+ tile &* square)
      for r in 0..<min(laneCount, rows &- tile &* laneCount) {
        let sum = load(sums + r &* laneCount) + bias
        store(rectify ? sum.replacing(with: 0, where: sum .< 0) : sum, target + r &* laneCount)
      }
    }
  }

  // MARK: input gradient

  /// `Vector.denseInputGradient` with `scratch` for `rows` rows and the outputs' blocks.
  package static func denseInputGradient(
    rows: Int,
    _ dy: UnsafePointer<Float>, _ dyStride: Int, _ columns: Int,
    _ transposed: UnsafePointer<Float>, panels: Int,
    mask: UnsafePointer<Float>?, _ maskStride: Int, maskRows: UnsafePointer<Int32>?,
    _ dx: UnsafeMutablePointer<Float>, _ dxStride: Int, _ scratch: UnsafeMutableRawPointer
  ) {
    let input = InputPanels(x: dy, xStride: dyStride, xColumns: columns, z: dy, zStride: dyStride, zColumns: 0)
    let blocks = blocks(xColumns: columns, zColumns: 0)
    let tiles = Self.panels(rows)
    splitLeft(rows: rows, input, blocks: blocks, leftOperand(scratch, tiles: tiles))
    multiply(tiles: tiles, panels: panels, blocks: blocks, scratch) { panel, block, target in
      splitWeights(transposed + panel &* columns &* laneCount, input, block: block, target)
    } finish: { tile, panel, sums in
      let target = dx + (panel &* dxStride &+ tile &* square)
      for r in 0..<min(laneCount, rows &- tile &* laneCount) {
        let sum = load(sums + r &* laneCount)
        if let mask {
          let row = tile &* laneCount &+ r
          let input = load(mask + (panel &* maskStride &+ (maskRows.map { Int($0[row]) } ?? row) &* laneCount))
          store(sum.replacing(with: 0, where: input .<= 0), target + r &* laneCount)
        } else {
          store(sum, target + r &* laneCount)
        }
      }
    }
  }

  // MARK: weight gradient

  /// `Vector.denseWeightGradient` with `scratch` for the input's panels and the batch's blocks.
  package static func denseWeightGradient(
    rows: Int,
    _ x: UnsafePointer<Float>, _ xStride: Int, _ xColumns: Int,
    _ z: UnsafePointer<Float>, _ zStride: Int, _ zColumns: Int,
    _ dy: UnsafePointer<Float>, _ dyStride: Int, panels: Int,
    _ gradient: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutableRawPointer
  ) {
    let input = InputPanels(x: x, xStride: xStride, xColumns: xColumns, z: z, zStride: zStride, zColumns: zColumns)
    let blocks = blocks(rows: rows)
    let panelSize = (xColumns &+ zColumns &+ 1) &* laneCount
    /// Rows of a square that begins at row `first`.
    @inline(__always) func rowsFrom(_ first: Int) -> Int { max(0, min(laneCount, rows &- first)) }

    var target = leftOperand(scratch, tiles: input.count)
    for tile in 0..<input.count {
      for block in 0..<blocks {
        let first = 2 &* block &* laneCount
        let low = input[tile].start + first &* laneCount
        splitColumns(low, rowsFrom(first), low + square, rowsFrom(first &+ laneCount), target)
        target += splitTileByteCount
      }
    }
    multiply(tiles: input.count, panels: panels, blocks: blocks, scratch) { panel, block, target in
      let first = 2 &* block &* laneCount
      let low = dy + (panel &* dyStride &+ first &* laneCount)
      splitRows(low, rowsFrom(first), low + square, rowsFrom(first &+ laneCount), target)
    } finish: { tile, panel, sums in
      let part = input[tile]
      let target = gradient + (panel &* panelSize &+ part.first &* laneCount)
      for r in 0..<part.columns { store(load(sums + r &* laneCount), target + r &* laneCount) }
    }
    biasGradients(rows: rows, dy, dyStride, panels: panels, gradient, panelSize)
  }

  /// db = Σ dy, the last row of each panel; four panels at once, as one sum would wait for itself.
  private static func biasGradients(
    rows: Int, _ dy: UnsafePointer<Float>, _ dyStride: Int, panels: Int, _ gradient: UnsafeMutablePointer<Float>,
    _ panelSize: Int
  ) {
    for panel in stride(from: 0, to: panels, by: 4) {
      /// The panel i places on, or the last.
      @inline(__always) func at(_ i: Int) -> Int { min(panel &+ i, panels &- 1) }
      let sources = (dy + at(0) &* dyStride, dy + at(1) &* dyStride, dy + at(2) &* dyStride, dy + at(3) &* dyStride)
      var sums = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
      for row in 0..<rows {
        sums.0 += load(sources.0 + row &* laneCount)
        sums.1 += load(sources.1 + row &* laneCount)
        sums.2 += load(sources.2 + row &* laneCount)
        sums.3 += load(sources.3 + row &* laneCount)
      }
      store(sums.0, gradient + ((at(0) &+ 1) &* panelSize &- laneCount))
      store(sums.1, gradient + ((at(1) &+ 1) &* panelSize &- laneCount))
      store(sums.2, gradient + ((at(2) &+ 1) &* panelSize &- laneCount))
      store(sums.3, gradient + ((at(3) &+ 1) &* panelSize &- laneCount))
    }
  }
}
