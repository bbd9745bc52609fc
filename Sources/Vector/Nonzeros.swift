// Nonzeros.swift — the products of Dense.swift, taking only the steps of k at which something is not zero.
//
// A rectifier leaves zeros: about half of a new network's hidden values, and of the gradients that come back through them;
// more of a trained one's. A zero adds nothing to a sum. So the steps at which a row, or one of two, is not zero are marked, a
// bit each; the rows' sums over eight panels, four with AVX2, stay in registers while the panels' rows at the marked steps are
// added:
//
//   y[r] = Σ x[r][k] w[k]   over the k where x[r][k] ≠ 0 or x[r+1][k] ≠ 0, in the order of k: the bits of the whole sum
//
// Two rows and not one: a vector of weights is read once for both, where reading is the limit. Not more, because fewer steps
// are zero for all; with AVX2, for want of registers, one. It takes 0.1 and the share of marked steps of a tile's time. Of two
// rows the share is 0.75 where a random half is zero, less where units are on or off for a whole batch, as most are through
// which a gradient comes back.
//
// 64 steps are taken at a time: their marks are one word, and the panels' rows at them, 32 KB at most, stay near while all
// rows go past. Only what is not finite shows a difference: zero times infinity makes the whole sum NaN, and is skipped here.
// (Where a sum is −0, adding zeros makes it 0 and skipping them does not; so all products of Dense.swift end in 0 there.)

import Intrinsics

/// Steps whose marks are one word.
private let stepsAtOnce = 64

#if WIDE
  // 32 registers of 16 values: 16 sums, 8 vectors of weights, and two broadcasts
  private typealias Group = Rows2<EightPanels>
  private let groupRows = 2
#else
  // 16 registers of 8 values: 8 sums and a broadcast; the weights are read from memory as they are needed
  private typealias Group = Rows1<FourPanels>
  private let groupRows = 1
#endif

private func blockCount(_ steps: Int) -> Int { (steps &+ stepsAtOnce &- 1) / stepsAtOnce }
private func groupCount(_ rows: Int) -> Int { (rows &+ groupRows &- 1) / groupRows }

/// Bytes, on a cache line, that a product needs for the marks of some rows over some steps.
package func nonzerosByteCount(rows: Int, steps: Int) -> Int {
  placeBytes &+ blockCount(steps) &* groupCount(rows) &* MemoryLayout<UInt64>.stride
}

/// Before the marks is where a row's values of the steps of one word are; while they are made, scratch.
private let placeBytes = stepsAtOnce &* MemoryLayout<Int32>.stride

// MARK: what is marked

/// The left operand of a product: some rows, of so many steps.
protocol StepsOfRows {
  var rows: Int { get }
  var steps: Int { get }
  /// The value of a row at a step that begins a word, and how far from there are its others and the next row's first.
  func first(_ row: Int, at step: Int) -> UnsafePointer<Float>
  func place(_ k: Int) -> Int
  static var rowStride: Int { get }
  /// Bit k of `marks[block · groups + group]` says whether that group is not zero at step 64 block + k; returns how many are set.
  /// `scratch` is of `placeBytes`.
  func mark(_ marks: UnsafeMutablePointer<UInt64>, _ scratch: UnsafeMutableRawPointer) -> Int
}

/// The rows of a matrix in panels, a step for each of its columns.
struct RowsOfPanels: StepsOfRows {
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  let steps: Int

  @inline(__always)
  func first(_ row: Int, at step: Int) -> UnsafePointer<Float> {
    x + (step / laneCount &* stride &+ row &* laneCount)
  }

  @inline(__always) func place(_ k: Int) -> Int { k / laneCount &* stride &+ k % laneCount }
  @inline(__always) static var rowStride: Int { laneCount }

  func mark(_ marks: UnsafeMutablePointer<UInt64>, _: UnsafeMutableRawPointer) -> Int {
    let groups = groupCount(rows)
    var (count, word, step) = (0, marks, 0)
    while step < steps {
      let panels = min(stepsAtOnce, steps &- step &+ laneCount &- 1) / laneCount
      // the columns past the last one are zero, unless what is not finite has reached them
      let isStep = ~UInt64(0) &>> UInt64(max(0, stepsAtOnce &- (steps &- step)))
      for group in 0..<groups {
        let values = first(group &* groupRows, at: step)
        let isPair = groupRows == 2 && group &* groupRows &+ 1 < rows
        var mark: UInt64 = 0
        for panel in 0..<panels {
          var bits = nonzeroLanes(load(values + panel &* stride))
          if isPair { bits |= nonzeroLanes(load(values + (panel &* stride &+ laneCount))) }
          mark |= UInt64(bits) &<< (panel &* laneCount)
        }
        mark &= isStep
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

  @inline(__always)
  func first(_ row: Int, at step: Int) -> UnsafePointer<Float> {
    x + (row / laneCount &* stride &+ step &* laneCount &+ row % laneCount)
  }

  @inline(__always) func place(_ k: Int) -> Int { k &* laneCount }
  @inline(__always) static var rowStride: Int { 1 }

  func mark(_ marks: UnsafeMutablePointer<UInt64>, _ scratch: UnsafeMutableRawPointer) -> Int {
    let groups = groupCount(rows)
    let groupsInPanel = laneCount / groupRows
    let groupLanes = UInt16(1) &<< UInt16(groupRows) &- 1
    let lanes = scratch.bindMemory(to: UInt16.self, capacity: stepsAtOnce)
    var (count, word, step) = (0, marks, 0)
    while step < steps {
      let here = min(stepsAtOnce, steps &- step)
      for k in here..<stepsAtOnce { lanes[k] = 0 }
      var group = 0
      while group < groups {
        let values = x + (group / groupsInPanel &* stride &+ step &* laneCount)
        for k in 0..<here { lanes[k] = nonzeroLanes(load(values + k &* laneCount)) }
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

/// Runs a product over as many of its panels as groups take, where so few steps are marked that it pays; returns how many.
///
/// Row k of the panels of the right operand is what step k adds. `memory` is of `nonzerosByteCount`; without it, none is run.
@inline(__always)
func coverNonzeros<S: StepsOfRows, W: RowsByPanels>(
  _ left: S, _ right: UnsafePointer<Float>, _ rightStride: Int, panels: Int, _ work: W,
  _ memory: UnsafeMutableRawPointer?
) -> Int {
  let width = Group.Columns.count
  guard let memory, left.steps >= stepsAtOnce / 2, panels >= width else { return 0 }
  let marks = (memory + placeBytes).assumingMemoryBound(to: UInt64.self)
  guard 8 &* left.mark(marks, memory) <= 7 &* groupCount(left.rows) &* left.steps else { return 0 }
  let places = memory.bindMemory(to: Int32.self, capacity: stepsAtOnce)
  for k in 0..<stepsAtOnce { places[k] = Int32(left.place(k)) }
  var panel = 0
  while panel &+ width <= panels {
    addMarked(left, right + panel &* rightStride, rightStride, panel, work, marks, places)
    panel &+= width
  }
  return panel
}

/// All rows over the panels of a group. Between two words of marks the sums are where the results will be.
@inline(__always)
private func addMarked<S: StepsOfRows, W: RowsByPanels>(
  _ left: S, _ right: UnsafePointer<Float>, _ rightStride: Int, _ panel: Int, _ work: W,
  _ marks: UnsafePointer<UInt64>, _ places: UnsafePointer<Int32>
) {
  let whole = left.rows / groupRows
  var (marks, right, step) = (marks, right, 0)
  while step < left.steps {
    let isFirst = step == 0
    let isLast = step &+ stepsAtOnce >= left.steps

    @inline(__always)
    func run<T: Tile>(_: T.Type, _ group: Int) where T.Columns == Group.Columns {
      let row = group &* groupRows
      let values = left.first(row, at: step)
      let target = work.results + (panel &* work.stride &+ row &* laneCount)
      var tile = T { r in
        isFirst ? work.start(T.Columns.self, panel) : T.Columns(target + r &* laneCount, work.stride)
      }
      var mark = marks[group]
      while mark != 0 {
        let k = mark.trailingZeroBitCount
        mark &= mark &- 1
        tile.add(values + Int(places[k]), S.rowStride, T.Columns(right + k &* laneCount, rightStride))
      }
      tile.forEach { r, p, sum in
        let result = isLast ? work.finish(sum, row: row &+ r, panel: panel &+ p) : sum
        store(result, target + (p &* work.stride &+ r &* laneCount))
      }
    }

    for group in 0..<whole { run(Group.self, group) }
    if whole &* groupRows < left.rows { run(Rows1<Group.Columns>.self, whole) }
    marks += groupCount(left.rows)
    right += stepsAtOnce &* laneCount
    step &+= stepsAtOnce
  }
}
