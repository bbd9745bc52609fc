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

/// The vectors of some panels at one row, or at one step of k: one panel or two of a tile, four or eight of a row alone.
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
  var low: TwoPanels
  var high: TwoPanels

  @inline(__always) static var count: Int { 4 }
  @inline(__always) static var zero: FourPanels { FourPanels(low: .zero, high: .zero) }

  @inline(__always) init(low: TwoPanels, high: TwoPanels) { (self.low, self.high) = (low, high) }
  @inline(__always) init(_ source: UnsafePointer<Float>, _ stride: Int) {
    (low, high) = (TwoPanels(source, stride), TwoPanels(source + 2 &* stride, stride))
  }

  @inline(__always) mutating func add(_ a: Lanes, _ b: FourPanels) {
    low.add(a, b.low)
    high.add(a, b.high)
  }

  @inline(__always) func forEach(_ body: (Int, Lanes) -> Void) {
    low.forEach(body)
    high.forEach { body(2 &+ $0, $1) }
  }
}

struct EightPanels: Panels {
  var low: FourPanels
  var high: FourPanels

  @inline(__always) static var count: Int { 8 }
  @inline(__always) static var zero: EightPanels { EightPanels(low: .zero, high: .zero) }

  @inline(__always) init(low: FourPanels, high: FourPanels) { (self.low, self.high) = (low, high) }
  @inline(__always) init(_ source: UnsafePointer<Float>, _ stride: Int) {
    (low, high) = (FourPanels(source, stride), FourPanels(source + 4 &* stride, stride))
  }

  @inline(__always) mutating func add(_ a: Lanes, _ b: EightPanels) {
    low.add(a, b.low)
    high.add(a, b.high)
  }

  @inline(__always) func forEach(_ body: (Int, Lanes) -> Void) {
    low.forEach(body)
    high.forEach { body(4 &+ $0, $1) }
  }
}

/// Sums of R rows of some panels.
protocol Tile {
  associatedtype Columns: Panels
  static var rows: Int { get }
  init(_ initial: Columns)
  /// Adds a[r · stride] · b to row r.
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns)
  /// Row, sums.
  func forEachRow(_ body: (Int, Columns) -> Void)
}

extension Tile {
  /// Row, panel, sums.
  @inline(__always)
  func forEach(_ body: (Int, Int, Lanes) -> Void) {
    forEachRow { row, columns in columns.forEach { body(row, $0, $1) } }
  }
}
