import Foundation
import Kernels
import Platform
import Synchronization
import Testing

extension Block {
  fileprivate init(_ values: [Float]) {
    self.init(count: values.count)
    set(values)
  }
}

/// Counts a visit of a row.
private func visit(_ row: Int, of block: borrowing Block) { block[row] += 1 }

/// Half of a number that only the memory knows.
private func half(_ number: borrowing Block) -> Float { number[0] / 2 }

/// A value under a lock that the thread sanitizer knows: it does not see into Synchronization's `Mutex`.
private final class Locked<Value> {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    lock.withLock { body(&value) }
  }
}

// serialised: each pool spins on cores that the others want
@Suite(.serialized) struct WorkerPoolTests {
  @Test(arguments: 1...5)
  func `every row is done once, in chunks of at most 256, with any number of workers`(workers: Int) {
    let pool = WorkerPool(count: workers)
    #expect(pool.count == workers)
    for rows in Array(0...70) + [127, 128, 129, 255, 256, 257, 1000] {
      let visits = Block(count: rows)
      let largest = Atomic<Int>(0)
      pool.forEachChunk(ofRows: rows) { chunk in
        largest.max(chunk.count, ordering: .relaxed)
        for row in chunk { visits[row] += 1 }
      }
      #expect(visits.values == [Float](repeating: 1, count: rows), "\(rows) rows")
      #expect(largest.load(ordering: .relaxed) <= 256)
    }
  }

  @Test(arguments: 1...5)
  func `every row of every network is done once, in chunks of at most 256, networks divided first`(workers: Int) {
    let pool = WorkerPool(count: workers)
    for counts in [[0, 0], [1, 0, 3], [256, 256], [100, 100, 100, 100], [37, 700, 5]] {
      let visits = FixedArray(count: counts.count) { Block(count: counts[$0]) }
      let owners = Locked<[[Int: Int]]>(counts.map { _ in [:] })
      pool.forEachChunk(of: counts.count, rows: { counts[$0] }) { network, chunk in
        #expect(chunk.count <= 256)
        for row in chunk { visit(row, of: visits[network]) }
        let thread = ObjectIdentifier(Thread.current).hashValue
        owners.withLock { $0[network][thread, default: 0] += chunk.count }
      }
      for (network, count) in counts.enumerated() {
        #expect(visits[network].values == [Float](repeating: 1, count: count), "network \(network) of \(counts)")
      }
      // networks of one size: as many workers as networks have one each, twice as many have half of one each
      if Set(counts).count == 1, counts[0] > 0, workers % counts.count == 0 {
        let each = workers / counts.count
        #expect(owners.withLock { $0.allSatisfy { $0.count == each } && Set($0.flatMap(\.keys)).count == workers })
      }
    }
  }

  @Test func `shares of several networks divide each without gap or overlap`() {
    for count in 1...5 {
      let pool = WorkerPool(count: count)
      for networks in 1...5 {
        let visits = Block(count: networks * 41)
        pool.forEachShare(of: networks) { network, share in
          for panel in share.range(of: 41) { visits[network * 41 + panel] += 1 }
        }
        #expect(visits.values.allSatisfy { $0 == 1 }, "\(networks) networks, \(count) workers")
      }
    }
  }

  @Test func `shares divide panels without gap or overlap, in pairs but for the last`() {
    for count in 1...5 {
      for total in 0...40 {
        var end = 0
        for index in 0..<count {
          let range = share(index, of: count).range(of: total)
          #expect(range.lowerBound == end, "share \(index) of \(count) of \(total)")
          #expect(range.lowerBound % 2 == 0 || range.lowerBound == total)
          end = range.upperBound
        }
        #expect(end == total)
      }
    }
    #expect(Share.whole.range(of: 7) == 0..<7)
  }

  /// A share as a pool hands it out.
  private func share(_ index: Int, of count: Int) -> Share {
    let shares = Locked<[Int: Share]>([:])
    WorkerPool(count: count).forEachShare { share in shares.withLock { $0[share.lower] = share } }
    return shares.withLock { $0[index]! }
  }

  @Test(arguments: 1...5)
  func `each worker runs once per phase, the caller as the first`(workers: Int) {
    let pool = WorkerPool(count: workers)
    let calls = Block(count: workers)
    let threads = Locked<[Int: UInt]>([:])
    pool.forEachWorker { worker in
      calls[worker] += 1
      threads.withLock { $0[worker] = UInt(bitPattern: ObjectIdentifier(Thread.current)) }
    }
    #expect(calls.values == [Float](repeating: 1, count: workers))
    #expect(threads.withLock { Set($0.values).count } == workers)
    #expect(threads.withLock { $0[0] } == UInt(bitPattern: ObjectIdentifier(Thread.current)))
  }

  @Test func `after ten thousand phases nothing is lost, and every phase saw the one before`() {
    let pool = WorkerPool(count: 3)
    let counts = FixedArray(count: 2) { _ in Block(count: 48) }
    for phase in 0..<10_000 {
      // one more than what the next worker wrote in the phase before, a cache line away
      pool.forEachWorker { worker in
        counts[(phase + 1) % 2][worker * 16] = counts[phase % 2][(worker + 1) % 3 * 16] + 1
      }
    }
    #expect((0..<3).map { counts[0][$0 * 16] } == [10_000, 10_000, 10_000])
  }

  @Test func `a pool may be used inside a phase of another`() {
    let outer = WorkerPool(count: 2)
    let inner = WorkerPool(count: 2)
    let visits = Block(count: 32 * 100)
    for phase in 0..<100 {
      outer.forEachWorker { worker in
        guard worker == 0 else { return }
        inner.forEachChunk(ofRows: 32) { for row in $0 { visits[phase * 32 + row] += 1 } }
      }
    }
    #expect(visits.values.allSatisfy { $0 == 1 })
  }

  @Test func `workers that fell asleep wake up`() {
    let pool = WorkerPool(count: 3)
    let calls = Block(count: 3)
    for _ in 0..<5 {
      Thread.sleep(forTimeInterval: 0.02)
      pool.forEachWorker { calls[$0] += 1 }
    }
    #expect(calls.values == [5, 5, 5])
  }

  @Test func `pools come and go without waiting for work`() {
    for count in 1...5 {
      for _ in 0..<20 { #expect(WorkerPool(count: count).count == count) }
    }
  }

  // MARK: denormals

  @Test(arguments: [1, 3])
  func `denormals are flushed inside a phase, on every worker, and kept outside`(workers: Int) {
    let pool = WorkerPool(count: workers)
    let smallest = Block([.leastNormalMagnitude])
    let halves = Block([Float](repeating: 9, count: workers))
    #expect(half(smallest) > 0)
    pool.forEachWorker { halves[$0] = half(smallest) }
    #expect(halves.values == [Float](repeating: 0, count: workers))
    #expect(half(smallest) > 0)
  }

  @Test func `denormals stay flushed between the phases of one update, and are kept after it, failed or not`() {
    struct Stop: Error {}
    let pool = WorkerPool(count: 2)
    let smallest = Block([.leastNormalMagnitude])
    var between: [Float] = []
    pool.withFlushedDenormals {
      between.append(half(smallest))
      pool.forEachWorker { _ in }
      between.append(half(smallest))
    }
    #expect(between == [0, 0] && half(smallest) > 0)
    #expect(throws: Stop.self) { try pool.withFlushedDenormals { throw Stop() } }
    #expect(half(smallest) > 0)
  }

  @Test func `phases too small to be worth dividing stay on the calling thread`() {
    let pool = WorkerPool(count: 2)
    #expect(pool.forPhases(rows: 100, weights: 64 * 64).count == 1)
    #expect(pool.forPhases(rows: 256, weights: 256 * 256) === pool)
    let alone = WorkerPool(count: 1)
    #expect(alone.forPhases(rows: 1, weights: 1) === alone)
  }
}
