import OffPolicy
import Testing

@testable import Offline

@Suite struct CollectorTests {
  func collect(_ actor: Collector.Actor, steps: Int, seed: UInt64 = 1, in environment: any Environment) throws
    -> Dataset
  {
    try Collector.collect([actor], in: environment, of: "Probe-v0", steps: steps, seed: seed, source: "test")
  }

  @Test func `every step of every episode is there, with its ends apart`() throws {
    // episodes of 1 to 23 steps: more final observations than a buffer of the usual shape has room for
    let dataset = try collect(.random, steps: 700, in: Probe.numbered())
    #expect(dataset.count == 700)
    var (episode, t) = (1, 0)
    dataset.forEachTransition { step in
      #expect(step.observation.prefix(2).elementsEqual([Float(episode), Float(t)]))
      #expect(step.next.prefix(2).elementsEqual([Float(episode), Float(t + 1)]))
      #expect(step.isStart == (t == 0))
      t += 1
      let end = Probe.numberedEnd(episode: episode)
      #expect(step.terminated == (t == end.length && end.terminates))
      #expect(step.truncated == (t == end.length && end.truncates))
      // the action that led there, in the task's units [−3, 7]
      let action = step.action[step.action.startIndex]
      #expect(abs(step.next[step.next.endIndex - 1] - (-3 + (action + 1) * 5)) < 1e-4)
      if t == end.length { (episode, t) = (episode + 1, 0) }
    }
  }

  @Test func `very short episodes fit too`() throws {
    let dataset = try collect(.random, steps: 500, in: Probe.constantReward())
    #expect(dataset.count == 500 && DatasetStatistics(dataset).episodes == 500)
  }

  @Test func `the same seed gives the same data, another seed others`() throws {
    let first = try collect(.random, steps: 300, in: try pendulum()).digest
    #expect(try collect(.random, steps: 300, in: try pendulum()).digest == first)
    #expect(try collect(.random, steps: 300, seed: 2, in: try pendulum()).digest != first)
  }

  @Test func `random actions fill the box, a policy's are its own, and noise is as wide as asked`() throws {
    let linear = LinearTask()
    let random = DatasetStatistics(try collect(.random, steps: 3000, in: linear.environment(limit: 10)))
    #expect(abs(random.actions.mean) < 0.05 && abs(random.actions.standardDeviation - 0.577) < 0.02)
    let policy = try linear.policy(gain: 0.5)
    func errors(noise: Double) throws -> [Double] {
      var result: [Double] = []
      try collect(
        .policy(policy, drawsActions: false, noise: noise), steps: 3000, in: linear.environment(limit: 10)
      ).forEachTransition { step in
        result.append(
          Double(step.action[step.action.startIndex] + 0.05 * step.observation[step.observation.startIndex]))
      }
      return result
    }
    #expect(try errors(noise: 0).allSatisfy { abs($0) < 1e-4 })
    #expect(abs(sampleDeviation(try errors(noise: 0.1)) - 0.1) < 0.005)
  }
}
