// TrainerSaving.swift — a run's state, taken out of it and put back.

import Algorithms
import Kernels
import Replay

extension Trainer {
  /// Everything that the rest of the run depends on, besides the buffer's frames.
  public func state() throws -> TrainerState {
    var state = TrainerState(algorithm: algorithm.state)
    (state.step, state.episodes, state.updates) = (step, episodes, updates)
    if run.overlap == true { state.roundStart = roundStart }
    (state.evaluatedStep, state.bestReturn) = (evaluations.evaluatedStep, bestReturn)
    (state.randomActions, state.sampling) = (actions.stream.position, learner.sampling.position)
    state.sampler = learner.sampler.state
    (state.metrics, state.health, state.faults) = (learner.metrics, health.state, faults)
    state.normalization = normalization.state
    state.lanes = lanes
    // a lane that was never reset has no state
    let canSave = loop.environments.resumePromise == .exact
    state.environments = try lanes.indices.map {
      !canSave || lanes[$0].steps == 0 && lanes[$0].needsReset ? nil : try loop.environments.saveState(lane: $0)
    }
    return state
  }

  /// Goes on from a saved state, with the buffer's frames already in place.
  public func restore(_ state: TrainerState) throws {
    guard state.lanes.count == lanes.count else {
      throw MismatchedRun("the checkpoint has \(state.lanes.count) environments, the run \(lanes.count)")
    }
    for lane in state.lanes where lane.observation.count != observations.columns {
      throw MismatchedRun(
        "the checkpoint's observation has \(lane.observation.count) values, the environment's \(observations.columns)")
    }
    (step, episodes, roundStart) = (state.step, state.episodes, state.roundStart ?? state.step)
    evaluations.restore(evaluatedStep: state.evaluatedStep, bestReturn: state.bestReturn)
    lanes = state.lanes
    for (lane, saved) in state.environments.enumerated() {
      if let saved { try loop.environments.restore(saved, lane: lane) }
    }
    actions.stream.position = state.randomActions
    faults = state.faults
    health.restore(state.health)
    try normalization.restore(state.normalization)
    try learner.restore(state)
    for (lane, saved) in state.lanes.enumerated() {
      observations.setRow(lane, to: saved.observation.span)
      if !saved.needsReset { learner.buffer.resumeEpisode(saved.observation.span, lane: lane) }
      // where the environment cannot go on, neither can its episode; the next one's seed is a function of the step
      guard loop.environments.resumePromise == .episode, saved.steps > 0 else { continue }
      forgetEpisode(lane: lane)
      var seeds = RandomStream(seed: run.seed, purpose: "environments resumed at step \(step)")
      newSeeds[lane] = seeds.next() >> 32 &+ UInt64(lane)
    }
  }

  /// Puts every random stream at its start: what follows depends on the run's seed and on what was learned, not on what was drawn.
  public func restartStreams() throws {
    try algorithm.restartStreams()
    actions.stream.position = 0
    learner.restartSampling()
  }

  /// Ends a lane's episode as if it had never been told of.
  func forgetEpisode(lane: Int) {
    learner.buffer.abandonEpisode(lane: lane)
    normalization.abandonEpisode(lane: lane)
    lanes[lane].needsReset = true
  }

  /// Puts frames back into the buffer, oldest first.
  public func restoreBuffer(_ restore: (inout ReplayBuffer) throws -> Void) throws { try restore(&learner.buffer) }
}
