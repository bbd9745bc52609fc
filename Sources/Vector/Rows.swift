// Rows.swift — R rows of sums as R named registers, or some of them each, for each R that a tile uses.
//
// Written out because an array of vectors, however fixed its length, does not stay in registers.

struct Rows1<Columns: Panels>: Tile {
  var s0: Columns

  @inline(__always) static var rows: Int { 1 }

  @inline(__always)
  init(_ row: (Int) -> Columns) {
    s0 = row(0)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns) {
    s0.add(Lanes(repeating: a[0]), b)
  }

  @inline(__always)
  func forEachRow(_ body: (Int, Columns) -> Void) {
    body(0, s0)
  }
}

struct Rows2<Columns: Panels>: Tile {
  var s0, s1: Columns

  @inline(__always) static var rows: Int { 2 }

  @inline(__always)
  init(_ row: (Int) -> Columns) {
    s0 = row(0)
    s1 = row(1)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns) {
    s0.add(Lanes(repeating: a[0]), b)
    s1.add(Lanes(repeating: a[stride]), b)
  }

  @inline(__always)
  func forEachRow(_ body: (Int, Columns) -> Void) {
    body(0, s0)
    body(1, s1)
  }
}

struct Rows4<Columns: Panels>: Tile {
  var s0, s1, s2, s3: Columns

  @inline(__always) static var rows: Int { 4 }

  @inline(__always)
  init(_ row: (Int) -> Columns) {
    s0 = row(0)
    s1 = row(1)
    s2 = row(2)
    s3 = row(3)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns) {
    s0.add(Lanes(repeating: a[0]), b)
    s1.add(Lanes(repeating: a[stride]), b)
    s2.add(Lanes(repeating: a[2 &* stride]), b)
    s3.add(Lanes(repeating: a[3 &* stride]), b)
  }

  @inline(__always)
  func forEachRow(_ body: (Int, Columns) -> Void) {
    body(0, s0)
    body(1, s1)
    body(2, s2)
    body(3, s3)
  }
}

struct Rows6<Columns: Panels>: Tile {
  var s0, s1, s2, s3, s4, s5: Columns

  @inline(__always) static var rows: Int { 6 }

  @inline(__always)
  init(_ row: (Int) -> Columns) {
    s0 = row(0)
    s1 = row(1)
    s2 = row(2)
    s3 = row(3)
    s4 = row(4)
    s5 = row(5)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns) {
    s0.add(Lanes(repeating: a[0]), b)
    s1.add(Lanes(repeating: a[stride]), b)
    s2.add(Lanes(repeating: a[2 &* stride]), b)
    s3.add(Lanes(repeating: a[3 &* stride]), b)
    s4.add(Lanes(repeating: a[4 &* stride]), b)
    s5.add(Lanes(repeating: a[5 &* stride]), b)
  }

  @inline(__always)
  func forEachRow(_ body: (Int, Columns) -> Void) {
    body(0, s0)
    body(1, s1)
    body(2, s2)
    body(3, s3)
    body(4, s4)
    body(5, s5)
  }
}

struct Rows8<Columns: Panels>: Tile {
  var s0, s1, s2, s3, s4, s5, s6, s7: Columns

  @inline(__always) static var rows: Int { 8 }

  @inline(__always)
  init(_ row: (Int) -> Columns) {
    s0 = row(0)
    s1 = row(1)
    s2 = row(2)
    s3 = row(3)
    s4 = row(4)
    s5 = row(5)
    s6 = row(6)
    s7 = row(7)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns) {
    s0.add(Lanes(repeating: a[0]), b)
    s1.add(Lanes(repeating: a[stride]), b)
    s2.add(Lanes(repeating: a[2 &* stride]), b)
    s3.add(Lanes(repeating: a[3 &* stride]), b)
    s4.add(Lanes(repeating: a[4 &* stride]), b)
    s5.add(Lanes(repeating: a[5 &* stride]), b)
    s6.add(Lanes(repeating: a[6 &* stride]), b)
    s7.add(Lanes(repeating: a[7 &* stride]), b)
  }

  @inline(__always)
  func forEachRow(_ body: (Int, Columns) -> Void) {
    body(0, s0)
    body(1, s1)
    body(2, s2)
    body(3, s3)
    body(4, s4)
    body(5, s5)
    body(6, s6)
    body(7, s7)
  }
}

struct Rows12<Columns: Panels>: Tile {
  var s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11: Columns

  @inline(__always) static var rows: Int { 12 }

  @inline(__always)
  init(_ row: (Int) -> Columns) {
    s0 = row(0)
    s1 = row(1)
    s2 = row(2)
    s3 = row(3)
    s4 = row(4)
    s5 = row(5)
    s6 = row(6)
    s7 = row(7)
    s8 = row(8)
    s9 = row(9)
    s10 = row(10)
    s11 = row(11)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Columns) {
    s0.add(Lanes(repeating: a[0]), b)
    s1.add(Lanes(repeating: a[stride]), b)
    s2.add(Lanes(repeating: a[2 &* stride]), b)
    s3.add(Lanes(repeating: a[3 &* stride]), b)
    s4.add(Lanes(repeating: a[4 &* stride]), b)
    s5.add(Lanes(repeating: a[5 &* stride]), b)
    s6.add(Lanes(repeating: a[6 &* stride]), b)
    s7.add(Lanes(repeating: a[7 &* stride]), b)
    s8.add(Lanes(repeating: a[8 &* stride]), b)
    s9.add(Lanes(repeating: a[9 &* stride]), b)
    s10.add(Lanes(repeating: a[10 &* stride]), b)
    s11.add(Lanes(repeating: a[11 &* stride]), b)
  }

  @inline(__always)
  func forEachRow(_ body: (Int, Columns) -> Void) {
    body(0, s0)
    body(1, s1)
    body(2, s2)
    body(3, s3)
    body(4, s4)
    body(5, s5)
    body(6, s6)
    body(7, s7)
    body(8, s8)
    body(9, s9)
    body(10, s10)
    body(11, s11)
  }
}
