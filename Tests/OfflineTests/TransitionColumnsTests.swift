import OffPolicy
import Testing

@testable import Offline

@Suite struct TransitionColumnsTests {
  /// Rows of one episode after the other: observation i, next observation i + 1.
  func columns(_ n: Int = 4) -> TransitionColumns {
    var columns = TransitionColumns(observationSize: 1, actionSize: 1)
    columns.observations = (0..<n).map { Float($0) }
    columns.nextObservations = (1...max(1, n)).prefix(n).map { Float($0) }
    columns.actions = [Float](repeating: 0.5, count: n)
    columns.rewards = [Float](repeating: 1, count: n)
    columns.terminals = [Bool](repeating: false, count: n)
    columns.timeouts = columns.terminals
    return columns
  }

  func refusal(_ columns: TransitionColumns) -> String {
    do {
      _ = try columns.makeBuffer(.stored, scaling: ActionScaling(low: [-1], high: [1]), path: "data.npz")
      return "was read"
    } catch { return "\(error)" }
  }

  @Test func `a number that is not finite is refused with its place`() {
    var bad = columns()
    bad.observations[2] = .nan
    #expect(refusal(bad).contains("data.npz has observations[2, 0] = nan"))
    bad = columns()
    bad.rewards[1] = .infinity
    #expect(refusal(bad).contains("rewards[1] = inf"))
    bad = columns()
    bad.nextObservations?[3] = -.infinity
    #expect(refusal(bad).contains("next_observations[3, 0]"))
    bad = columns()
    bad.actions[0] = .nan
    #expect(refusal(bad).contains("actions[0, 0]"))
  }

  @Test func `no row, and columns of several lengths, are refused`() {
    #expect(refusal(columns(0)).contains("holds no transition"))
    var bad = columns()
    bad.observations.removeLast()
    #expect(refusal(bad).contains("3 rows of observations for 4 rewards"))
    bad = columns()
    bad.terminals.removeLast()
    #expect(refusal(bad).contains("3 terminals for 4 rewards"))
  }

  @Test func `rows without an order are lone transitions, and no start is made up`() throws {
    var shuffled = columns(5)
    shuffled.observations = [4, 0, 2, 1, 3]
    shuffled.nextObservations = [5, 1, 3, 2, 4]
    let buffer = try shuffled.makeBuffer(.none, scaling: ActionScaling(low: [-1], high: [1]), path: "x")
    #expect(buffer.count == 5)
    let dataset = try Dataset(
      DatasetDescription(environment: nil, observationSize: 1, actionLow: [-1], actionHigh: [1], source: "x"),
      buffer: buffer, path: "x")
    let statistics = DatasetStatistics(dataset)
    #expect(statistics.broken == 5 && statistics.episodes == 0 && statistics.starts == 1)
    dataset.forEachTransition { #expect($0.next[$0.next.startIndex] == $0.observation[$0.observation.startIndex] + 1) }
    // a batch never sees the frames between
    let batch = Batch(count: 64, observationSize: 1, actionSize: 1)
    var stream = RandomStream(seed: 1, purpose: "test")
    dataset.buffer.sample(into: batch, using: &stream, workers: WorkerPool(count: 1))
    for row in 0..<64 { #expect(batch.nextObservations[row, 0] == batch.observations[row, 0] + 1) }
  }

  @Test func `time-outs are found where the next row does not go on`() throws {
    var two = columns(4)
    two.nextObservations = [1, 9, 3, 4]
    let buffer = try two.makeBuffer(.fromNextObservations, scaling: ActionScaling(low: [-1], high: [1]), path: "x")
    let dataset = try Dataset(
      DatasetDescription(environment: nil, observationSize: 1, actionLow: [-1], actionHigh: [1], source: "x"),
      buffer: buffer, path: "x")
    var truncated: [Bool] = []
    dataset.forEachTransition { truncated.append($0.truncated) }
    #expect(truncated == [false, true, false, false])
    #expect(dataset.starts() == [0, 2])
  }

  @Test func `the words of --timeouts`() {
    #expect(TimeoutReading(text: "none") == TimeoutReading.none)
    #expect(TimeoutReading(text: "from-next-observations") == .fromNextObservations)
    for text in ["every 1000", "every=1000", "every-1000", "every:1000"] {
      #expect(TimeoutReading(text: text) == .every(1000))
    }
    for text in ["", "every", "every 0", "every -5x", "sometimes"] { #expect(TimeoutReading(text: text) == nil) }
    #expect(TimeoutReading.every(7).text == "every 7" && TimeoutReading.stored.text == nil)
  }
}
