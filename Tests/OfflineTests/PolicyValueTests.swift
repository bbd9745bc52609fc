// PolicyValueTests.swift — fitted values against closed forms, and what a result says when it should not be believed.

import OffPolicy
import Testing

@testable import Offline

@Suite struct PolicyValueTests {
  @Test(arguments: [0.0, 0.9])
  func `the fitted value of a linear policy, from data of another, is near the task's own, for values up to 3.7`(
    gain: Double
  ) throws {
    let linear = LinearTask()
    let policy = try linear.policy(gain: gain)
    let data = try linear.data([try linear.policy(gain: 0.4)])
    let result = try PolicyValue(
      policy, from: data, try linear.settings(updates: 8000), environment: ("Linear-v0", { linear.environment() }))
    let monteCarlo = try #require(result.monteCarlo)
    #expect(abs(result.fitted.mean - monteCarlo.mean) < 0.1, "\(result.fitted), \(monteCarlo)")
    #expect(result.startsFrom == "task")
    #expect(result.critics.count == 4 && result.history.count == 10 && result.horizon == 88)
    // the truth itself, with the mean of x₀² over uniform starts, 1/3, within what 200 starts leave open
    #expect(abs(monteCarlo.mean + linear.valueFactor(gain: gain) / 3) < 0.15 * linear.valueFactor(gain: gain))
  }

  @Test func `a policy that normalises is valued to the bit as one whose weights do it`() throws {
    let linear = LinearTask()
    let plain = try linear.policy(gain: 0.4)
    // a scale that is a power of two: nothing is rounded on either way
    let normalized = try linear.policy(
      gain: 0.4, normalization: ObservationNormalization(mean: [0], scale: [0.25], clip: nil))
    func value(_ policy: Policy) throws -> PolicyValue {
      try PolicyValue(
        policy, from: try linear.data([policy], steps: 2000), try linear.settings(updates: 200),
        environment: ("Linear-v0", { linear.environment() }))
    }
    let (a, b) = (try value(plain), try value(normalized))
    #expect(a.critics == b.critics && a.monteCarlo?.mean == b.monteCarlo?.mean && a.criticLoss == b.criticLoss)
    #expect(a.nearestActions == b.nearestActions)
    // and the normalisation is looked at: with another mean it is another policy
    let other = try linear.policy(
      gain: 0.4, normalization: ObservationNormalization(mean: [0.5], scale: [0.25], clip: nil))
    let c = try value(other)
    #expect(c.critics != a.critics && c.monteCarlo?.mean != a.monteCarlo?.mean)
  }

  @Test func `a few updates are not enough, and the result says so`() throws {
    let linear = LinearTask()
    let policy = try linear.policy(gain: 0)
    let result = try PolicyValue(
      policy, from: try linear.data([policy]), try linear.settings(updates: 200),
      environment: ("Linear-v0", { linear.environment() }))
    #expect(result.warnings.contains { $0.contains("does not tell the truth") })
  }

  @Test func `starts come from the data where there is no task, and one is not enough`() throws {
    let linear = LinearTask()
    let policy = try linear.policy(gain: 0.4)
    let result = try PolicyValue(
      policy, from: try linear.data([policy], steps: 2000), try linear.settings(updates: 300), environment: nil)
    #expect(result.startsFrom == "data" && result.fitted.count == 200)
    #expect(result.monteCarlo == nil && result.criticError == nil)
    let error = #expect(throws: DatasetError.self) {
      try PolicyValue(
        policy, from: try linear.data([policy], steps: 8), try linear.settings(updates: 300), environment: nil)
    }
    #expect(error?.description.contains("an interval needs at least 2") == true)
  }

  @Test func `the same seed gives the same result, on one thread and on two`() throws {
    let linear = LinearTask()
    let policy = try linear.policy(gain: 0.4)
    let data = try linear.data([policy], steps: 2000)
    var settings = try linear.settings(updates: 300)
    let one = try PolicyValue(policy, from: data, settings, environment: nil)
    settings.threads = 2
    let two = try PolicyValue(policy, from: data, settings, environment: nil)
    #expect(one.fitted == two.fitted && one.critics == two.critics && one.history == two.history)
  }

  @Test func `a policy far outside the data is told with the share of states`() throws {
    let linear = LinearTask()
    let (near, far) = (try linear.policy(gain: 0.4), try linear.policy(gain: 24))
    let data = try linear.data([near], steps: 2000, noise: 0.01)
    func nearest(_ policy: Policy) throws -> NearestActions {
      NearestActions(
        of: try FixedPolicy(policy, batchSize: 1000), drawsActions: false, in: data.buffer, distance: 0.2, seed: 1)
    }
    let (inside, outside) = (try nearest(near), try nearest(far))
    #expect(inside.shareOutside == 0 && inside.warning(choices: nil) == nil)
    // tanh 2.4 x against tanh 0.04 x: farther than 0.2 apart wherever |x| is above 0.09
    #expect(outside.shareOutside > 0.2 && outside.meanDistance > inside.meanDistance)
    #expect(outside.warning(choices: nil)?.contains("far outside the data") == true)
  }

  @Test func `an early stop throws and gives no number`() throws {
    let linear = LinearTask()
    let policy = try linear.policy(gain: 0.4)
    let data = try linear.data([policy], steps: 2000)
    #expect(throws: Cancelled.self) {
      try PolicyValue(
        policy, from: data, try linear.settings(updates: 300), environment: nil, progress: { $0.update > 100 })
    }
  }

  @Test func `an interval so wide that it holds everything hides no warning`() {
    // three starts, rewards of a million: wrong by a thousand times
    let measured = Estimate(of: [-1e6, -5e5, -2e6])
    let error = Estimate(of: [1e9, -3e8, 2e9])
    #expect(error.contains(0))
    #expect(PolicyValue.untruth(error, measured)?.contains("may be far from the truth: it is above") == true)
    #expect(PolicyValue.untruth(Estimate(of: [1, -2, 1.5]), Estimate(of: [-100, -90, -110])) == nil)
    let wide = Estimate(of: [-1e9, 1e9, 3e9])
    #expect(PolicyValue.disagreement([1e9, 2.5e9, 1], wide) != nil)
    #expect(PolicyValue.unsettled([0, 1e8, 5e8, 1e9], within: 1e11) != nil)
    #expect(PolicyValue.unsettled([100, 100, 100, 101], within: 10) == nil)
  }
}
