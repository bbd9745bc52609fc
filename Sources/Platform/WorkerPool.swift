// WorkerPool.swift — a pool of threads: each does a fixed share of a phase, and all wait for the phase's end.
//
// Each call of a `forEach…` is one phase: it starts on all workers and returns when all are done. Shares depend on
// nothing but the sizes, and every number is computed whole by one worker, so any number of workers gives the same bits.
// Workers spin for a while between phases and then sleep; within an update no lock is taken.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Threads that share the phases of an update; any number of them gives the same bits.
///
///     let workers = WorkerPool(count: 2)
public final class WorkerPool: @unchecked Sendable {
  /// Workers, the calling thread among them.
  public let count: Int
  package static let maximumCount = 256
  /// Processors that the system has online.
  public static let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  private let shared: Shared
  private let threads: [pthread_t]
  private var isFlushing = false

  /// Where the system starts no more threads, the pool has as many as there are; the results are the same.
  ///
  /// - Parameters:
  ///   - count: from 1 to 256; more than the machine's cores only costs time.
  ///   - patience: looks for the next phase before a worker sleeps. A program that does other work between its updates gives
  ///     its cores back sooner with fewer.
  public init(count: Int, patience: Int = WorkerPool.longPatience) {
    precondition(count >= 1 && count <= Self.maximumCount, "a pool of \(count) workers")
    let shared = Shared(patience: patience)
    var threads: [pthread_t] = []
    for worker in 1..<max(1, count) {
      guard let thread = startThread(worker, shared) else { break }
      threads.append(thread)
    }
    shared.helpers = threads.count
    (self.count, self.shared, self.threads) = (threads.count + 1, shared, threads)
  }

  deinit {
    // the threads of a process that forked are not in its child
    guard !shared.lostHelpers else { return }
    shared.stop()
    for thread in threads { pthread_join(thread, nil) }
  }

  /// About two milliseconds: longer than any step of a built-in environment, because a sleeping core takes 10 µs and, where
  /// the machine is virtual, sometimes milliseconds to wake.
  public static let longPatience = 2_000_000
  /// About 50 µs.
  public static let shortPatience = 50_000

  /// These workers, or the calling thread alone if the work of a phase is too small to pay for synchronisation: each core
  /// would first fetch what the other wrote.
  public func forPhases(rows: Int, weights: Int) -> WorkerPool {
    count > 1 && rows * weights < Self.worthDividing ? WorkerPool(count: 1) : self
  }

  /// Multiply-adds, about 10 µs of one core: with 64 × 64 units, 100 rows are faster alone, 256 rows divided.
  private static let worthDividing = 1 << 20

  /// Runs `body` once on each worker, with its number.
  public func forEachWorker(_ body: (Int) -> Void) {
    withFlushedDenormals {
      // after a fork the child works alone: shares stay as they were, so that the bits do
      guard !shared.lostHelpers else {
        for worker in 0..<count { body(worker) }
        return
      }
      shared.start(ClosureWords(body))
      body(0)
      shared.wait()
    }
  }

  /// Runs `body` once on each worker, with its number, in the processor's ordinary mode: a simulator must not notice that the
  /// kernels flush denormal numbers.
  package func forEachWorkerKeepingDenormals(_ body: (Int) -> Void) {
    if count == 1 && !isFlushing { return body(0) }
    forEachWorker { worker in
      let saved = keepDenormals()
      body(worker)
      restoreMode(saved)
    }
  }

  /// Runs `body` with denormal numbers flushed to zero on the calling thread, as they are within every phase: phases
  /// inside need not set and restore the processor's mode each.
  public func withFlushedDenormals<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if isFlushing { return try body() }
    let saved = flushDenormals()
    isFlushing = true
    defer {
      isFlushing = false
      restoreMode(saved)
    }
    return try body()
  }

  /// Runs `body` over 0 ..< rows, in chunks of at most 256 rows.
  ///
  /// - Precondition: no row's result depends on another row's.
  public func forEachChunk(ofRows rows: Int, _ body: (Range<Int>) -> Void) {
    forEachChunk(of: 1, rows: { _ in rows }) { body($1) }
  }

  /// Runs `body` over 0 ..< rows of each of several networks, in chunks of at most 256 rows.
  ///
  /// Workers divide the networks first and their rows second, so that a network's weights stay in the cache of as few
  /// cores as possible: of two critics, each of two workers takes one.
  ///
  /// - Precondition: no row's result depends on another row's.
  public func forEachChunk(ofRows rows: Int, of networks: Int, _ body: (_ network: Int, Range<Int>) -> Void) {
    forEachChunk(of: networks, rows: { _ in rows }, body)
  }

  /// The same where each network has its own number of rows.
  public func forEachChunk(
    of networks: Int, rows: (_ network: Int) -> Int, _ body: (_ network: Int, Range<Int>) -> Void
  ) {
    // multiples of 4 rows, the smaller tile
    func padded(_ network: Int) -> Int { (rows(network) + 3) / 4 * 4 }
    var total = 0
    for network in 0..<networks { total += padded(network) }
    let share = (total / 4 + count - 1) / count * 4
    forEachWorker { worker in
      // the worker's part of all networks' rows one after another
      var start = worker * share
      var end = start + share
      for network in 0..<networks {
        var next = max(0, start)
        let last = min(end, rows(network))
        while next < last {
          let chunk = next..<min(last, next + 256)
          body(network, chunk)
          next = chunk.upperBound
        }
        start -= padded(network)
        end -= padded(network)
      }
    }
  }

  /// Runs `body` once for each worker's share of something divided by `Share.range(of:)`.
  public func forEachShare(_ body: (Share) -> Void) {
    forEachShare(of: 1) { body($1) }
  }

  /// Runs `body` for each worker's share of each of several networks, divided as `forEachChunk(ofRows:of:)` divides.
  public func forEachShare(of networks: Int, _ body: (_ network: Int, Share) -> Void) {
    forEachWorker { worker in
      for network in 0..<networks {
        let lower = max(0, worker * networks - network * count)
        let upper = min(count, (worker + 1) * networks - network * count)
        if lower < upper { body(network, Share(lower: lower, upper: upper, of: count)) }
      }
    }
  }
}

/// One worker's part of a number of things: from `lower` to `upper`, of `count` equal parts.
public struct Share: Sendable {
  package let lower: Int
  package let upper: Int
  package let count: Int

  package init(lower: Int, upper: Int, of count: Int) { (self.lower, self.upper, self.count) = (lower, upper, count) }

  /// All of it.
  public static let whole = Share(lower: 0, upper: 1, of: 1)

  /// The part of 0 ..< total, in whole pairs where possible: a pair of panels is one tile wide.
  package func range(of total: Int) -> Range<Int> {
    let pairs = (total + 1) / 2
    return min(total, 2 * (pairs * lower / count))..<min(total, 2 * (pairs * upper / count))
  }
}

// MARK: threads

/// What the threads of a pool have in common.
private final class Shared: @unchecked Sendable {
  /// Threads beside the owner's; set once, before the first phase.
  var helpers = 0
  private let patience: Int
  private let forks = Forks.count
  private let generation = Atomic<Int>(0)
  private let remaining = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private var body: ClosureWords?
  private var stopped = false
  private var mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(patience: Int) {
    self.patience = patience
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// This process is a child of the one that has the helpers.
  var lostHelpers: Bool { helpers > 0 && forks != Forks.count }

  /// Publishes the work. Called by the owner only, never while a phase runs.
  func start(_ work: ClosureWords) {
    guard helpers > 0 else { return }
    body = work
    remaining.store(helpers, ordering: .relaxed)
    announce()
  }

  private func announce() {
    generation.add(1, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_mutex_lock(mutex)
      pthread_cond_broadcast(condition)
      pthread_mutex_unlock(mutex)
    }
  }

  /// Returns when every helper is done.
  func wait() {
    guard helpers > 0 else { return }
    var spins = 0
    while remaining.load(ordering: .acquiring) > 0 {
      spins += 1
      // the machine may have fewer free cores than workers
      if spins % 20_000 == 0 { sched_yield() }
    }
    body = nil
  }

  func stop() {
    stopped = true
    announce()
  }

  /// A helper's life.
  func run(worker: Int) {
    flushDenormals()
    var seen = 0
    while true {
      seen = next(after: seen)
      if stopped { return }
      body?(worker)
      remaining.subtract(1, ordering: .releasing)
    }
  }

  /// Spins, then sleeps, until a phase newer than `seen` is published.
  private func next(after seen: Int) -> Int {
    for spin in 1...patience {
      // the machine may have fewer free cores than workers
      if spin % 20_000 == 0 { sched_yield() }
      let current = generation.load(ordering: .acquiring)
      if current != seen { return current }
    }
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    var current = generation.load(ordering: .sequentiallyConsistent)
    while current == seen {
      pthread_cond_wait(condition, mutex)
      current = generation.load(ordering: .sequentiallyConsistent)
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
    return current
  }
}

/// How often this process became a child by `fork`, which copies memory and the calling thread alone.
private enum Forks {
  private static let total = Atomic<Int>(0)
  private static let isWatching: Bool = {
    pthread_atfork(nil, nil, { Forks.total.add(1, ordering: .relaxed) })
    return true
  }()

  static var count: Int { isWatching ? total.load(ordering: .relaxed) : 0 }
}

private final class Start {
  let worker: Int
  let shared: Shared

  init(worker: Int, shared: Shared) {
    self.worker = worker
    self.shared = shared
  }
}

/// Nil where the system has no thread left.
private func startThread(_ worker: Int, _ shared: Shared) -> pthread_t? {
  let context = Unmanaged.passRetained(Start(worker: worker, shared: shared))
  #if canImport(Darwin)
    var thread: pthread_t?
    let status = pthread_create(&thread, nil, { run($0) }, context.toOpaque())
  #else
    var thread = pthread_t()
    let status = pthread_create(&thread, nil, { $0.flatMap { run($0) } }, context.toOpaque())
  #endif
  guard status == 0 else {
    context.release()
    return nil
  }
  return thread
}

private func run(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
  start.shared.run(worker: start.worker)
  return nil
}
