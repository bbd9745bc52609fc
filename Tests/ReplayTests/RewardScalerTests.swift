import Formats
import Kernels
import Platform
import Replay
import Testing

@Suite struct RewardScalerTests {
  private let fixture: NormalizationFixture

  init() throws { fixture = try NormalizationFixture() }

  private static func value(_ scaler: RewardScaler, _ name: String) -> Double {
    scaler.state.first { $0.name == name }!.values[0]
  }

  private func feed(_ scaler: RewardScaler, _ steps: Range<Int>) {
    for t in steps {
      for lane in 0..<fixture.lanes {
        let i = t * fixture.lanes + lane
        scaler.update(lane: lane, reward: fixture.rewards[i], endsEpisode: fixture.ends[i] == 1)
      }
    }
  }

  /// Every G of the fixture by the definition: Σ over the episode so far.
  private func returns(_ discount: Double) -> [Double] {
    var (running, all) = ([Double](repeating: 0, count: fixture.lanes), [Double]())
    for i in fixture.rewards.indices {
      let lane = i % fixture.lanes
      running[lane] = discount * running[lane] + fixture.rewards[i]
      all.append(running[lane])
      if fixture.ends[i] == 1 { running[lane] = 0 }
    }
    return all
  }

  @Test(arguments: [1, 10, 200])
  func `begun as Stable-Baselines3 begins, variance and divisor are its own`(steps: Int) throws {
    let discount = try fixture.file.doubles("discount")[0]
    let scaler = RewardScaler(discount: discount, lanes: fixture.lanes)
    let lanes = fixture.lanes
    try scaler.restore { name in
      switch name {
      case "rewardScaler.count", "rewardScaler.squares": [1e-4]
      case "rewardScaler.returns": [Double](repeating: 0, count: lanes)
      default: [0]
      }
    }
    feed(scaler, 0..<steps)
    let variance = Self.value(scaler, "rewardScaler.squares") / Self.value(scaler, "rewardScaler.count")
    #expect(relativeError(variance, try fixture.file.doubles("return_variance.\(steps)")[0]) < 1e-10)
    #expect(
      relativeError(Self.value(scaler, "rewardScaler.mean"), try fixture.file.doubles("return_mean.\(steps)")[0])
        < 1e-10)
    #expect(relativeError(scaler.divisor, try fixture.file.doubles("reward_divisor.\(steps)")[0]) < 1e-10)
  }

  @Test func `the divisor is the deviation of every return so far`() {
    let scaler = RewardScaler(discount: 0.9, lanes: fixture.lanes)
    feed(scaler, 0..<fixture.steps)
    let all = returns(0.9)
    let mean = all.reduce(0, +) / Double(all.count)
    let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
    #expect(relativeError(scaler.divisor, (variance + 1e-8).squareRoot()) < 1e-12)
  }

  @Test func `with a bound no scaled return is above it`() {
    let (free, bounded) = (
      RewardScaler(discount: 0.97, lanes: fixture.lanes),
      RewardScaler(discount: 0.97, bound: 0.5, lanes: fixture.lanes)
    )
    for scaler in [free, bounded] { feed(scaler, 0..<fixture.steps) }
    let largest = returns(0.97).map(abs).max()!
    #expect(bounded.divisor == largest / 0.5 && free.divisor < bounded.divisor)
    let wide = RewardScaler(discount: 0.97, bound: 1e6, lanes: fixture.lanes)
    feed(wide, 0..<fixture.steps)
    #expect(wide.divisor == free.divisor)
  }

  @Test(arguments: [true, false])
  func `every end begins another return, a broken-off episode too`(isBrokenOff: Bool) {
    let scaler = RewardScaler(discount: 0.5)
    scaler.update(reward: 8, endsEpisode: false)
    scaler.update(reward: 8, endsEpisode: !isBrokenOff)
    if isBrokenOff { scaler.endEpisode() }
    scaler.update(reward: 1, endsEpisode: false)
    // 8, 12, 1
    #expect(relativeError(scaler.divisor, (62.0 / 3 + 1e-8).squareRoot()) < 1e-12)
  }

  @Test(arguments: [0.0, 1, -3])
  func `as long as all returns are equal rewards stay as they are`(reward: Double) {
    let scaler = RewardScaler(discount: 0.9)
    #expect(scaler.divisor == 1)
    for _ in 0..<100 { scaler.update(reward: reward, endsEpisode: true) }
    #expect(scaler.divisor == 1)
  }

  @Test func `a batch's rewards are divided, n-step sums as well`() throws {
    let scaler = RewardScaler(discount: 0.9, lanes: fixture.lanes)
    feed(scaler, 0..<fixture.steps)
    var buffer = try ReplayBuffer(capacity: 300, observationSize: 1, actionSize: 1)
    buffer.beginEpisode([0].span)
    for t in 0..<fixture.steps {
      buffer.add(
        action: [0].span, reward: Float(fixture.rewards[t]), terminated: false, truncated: false, next: [0].span)
    }
    let workers = WorkerPool(count: 1)
    let batch = Batch(count: 100, observationSize: 1, actionSize: 1)
    let raw = Batch(count: 100, observationSize: 1, actionSize: 1)
    for steps in [1, 3] {
      var (first, second) = (RandomStream(seed: 1, purpose: "s"), RandomStream(seed: 1, purpose: "s"))
      let returns = NStepReturn(discount: 0.9, steps: steps)
      buffer.sample(into: batch, returns: returns, using: &first, workers: workers)
      buffer.sample(into: raw, returns: returns, using: &second, workers: workers)
      scaler.apply(to: batch)
      for row in 0..<100 {
        #expect(batch.rewards[row] == Float(Double(raw.rewards[row]) / scaler.divisor))
        #expect(batch.discounts[row] == raw.discounts[row] && batch.terminated[row] == raw.terminated[row])
      }
    }
  }

  @Test func `saved in mid-episode and restored it goes on with the same bits`() throws {
    let (whole, first, second) = (
      RewardScaler(discount: 0.97, bound: 3, lanes: fixture.lanes),
      RewardScaler(discount: 0.97, bound: 3, lanes: fixture.lanes),
      RewardScaler(discount: 0.97, bound: 3, lanes: fixture.lanes)
    )
    feed(whole, 0..<fixture.steps)
    feed(first, 0..<91)
    try second.restore(from: finder(first.state))
    #expect(second.divisor == first.divisor)
    feed(second, 91..<fixture.steps)
    for (a, b) in zip(whole.state, second.state) { #expect(a.name == b.name && a.values == b.values) }
    #expect(whole.divisor == second.divisor)
  }

  @Test func `a state of another number of environments is refused`() {
    let error = #expect(throws: MismatchedStatistics.self) {
      try RewardScaler(discount: 0.9, lanes: 2).restore(from: finder(RewardScaler(discount: 0.9, lanes: 3).state))
    }
    #expect(error?.description.contains("rewardScaler.returns has 3 values, the run needs 2") == true)
  }
}
