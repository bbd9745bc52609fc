// Tile.swift — the register tiles that every matrix product is made of.
//
// A matrix is kept in panels of 16 columns: element (row, column) is at column/16 · stride + row · 16 + column%16, with
// the rest of the last panel zero. So one row of a panel is one vector, panels stream through the cache in order, and no
// stride is a power of two. A tile is R rows by one or two panels of sums held in registers; each step of k adds the
// product of one value per row with one vector per panel:
//
//   tile[r][p] += a[r] · b[p]
//
// Every sum is taken in the order of k, whatever the tile, the instruction set or the number of threads: the same bits.

package typealias Lanes = SIMD16<Float>
package let laneCount = 16

@inline(__always)
func load(_ source: UnsafePointer<Float>) -> Lanes {
  UnsafeRawPointer(source).loadUnaligned(as: Lanes.self)
}

@inline(__always)
func store(_ lanes: Lanes, _ target: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(target).storeBytes(of: lanes, as: Lanes.self)
}

/// Sums of R rows of one panel.
protocol Rows {
  static var count: Int { get }
  init(_ initial: Lanes)
  /// Adds a[r · stride] · b to row r.
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Lanes)
  func forEach(_ body: (Int, Lanes) -> Void)
}

/// Sums of R rows of one or two panels.
protocol Tile {
  static var rows: Int { get }
  static var panels: Int { get }
  /// Starts from the vectors at `initial` and, for a second panel, `initial + stride`; nil: from zero.
  init(_ initial: UnsafePointer<Float>?, _ stride: Int)
  mutating func add(_ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int)
  /// Row, panel, sums.
  func forEach(_ body: (Int, Int, Lanes) -> Void)
}

struct OnePanel<R: Rows>: Tile {
  var sums: R

  @inline(__always) static var rows: Int { R.count }
  @inline(__always) static var panels: Int { 1 }

  @inline(__always)
  init(_ initial: UnsafePointer<Float>?, _ stride: Int) {
    sums = R(initial.map(load) ?? .zero)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int) {
    sums.add(a, aStride, load(b))
  }

  @inline(__always)
  func forEach(_ body: (Int, Int, Lanes) -> Void) {
    sums.forEach { body($0, 0, $1) }
  }
}

struct TwoPanels<R: Rows>: Tile {
  var first: R
  var second: R

  @inline(__always) static var rows: Int { R.count }
  @inline(__always) static var panels: Int { 2 }

  @inline(__always)
  init(_ initial: UnsafePointer<Float>?, _ stride: Int) {
    first = R(initial.map(load) ?? .zero)
    second = R(initial.map { load($0 + stride) } ?? .zero)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int) {
    let (left, right) = (load(b), load(b + bStride))
    first.add(a, aStride, left)
    second.add(a, aStride, right)
  }

  @inline(__always)
  func forEach(_ body: (Int, Int, Lanes) -> Void) {
    first.forEach { body($0, 0, $1) }
    second.forEach { body($0, 1, $1) }
  }
}
