// Nonzeros.swift — the products of Dense.swift, taking only the steps of k at which something is not zero.
//
// A rectifier leaves zeros: about half of a new network's hidden values, and of the gradients that come back through them;
// more of a trained one's. A zero adds nothing to a sum. So the steps at which a row, or one of two, is not zero are marked, a
// bit each; the rows' sums over eight panels stay in registers while the panels' rows at the marked steps are added:
//
//   y[r] = Σ x[r][k] w[k]   over the k where x[r][k] ≠ 0 or x[r+1][k] ≠ 0, in the order of k: the bits of the whole sum
//
// Two rows and not one: a vector of weights is read once for both, where reading is the limit. Not more, because fewer steps
// are zero for all. It goes at 0.88 of a tile's rate, for the share of marked steps: 0.75 where a random half is zero, less
// where units are on or off for a whole batch, as most are through which a gradient comes back.
//
// 64 steps are taken at a time: their marks are one word, and the panels' rows at them stay in the first cache while all
// rows go past. Only what is not finite shows a difference: zero times infinity makes the whole sum NaN, and is skipped here.

import Intrinsics

/// Steps whose marks are one word.
private let stepsAtOnce = 64

#if WIDE
  // 16 sums, a vector of weights, and two broadcasts
  private typealias Group = Rows2
  private let groupRows = 2
#else
  private typealias Group = Rows1
  private let groupRows = 1
#endif

private func blockCount(_ steps: Int) -> Int { (steps &+ stepsAtOnce &- 1) / stepsAtOnce }
private func groupCount(_ rows: Int) -> Int { (rows &+ groupRows &- 1) / groupRows }

/// Bytes, on a cache line, that a product needs for the marks of some rows over some steps.
package func nonzerosByteCount(rows: Int, steps: Int) -> Int {
  copyByteCount &+ blockCount(steps) &* groupCount(rows) &* MemoryLayout<UInt64>.stride
}

/// The values of a group at the steps of one word come before the marks.
private var copyByteCount: Int { stepsAtOnce &* groupRows &* MemoryLayout<Float>.stride }

// MARK: what is marked

/// The left operand of a product: some rows, of so many steps.
protocol StepsOfRows {
  var rows: Int { get }
  var steps: Int { get }
  /// From a step's value to the next one's, and from a row's to the next one's, in what `values` returns.
  static var stepStride: Int { get }
  static var rowStride: Int { get }
  /// Some rows' values from a step on, as many as one word marks; `copy` is room for them.
  func values(_ row: Int, rows: Int, from step: Int, _ copy: UnsafeMutablePointer<Float>) -> UnsafePointer<Float>
  /// Bit k of `marks[block · groups + group]` says whether that group is not zero at step 64 block + k; returns how many are set.
  func mark(_ marks: UnsafeMutablePointer<UInt64>, _ copy: UnsafeMutablePointer<Float>) -> Int
}

/// The rows of a matrix in panels, a step for each of its columns.
struct RowsOfPanels: StepsOfRows {
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  let steps: Int

  @inline(__always) static var stepStride: Int { 1 }
  @inline(__always) static var rowStride: Int { stepsAtOnce }

  @inline(__always)
  func values(
    _ row: Int, rows: Int, from step: Int, _ copy: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    var source = x + (step / laneCount &* stride &+ row &* laneCount)
    var target = copy
    var left = min(stepsAtOnce, steps &- step)
    while left > 0 {
      for r in 0..<rows { store(load(source + r &* laneCount), target + r &* stepsAtOnce) }
      source += stride
      target += laneCount
      left &-= laneCount
    }
    return UnsafePointer(copy)
  }

  func mark(_ marks: UnsafeMutablePointer<UInt64>, _: UnsafeMutablePointer<Float>) -> Int {
    let groups = groupCount(rows)
    var (count, word, step) = (0, marks, 0)
    while step < steps {
      let panels = min(stepsAtOnce / laneCount, (steps &- step &+ laneCount &- 1) / laneCount)
      for group in 0..<groups {
        let first = x + (step / laneCount &* stride &+ group &* groupRows &* laneCount)
        let pair = groupRows == 2 && group &* groupRows &+ 1 < rows
        var mark: UInt64 = 0
        for panel in 0..<panels {
          var bits = nonzeroLanes(load(first + panel &* stride))
          if pair { bits |= nonzeroLanes(load(first + (panel &* stride &+ laneCount))) }
          mark |= UInt64(bits) &<< (panel &* laneCount)
        }
        word[group] = mark
        count &+= mark.nonzeroBitCount
      }
      word += groups
      step &+= stepsAtOnce
    }
    return count
  }
}

/// The columns of a matrix in panels as rows, a step for each of its rows.
struct ColumnsOfPanels: StepsOfRows {
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  let steps: Int

  @inline(__always) static var stepStride: Int { laneCount }
  @inline(__always) static var rowStride: Int { 1 }

  @inline(__always)
  func values(_ row: Int, rows: Int, from step: Int, _: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    x + (row / laneCount &* stride &+ step &* laneCount &+ row % laneCount)
  }

  func mark(_ marks: UnsafeMutablePointer<UInt64>, _ copy: UnsafeMutablePointer<Float>) -> Int {
    let lanes = UnsafeMutableRawPointer(copy).assumingMemoryBound(to: UInt16.self)
    let groups = groupCount(rows)
    let groupsInPanel = laneCount / groupRows
    let groupLanes = UInt16(1) &<< UInt16(groupRows) &- 1
    var (count, word, step) = (0, marks, 0)
    while step < steps {
      let here = min(stepsAtOnce, steps &- step)
      for k in here..<stepsAtOnce { lanes[k] = 0 }
      var group = 0
      while group < groups {
        let panel = x + (group / groupsInPanel &* stride &+ step &* laneCount)
        for k in 0..<here { lanes[k] = nonzeroLanes(load(panel + k &* laneCount)) }
        for i in 0..<min(groupsInPanel, groups &- group) {
          let mark = wordsWithAny(lanes, groupLanes &<< UInt16(i &* groupRows))
          word[group &+ i] = mark
          count &+= mark.nonzeroBitCount
        }
        group &+= groupsInPanel
      }
      word += groups
      step &+= stepsAtOnce
    }
    return count
  }
}

// MARK: the product

/// Runs a product over as many of its panels as go by four or eight, where so few steps are marked that it pays; returns how many.
///
/// Row k of the panels of the right operand is what step k adds. `memory` is of `nonzerosByteCount`; without it, none is run.
@inline(__always)
func coverNonzeros<S: StepsOfRows, W: RowsByPanels>(
  _ left: S, _ right: UnsafePointer<Float>, _ rightStride: Int, panels: Int, _ work: W,
  _ memory: UnsafeMutableRawPointer?
) -> Int {
  guard let memory, left.steps >= stepsAtOnce / 2, panels >= FourPanels.count else { return 0 }
  let copy = memory.assumingMemoryBound(to: Float.self)
  let marks = (memory + copyByteCount).assumingMemoryBound(to: UInt64.self)
  guard 8 &* left.mark(marks, copy) <= 7 &* groupCount(left.rows) &* left.steps else { return 0 }
  var panel = 0
  #if WIDE
    while panel &+ EightPanels.count <= panels {
      addMarked(EightPanels.self, left, right, rightStride, panel, work, marks, copy)
      panel &+= EightPanels.count
    }
  #endif
  while panel &+ FourPanels.count <= panels {
    addMarked(FourPanels.self, left, right, rightStride, panel, work, marks, copy)
    panel &+= FourPanels.count
  }
  return panel
}

/// All rows over some panels. Between two words of marks the sums are where the results will be.
@inline(__always)
private func addMarked<C: Panels, S: StepsOfRows, W: RowsByPanels>(
  _: C.Type, _ left: S, _ right: UnsafePointer<Float>, _ rightStride: Int, _ panel: Int, _ work: W,
  _ marks: UnsafePointer<UInt64>, _ copy: UnsafeMutablePointer<Float>
) {
  let whole = left.rows / groupRows
  var marks = marks
  var step = 0
  while step < left.steps {
    let weights = right + (panel &* rightStride &+ step &* laneCount)
    let isFirst = step == 0
    let isLast = step &+ stepsAtOnce >= left.steps

    @inline(__always)
    func run<T: GrowingTile>(_: T.Type, _ group: Int) where T.Columns == C {
      let row = group &* groupRows
      let values = left.values(row, rows: T.rows, from: step, copy)
      let target = work.results + (panel &* work.stride &+ row &* laneCount)
      var tile = isFirst ? T(work.start(C.self, panel)) : T(target, work.stride)
      var left = marks[group]
      while left != 0 {
        let k = left.trailingZeroBitCount
        left &= left &- 1
        tile.add(values + k &* S.stepStride, S.rowStride, C(weights + k &* laneCount, rightStride))
      }
      tile.forEach { r, p, sum in
        let result = isLast ? work.finish(sum, row: row &+ r, panel: panel &+ p) : sum
        store(result, target + (p &* work.stride &+ r &* laneCount))
      }
    }

    for group in 0..<whole { run(Group<C>.self, group) }
    if whole &* groupRows < left.rows { run(Rows1<C>.self, whole) }
    marks += groupCount(left.rows)
    step &+= stepsAtOnce
  }
}

/// A tile that goes on from what is stored.
private protocol GrowingTile: Tile {
  /// From the sums of the first row and, for each row after it, a panel's width further.
  init(_ sums: UnsafePointer<Float>, _ stride: Int)
}

extension Rows1: GrowingTile {
  @inline(__always)
  init(_ sums: UnsafePointer<Float>, _ stride: Int) {
    s0 = Columns(sums, stride)
  }
}

extension Rows2: GrowingTile {
  @inline(__always)
  init(_ sums: UnsafePointer<Float>, _ stride: Int) {
    s0 = Columns(sums, stride)
    s1 = Columns(sums + laneCount, stride)
  }
}
