// OutsideTransitions.swift — transitions that were collected elsewhere, put into a run's replay buffer.

import Environments
import Replay

extension Trainer {
  /// Adds transitions to a lane of the buffer, in the order in which they were seen: n of them.
  ///
  /// The lane's own episode goes on; in the buffer it has a gap. They count neither as steps nor in the statistics of
  /// normalisers, which are those of what the run collects.
  ///
  /// - Parameters:
  ///   - observations: n × S; where a row is not the next observation of the row before, another episode begins.
  ///   - actions: n × A, in the environment's units; clipped to its bounds.
  ///   - next: n × S, the true next observations, also where an episode ended.
  public func addTransitions(
    lane: Int, observations: Span<Float>, actions: Span<Float>, outcomes: [StepOutcome], next: Span<Float>
  ) {
    let (size, width, count) = (buffer.observationSize, scaling.count, outcomes.count)
    precondition(
      observations.count == count * size && next.count == count * size && actions.count == count * width,
      "\(observations.count), \(actions.count) and \(next.count) values for \(count) transitions of \(size) and \(width)"
    )
    var action = [Float](repeating: 0, count: width)
    learner.buffer.abandonEpisode(lane: lane)
    var isOpen = false
    for row in 0..<count {
      let columns = (row * size)..<((row + 1) * size)
      if !isOpen { learner.buffer.beginEpisode(observations.extracting(columns), lane: lane) }
      for i in 0..<width {
        let value = actions[row * width + i]
        action[i] = scaling.choices == nil ? min(1, max(-1, scaling.normalizedInDouble(value, at: i))) : value
      }
      let outcome = outcomes[row]
      learner.buffer.add(
        lane: lane, action: action.span, reward: Float(outcome.reward), terminated: outcome.terminated,
        truncated: outcome.truncated, next: next.extracting(columns))
      isOpen = !outcome.endsEpisode
      var goesOn = isOpen && row + 1 < count
      for i in columns where goesOn && next[i] != observations[i + size] { goesOn = false }
      if isOpen && !goesOn {
        learner.buffer.abandonEpisode(lane: lane)
        isOpen = false
      }
    }
    guard !lanes[lane].needsReset else { return }
    let waiting = lanes[lane].observation
    learner.buffer.resumeEpisode(waiting.span, lane: lane)
  }
}
