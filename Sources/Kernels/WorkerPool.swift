// WorkerPool.swift — a few threads that do fixed shares of one piece of work, and meet at its end.
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

public final class WorkerPool: @unchecked Sendable {
  /// Workers, the calling thread among them.
  public let count: Int
  package static let maximumCount = 256

  private let shared: Shared
  private var threads: [pthread_t] = []

  /// - Parameter count: from 1 to 256; more than the machine's cores only costs time.
  public init(count: Int) {
    precondition(count >= 1 && count <= Self.maximumCount, "a pool of \(count) workers")
    self.count = count
    shared = Shared(helpers: count - 1)
    for worker in 1..<max(1, count) { threads.append(startThread(worker, shared)) }
  }

  deinit {
    shared.stop()
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Runs `body` once on each worker, with its number.
  public func forEachWorker(_ body: (Int) -> Void) {
    withFlushedDenormals {
      shared.start(ClosureWords(body))
      body(0)
      shared.wait()
    }
  }

  /// Runs `body` over 0 ..< rows, in chunks of at most 256 rows.
  ///
  /// - Precondition: no row's result depends on another row's.
  public func forEachChunk(ofRows rows: Int, _ body: (Range<Int>) -> Void) {
    forEachWorker { worker in
      // multiples of 4 rows, the smaller tile
      let share = (rows + 4 * count - 1) / (4 * count) * 4
      var start = min(rows, worker * share)
      let end = min(rows, start + share)
      while start < end {
        let next = min(end, start + 256)
        body(start..<next)
        start = next
      }
    }
  }

  /// Runs `body` once for each worker's share of something divided by `Share.range(of:)`.
  public func forEachShare(_ body: (Share) -> Void) {
    forEachWorker { body(Share(index: $0, count: count)) }
  }
}

/// One worker's part of a number of things.
public struct Share: Sendable {
  package let index: Int
  package let count: Int

  /// All of it.
  public static let whole = Share(index: 0, count: 1)

  /// The part of 0 ..< total, in whole pairs where possible: a pair of panels is one tile wide.
  package func range(of total: Int) -> Range<Int> {
    let pairs = (total + 1) / 2
    return min(total, 2 * (pairs * index / count))..<min(total, 2 * (pairs * (index + 1) / count))
  }
}

// MARK: threads

/// What the threads of a pool have in common.
private final class Shared: @unchecked Sendable {
  private let helpers: Int
  private let generation = Atomic<Int>(0)
  private let remaining = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private var body: ClosureWords?
  private var stopped = false
  private var mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(helpers: Int) {
    self.helpers = helpers
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

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

  /// Looks for the next phase before a helper sleeps, about two milliseconds: longer than any step of a task, because a
  /// sleeping core takes 10 µs and, where the machine is virtual, sometimes milliseconds to wake.
  private static let patience = 2_000_000

  /// Spins, then sleeps, until a phase newer than `seen` is published.
  private func next(after seen: Int) -> Int {
    for spin in 1...Self.patience {
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

private final class Start {
  let worker: Int
  let shared: Shared

  init(worker: Int, shared: Shared) {
    self.worker = worker
    self.shared = shared
  }
}

private func startThread(_ worker: Int, _ shared: Shared) -> pthread_t {
  let context = Unmanaged.passRetained(Start(worker: worker, shared: shared)).toOpaque()
  #if canImport(Darwin)
    var thread: pthread_t?
    let status = pthread_create(&thread, nil, { run($0) }, context)
    guard status == 0, let thread else { preconditionFailure("pthread_create failed with \(status)") }
    return thread
  #else
    var thread = pthread_t()
    let status = pthread_create(&thread, nil, { $0.flatMap { run($0) } }, context)
    precondition(status == 0, "pthread_create failed with \(status)")
    return thread
  #endif
}

private func run(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
  start.shared.run(worker: start.worker)
  return nil
}

// MARK: denormals

// Moments of dead units decay into denormal numbers, on which some processors compute fifty times slower. They are
// flushed to zero inside phases only: a simulator stepped between them must not notice.

private func flushDenormals() {
  var environment = fenv_t()
  fegetenv(&environment)
  setFlush(&environment)
  fesetenv(&environment)
}

private func setFlush(_ environment: inout fenv_t) {
  #if arch(x86_64)
    environment.__mxcsr |= 0x8040
  #elseif arch(arm64) && canImport(Darwin)
    environment.__fpcr |= 1 << 24
  #elseif arch(arm64)
    environment.__fpcr |= 1 << 24
  #endif
}

private func withFlushedDenormals(_ body: () -> Void) {
  var saved = fenv_t()
  fegetenv(&saved)
  var flushed = saved
  setFlush(&flushed)
  fesetenv(&flushed)
  body()
  fesetenv(&saved)
}
