import Formats
import Kernels
import Platform
import Replay
import Testing

@Suite struct ObservationNormalizerTests {
  private let fixture: NormalizationFixture

  init() throws { fixture = try NormalizationFixture() }

  private static func values(_ normalizer: ObservationNormalizer, _ name: String) -> [Double] {
    normalizer.state.first { $0.name == name }!.values
  }

  private static func mean(_ normalizer: ObservationNormalizer) -> [Double] { values(normalizer, "normalizer.mean") }

  private static func variance(_ normalizer: ObservationNormalizer) -> [Double] {
    values(normalizer, "normalizer.squares").map { $0 / normalizer.count }
  }

  /// Of everything in the fixture, by rows of all environments or one by one.
  private func normalizer(inBatches: Bool, of steps: Int? = nil) -> ObservationNormalizer {
    let normalizer = ObservationNormalizer(observationSize: fixture.size)
    for t in 0..<(steps ?? fixture.steps) {
      if inBatches {
        normalizer.update(fixture.matrix(t), rows: 0..<fixture.lanes)
      } else {
        for lane in 0..<fixture.lanes { normalizer.update(fixture.row(t, lane).span) }
      }
    }
    return normalizer
  }

  @Test(arguments: [true, false])
  func `mean and variance are NumPy's of all that was seen, in batches and one by one`(inBatches: Bool) throws {
    let normalizer = normalizer(inBatches: inBatches)
    #expect(normalizer.count == Double(fixture.steps * fixture.lanes))
    let (mean, variance) = (try fixture.file.doubles("plain_mean"), try fixture.file.doubles("plain_variance"))
    for i in 0..<fixture.size {
      #expect(relativeError(Self.mean(normalizer)[i], mean[i]) < 1e-12, "mean \(i)")
      #expect(
        variance[i] == 0
          ? Self.variance(normalizer)[i] == 0 : relativeError(Self.variance(normalizer)[i], variance[i]) < 1e-9,
        "variance \(i)")
    }
  }

  @Test(arguments: [1, 10, 200])
  func `begun as Stable-Baselines3 begins, mean and variance are its own`(steps: Int) throws {
    let normalizer = ObservationNormalizer(observationSize: fixture.size)
    let size = fixture.size
    try normalizer.restore { name in
      name == "normalizer.count" ? [1e-4] : [Double](repeating: name == "normalizer.mean" ? 0 : 1e-4, count: size)
    }
    for t in 0..<steps { normalizer.update(fixture.matrix(t), rows: 0..<fixture.lanes) }
    let mean = try fixture.file.doubles("obs_mean.\(steps)")
    let variance = try fixture.file.doubles("obs_variance.\(steps)")
    for i in 0..<size {
      #expect(relativeError(Self.mean(normalizer)[i], mean[i]) < 1e-12, "mean \(i)")
      #expect(relativeError(Self.variance(normalizer)[i], variance[i]) < 1e-9, "variance \(i)")
    }
    guard steps == fixture.steps else { return }
    let rows = fixture.matrix(steps - 1)
    normalizer.apply(to: rows, rows: 0..<fixture.lanes)
    let expected = try fixture.file.floats("normalized")
    for lane in 0..<fixture.lanes {
      for i in 0..<size {
        // the mean is known to half a unit in its last place in single precision
        let tolerance = 1e-5 + Float(mean[i]).ulp / Float(variance[i].squareRoot())
        #expect(abs(rows[lane, i] - expected[lane * size + i]) <= tolerance, "lane \(lane), value \(i)")
      }
    }
  }

  @Test func `the prior of others would hide a deviation of 1 at 1e5; here it is seen`() throws {
    let normalizer = normalizer(inBatches: true)
    let theirs = try fixture.file.doubles("obs_variance.200")[4].squareRoot()
    let ours = Self.variance(normalizer)[4].squareRoot()
    #expect(abs(ours - 1) < 0.1 && theirs > 30, "\(ours), \(theirs)")
  }

  @Test func `before anything was seen observations stay as they are`() {
    let rows = Matrix(rows: 1, columns: 2)
    (rows[0, 0], rows[0, 1]) = (3.5, -25)
    ObservationNormalizer(observationSize: 2).apply(to: rows, rows: 0..<1)
    #expect(rows[0, 0] == 3.5 && rows[0, 1] == -10)
  }

  @Test func `a value that never changes becomes 0, and at most the bound when it does`() {
    let normalizer = ObservationNormalizer(observationSize: 1)
    for _ in 0..<1000 { normalizer.update([1e5].span) }
    let rows = Matrix(rows: 3, columns: 1)
    (rows[0, 0], rows[1, 0], rows[2, 0]) = (1e5, 2e5, -1e30)
    normalizer.apply(to: rows, rows: 0..<3)
    #expect(rows[0, 0] == 0 && rows[1, 0] == 10 && rows[2, 0] == -10)
  }

  @Test func `the largest numbers that an observation can have give finite statistics`() {
    let normalizer = ObservationNormalizer(observationSize: 1)
    for value in [Float.greatestFiniteMagnitude, -Float.greatestFiniteMagnitude, 0] {
      normalizer.update([value].span)
    }
    #expect(normalizer.snapshot.scale[0].isFinite && normalizer.snapshot.mean[0].isFinite)
    let rows = Matrix(rows: 1, columns: 1)
    rows[0, 0] = 3e38
    normalizer.apply(to: rows, rows: 0..<1)
    #expect(rows[0, 0].isFinite)
  }

  @Test func `saved in the middle and restored it goes on with the same bits`() throws {
    let (whole, first) = (normalizer(inBatches: true), normalizer(inBatches: true, of: 77))
    let second = ObservationNormalizer(observationSize: fixture.size)
    try second.restore(from: finder(first.state))
    #expect(second.snapshot == first.snapshot)
    for t in 77..<fixture.steps { second.update(fixture.matrix(t), rows: 0..<fixture.lanes) }
    for (a, b) in zip(whole.state, second.state) { #expect(a.name == b.name && a.values == b.values) }
    #expect(whole.snapshot == second.snapshot)
  }

  @Test func `a state of another size, or that holds no number, is refused and nothing is taken from it`() throws {
    let normalizer = normalizer(inBatches: true, of: 5)
    let (before, other) = (normalizer.state, ObservationNormalizer(observationSize: 3))
    let error = #expect(throws: MismatchedStatistics.self) { try normalizer.restore(from: finder(other.state)) }
    #expect(error?.description.contains("normalizer.mean has 3 values, the run needs 7") == true)
    for (name, broken) in [
      ("normalizer.mean", Double.nan), ("normalizer.squares", -1), ("normalizer.count", .infinity),
    ] {
      let error = #expect(throws: MismatchedStatistics.self) {
        try normalizer.restore {
          $0 == name ? [Double](repeating: broken, count: $0.hasSuffix("count") ? 1 : 7) : try finder(before)($0)
        }
      }
      #expect(error?.description.contains("\(name) holds an impossible number") == true)
    }
    #expect(throws: NoSuchState.self) { try normalizer.restore(from: finder([])) }
    for (a, b) in zip(before, normalizer.state) { #expect(a.values == b.values) }
  }

  @Test func `the snapshot normalises as the normaliser does, to the bit`() {
    let normalizer = normalizer(inBatches: true)
    let rows = fixture.matrix(3)
    normalizer.apply(to: rows, rows: 0..<fixture.lanes)
    for lane in 0..<fixture.lanes {
      var row = fixture.row(3, lane)
      normalizer.snapshot.apply(to: &row)
      #expect(row == (0..<fixture.size).map { rows[lane, $0] })
    }
  }

  @Test(arguments: [1, 2, 4])
  func
    `a batch's observations and next observations are normalised, what the buffer holds is not, and nothing is counted`(
      threads: Int
    ) throws
  {
    let normalizer = normalizer(inBatches: true)
    var buffer = try ReplayBuffer(capacity: 50, observationSize: fixture.size, actionSize: 1)
    buffer.beginEpisode(fixture.row(0, 0).span)
    for t in 1..<fixture.steps {
      buffer.add(action: [0].span, reward: 1, terminated: false, truncated: false, next: fixture.row(t, 0).span)
    }
    let held = buffer.frameValues(buffer.frameRange)
    let workers = WorkerPool(count: threads)
    let batch = Batch(count: 300, observationSize: fixture.size, actionSize: 1)
    let raw = Batch(count: 300, observationSize: fixture.size, actionSize: 1)
    var (first, second) = (RandomStream(seed: 1, purpose: "s"), RandomStream(seed: 1, purpose: "s"))
    buffer.sample(into: batch, using: &first, workers: workers)
    buffer.sample(into: raw, using: &second, workers: workers)
    let before = normalizer.state
    normalizer.apply(to: batch, workers: workers)
    for row in 0..<300 {
      for (normalized, own) in [
        ((0..<fixture.size).map { batch.observations[row, $0] }, (0..<fixture.size).map { raw.observations[row, $0] }),
        (
          (0..<fixture.size).map { batch.nextObservations[row, $0] },
          (0..<fixture.size).map { raw.nextObservations[row, $0] }
        ),
      ] {
        var expected = own
        normalizer.snapshot.apply(to: &expected)
        #expect(normalized == expected)
      }
    }
    #expect(buffer.frameValues(buffer.frameRange) == held)
    for (a, b) in zip(before, normalizer.state) { #expect(a.values == b.values) }
  }
}
