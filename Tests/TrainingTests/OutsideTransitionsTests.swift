// OutsideTransitionsTests.swift — transitions from elsewhere in a run's buffer: episodes, gaps, and the episode that is running.

import OffPolicy
import Testing

@testable import Training

@Suite struct OutsideTransitionsTests {
  /// Observations `first`, `first` + 1, … in all three numbers, actions of half the torque, reward 2.
  private func add(_ count: Int, first: Float, ends: Bool = false, to trainer: Trainer) {
    let rows = (0..<count).flatMap { [Float](repeating: first + Float($0), count: 3) }
    let outcomes = (0..<count).map { StepOutcome(reward: 2, terminated: ends && $0 + 1 == count, truncated: false) }
    let (actions, next) = ([Float](repeating: 1, count: count), rows.map { $0 + 1 })
    trainer.addTransitions(
      lane: 0, observations: rows.span, actions: actions.span, outcomes: outcomes, next: next.span)
  }

  /// First numbers and kinds of a lane's frames.
  private func frames(_ trainer: Trainer) -> [(first: Float, kind: Float)] {
    let (values, width) = (trainer.buffer.frameValues(trainer.buffer.frameRange), trainer.buffer.frameWidth)
    return stride(from: 0, to: values.count, by: width).map { (values[$0], values[$0 + width - 1]) }
  }

  @Test func `rows that follow one another are an episode, a gap begins another, and no step is counted`() throws {
    let trainer = try makeTrainer("sac", steps: 100, environment: pendulum)
    add(3, first: 0, ends: true, to: trainer)
    add(2, first: 50, to: trainer)
    #expect(frames(trainer).map(\.first) == [0, 1, 2, 3, 50, 51, 52])
    // goes on, goes on, terminated, final; goes on, goes on, final
    #expect(frames(trainer).map(\.kind) == [0, 0, 1, -1, 0, 0, -1])
    #expect(trainer.buffer.count == 5 && trainer.step == 0 && trainer.lanes[0].needsReset)
    // the torque's bounds are ±2
    #expect(trainer.buffer.frameValues(trainer.buffer.frameRange)[3] == 0.5)
  }

  @Test func `an episode that is running goes on behind them`() throws {
    let trainer = try makeTrainer("sac", steps: 100, environment: pendulum)
    for _ in 0..<4 { try trainer.advance() }
    add(2, first: 50, to: trainer)
    for _ in 0..<3 { try trainer.advance() }
    #expect(trainer.step == 7 && trainer.buffer.count == 9 && trainer.lanes[0].episodeLength == 7)
    let found = frames(trainer)
    #expect(found.map(\.kind) == [0, 0, 0, 0, -1, 0, 0, -1, 0, 0, 0])
    // the observation before the gap is the one after it
    #expect(found[4].first == found[8].first && found[5].first == 50)
    try trainer.train()
    #expect(trainer.updates > 0)
  }
}
