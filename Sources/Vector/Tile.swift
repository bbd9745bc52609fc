// Tile.swift — the register tiles that every matrix product is made of.
//
// A matrix is kept in panels of 16 columns: element (row, column) is at column/16 · stride + row · 16 + column%16, with
// the rest of the last panel zero. So one row of a panel is one vector, panels stream through the cache in order, and no
// stride is a power of two. A tile is R rows by some panels of sums held in registers; each step of k adds the
// product of one value per row with one vector per panel:
//
//   tile[r][p] += a[r] · b[p]
//
// Every sum is taken in the order of k, whatever the tile, the instruction set or the number of threads: the same bits.

import Intrinsics

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

/// a b + c, rounded once.
@inline(__always)
func fma(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { fusedMultiplyAdd(a, b, c) }

@inline(__always)
func fma(_ a: Lanes, _ b: Lanes, _ c: Float) -> Lanes { fma(a, b, Lanes(repeating: c)) }

/// With 0 for −0: which zero a sum of zeros ends at depends on which of them were added.
@inline(__always)
func withoutNegativeZero(_ sum: Lanes) -> Lanes { sum + Lanes.zero }

/// The vectors of some panels at one row, or at one step of k: one panel or two for tiles of many rows, more for few.
protocol Panels {
  static var count: Int { get }
  /// From `source` and, for each panel after the first, `stride` further.
  init(_ source: UnsafePointer<Float>, _ stride: Int)
  static var zero: Self { get }
  mutating func add(_ a: Lanes, _ b: Self)
  func forEach(_ body: (Int, Lanes) -> Void)
}

struct OnePanel: Panels {
  var first: Lanes

  @inline(__always) static var count: Int { 1 }
  @inline(__always) static var zero: OnePanel { OnePanel(first: .zero) }

  @inline(__always) init(first: Lanes) { self.first = first }
  @inline(__always) init(_ source: UnsafePointer<Float>, _ stride: Int) { first = load(source) }

  @inline(__always) mutating func add(_ a: Lanes, _ b: OnePanel) { first = fma(a, b.first, first) }
  @inline(__always) func forEach(_ body: (Int, Lanes) -> Void) { body(0, first) }
}

struct TwoPanels: Panels {
  var first: Lanes
  var second: Lanes

  @inline(__always) static var count: Int { 2 }
  @inline(__always) static var zero: TwoPanels { TwoPanels(first: .zero, second: .zero) }

  @inline(__always) init(first: Lanes, second: Lanes) { (self.first, self.second) = (first, second) }
  @inline(__always) init(_ source: UnsafePointer<Float>, _ stride: Int) {
    (first, second) = (load(source), load(source + stride))
  }

  @inline(__always) mutating func add(_ a: Lanes, _ b: TwoPanels) {
    first = fma(a, b.first, first)
    second = fma(a, b.second, second)
  }

  @inline(__always) func forEach(_ body: (Int, Lanes) -> Void) {
    body(0, first)
    body(1, second)
  }
}

struct FourPanels: Panels {
  var p0, p1, p2, p3: Lanes

  @inline(__always) static var count: Int { 4 }
  @inline(__always) static var zero: FourPanels { FourPanels(repeating: .zero) }

  @inline(__always) init(repeating x: Lanes) { (p0, p1, p2, p3) = (x, x, x, x) }
  @inline(__always) init(_ source: UnsafePointer<Float>, _ stride: Int) {
    p0 = load(source)
    p1 = load(source + stride)
    p2 = load(source + 2 &* stride)
    p3 = load(source + 3 &* stride)
  }

  @inline(__always) mutating func add(_ a: Lanes, _ b: FourPanels) {
    p0 = fma(a, b.p0, p0)
    p1 = fma(a, b.p1, p1)
    p2 = fma(a, b.p2, p2)
    p3 = fma(a, b.p3, p3)
  }

  @inline(__always) func forEach(_ body: (Int, Lanes) -> Void) {
    body(0, p0)
    body(1, p1)
    body(2, p2)
    body(3, p3)
  }
}

struct EightPanels: Panels {
  var p0, p1, p2, p3, p4, p5, p6, p7: Lanes

  @inline(__always) static var count: Int { 8 }
  @inline(__always) static var zero: EightPanels { EightPanels(repeating: .zero) }

  @inline(__always) init(repeating x: Lanes) { (p0, p1, p2, p3, p4, p5, p6, p7) = (x, x, x, x, x, x, x, x) }
  @inline(__always) init(_ source: UnsafePointer<Float>, _ stride: Int) {
    p0 = load(source)
    p1 = load(source + stride)
    p2 = load(source + 2 &* stride)
    p3 = load(source + 3 &* stride)
    p4 = load(source + 4 &* stride)
    p5 = load(source + 5 &* stride)
    p6 = load(source + 6 &* stride)
    p7 = load(source + 7 &* stride)
  }

  @inline(__always) mutating func add(_ a: Lanes, _ b: EightPanels) {
    p0 = fma(a, b.p0, p0)
    p1 = fma(a, b.p1, p1)
    p2 = fma(a, b.p2, p2)
    p3 = fma(a, b.p3, p3)
    p4 = fma(a, b.p4, p4)
    p5 = fma(a, b.p5, p5)
    p6 = fma(a, b.p6, p6)
    p7 = fma(a, b.p7, p7)
  }

  @inline(__always) func forEach(_ body: (Int, Lanes) -> Void) {
    body(0, p0)
    body(1, p1)
    body(2, p2)
    body(3, p3)
    body(4, p4)
    body(5, p5)
    body(6, p6)
    body(7, p7)
  }
}

/// Sums of R rows of some panels.
protocol Tile {
  associatedtype Columns: Panels
  static var rows: Int { get }
  /// From what row r begins with.
  init(_ row: (Int) -> Columns)
  /// Adds a[r · stride] · b to row r.
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns)
  /// Row, sums.
  func forEachRow(_ body: (Int, Columns) -> Void)
}

extension Tile {
  /// From what every row begins with.
  @inline(__always)
  init(_ initial: Columns) { self.init { _ in initial } }

  /// Row, panel, sums.
  @inline(__always)
  func forEach(_ body: (Int, Int, Lanes) -> Void) {
    forEachRow { row, columns in columns.forEach { body(row, $0, $1) } }
  }
}
