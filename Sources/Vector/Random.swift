// Random.swift — counter-based random numbers: Threefry-2x32, 20 rounds (Salmon et al. 2011), 16 counters at a time.
//
// A number is a function of (key, draw, index) alone: nothing is advanced, so any thread may make any part of a draw.

private typealias Words = SIMD16<UInt32>

@inline(__always)
private func threefry(_ key: (UInt32, UInt32), _ counter: (Words, Words)) -> (Words, Words) {
  let k0 = Words(repeating: key.0)
  let k1 = Words(repeating: key.1)
  let k2 = Words(repeating: key.0 ^ key.1 ^ 0x1bd1_1bda)
  var x = counter.0 &+ k0
  var y = counter.1 &+ k1

  @inline(__always)
  func round(_ rotation: UInt32) {
    x = x &+ y
    y = (y &<< Words(repeating: rotation)) | (y &>> Words(repeating: 32 - rotation))
    y ^= x
  }
  @inline(__always) func even() { round(13); round(15); round(26); round(6) }
  @inline(__always) func odd() { round(17); round(29); round(16); round(24) }

  even()
  x = x &+ k1
  y = y &+ k2 &+ 1
  odd()
  x = x &+ k2
  y = y &+ k0 &+ 2
  even()
  x = x &+ k0
  y = y &+ k1 &+ 3
  odd()
  x = x &+ k1
  y = y &+ k2 &+ 4
  even()
  x = x &+ k2
  y = y &+ k0 &+ 5
  return (x, y)
}

/// One Threefry block, for the known-answer test and for single numbers.
package func threefryBlock(key: (UInt32, UInt32), counter: (UInt32, UInt32)) -> (UInt32, UInt32) {
  let (x, y) = threefry(key, (Words(repeating: counter.0), Words(repeating: counter.1)))
  return (x[0], y[0])
}

/// 16 Threefry blocks, of counter `position`, `position` + 1, …: each as one 64-bit number.
package func threefryNumbers(key: (UInt32, UInt32), position: UInt64, _ output: UnsafeMutablePointer<UInt64>) {
  var (low, high) = (Words(), Words())
  for lane in 0..<laneCount {
    let counter = position &+ UInt64(lane)
    low[lane] = UInt32(truncatingIfNeeded: counter)
    high[lane] = UInt32(truncatingIfNeeded: counter >> 32)
  }
  let (x, y) = threefry(key, (low, high))
  for lane in 0..<laneCount { output[lane] = UInt64(y[lane]) << 32 | UInt64(x[lane]) }
}

/// 32 random words: 16 Threefry blocks of the counters (index, draw), (index + 1, draw), ….
@inline(__always)
func threefryWords(key: (UInt32, UInt32), index: UInt64, draw: UInt32) -> (SIMD16<UInt32>, SIMD16<UInt32>) {
  let lane = Words(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  let low = lane &+ Words(repeating: UInt32(truncatingIfNeeded: index))
  return threefry(key, (low, Words(repeating: draw)))
}

/// Standard normal values `first ..< first + count` of a draw, by Box and Muller's transform.
///
/// 32 values come from each vector of counters: the cosines, then the sines. `first` is a multiple of 32.
package func normalValues(
  count: Int, key: (UInt32, UInt32), draw: UInt32, first: Int, _ output: UnsafeMutablePointer<Float>
) {
  let lane = Words(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  var i = 0
  while i < count {
    let index = lane &+ Words(repeating: UInt32(truncatingIfNeeded: (first &+ i) / 2))
    let (x, y) = threefry(key, (index, Words(repeating: draw)))
    let one = Words(repeating: 0x3f80_0000)
    // 2 − [1, 2) is in (0, 1]: its logarithm is finite
    let u = 2 - unsafeBitCast((x &>> 9) | one, to: Lanes.self)
    let turns = unsafeBitCast((y &>> 9) | one, to: Lanes.self) - 1
    let radius = (-2 * logarithm(u)).squareRoot()
    let (cosine, sine) = cosineAndSine(turns: turns)
    store(radius * cosine, output + i, min(laneCount, count &- i))
    if i &+ laneCount < count {
      store(radius * sine, output + (i &+ laneCount), min(laneCount, count &- i &- laneCount))
    }
    i &+= 2 &* laneCount
  }
}
