// Replay.swift — the C functions that take the replay buffer out and put it back, as frames or as transitions.

import OffPolicy

private let format = "swift-offpolicy replay"

@_cdecl("offpolicy_replay")
public func replay(_ handle: Int64) -> Int64 {
  withLearner(handle) { learner in
    var file = SafeTensors()
    file.metadata = ["format": format, "version": "1"]
    let trainer = learner.trainer
    for lane in 0..<learner.lanes {
      let range = trainer.buffer.frameRange(lane: lane)
      let frames = trainer.buffer.frameValues(range, lane: lane)
      let width = trainer.buffer.frameWidth
      file.add("lane.\(lane).frames", floats: frames, shape: [range.count, width])
      file.add("lane.\(lane).range", uint64s: [range.lowerBound, range.upperBound], shape: [2])
      // the observation that waits for its action, where an episode is running
      if !trainer.lanes[lane].needsReset {
        file.add("lane.\(lane).observation", floats: trainer.lanes[lane].observation, shape: [learner.observationSize])
      } else if let last = learner.openEnds[lane] {
        file.add("lane.\(lane).observation", floats: last, shape: [learner.observationSize])
      }
    }
    return leave(file.encodedData())
  }
}

@_cdecl("offpolicy_restore_replay")
public func restoreReplay(_ handle: Int64, _ bytes: UnsafePointer<UInt8>?, _ length: Int64) -> Int64 {
  withLearner(handle) { learner in
    let file = try SafeTensors(bytes: [UInt8](data(bytes, length)))
    guard file.metadata["format"] == format else { throw Refusal("these bytes are no replay buffer of this library") }
    let lanes = try (0..<learner.lanes).map { try Lane(file, $0, learner) }
    guard !file.contains("lane.\(learner.lanes).range") else {
      throw Refusal("the replay buffer has more lanes than the learner's \(learner.lanes)")
    }
    try learner.abandonAll()
    learner.openEnds = [:]
    try learner.trainer.restoreBuffer { buffer in
      buffer.removeAll()
      let width = buffer.frameWidth
      for (number, lane) in lanes.enumerated() {
        for i in 0..<lane.range.count {
          buffer.restoreFrame(
            lane.range.lowerBound + UInt64(i), lane.frames.span.extracting((i * width)..<((i + 1) * width)),
            lane: number)
        }
      }
    }
    for (number, lane) in lanes.enumerated() { learner.openEnds[number] = lane.observation }
    return 0
  }
}

/// A lane of a saved buffer, checked.
private struct Lane {
  let frames: [Float]
  let range: Range<UInt64>
  let observation: [Float]?

  init(_ file: SafeTensors, _ number: Int, _ learner: LearnerHandle) throws {
    let width = learner.trainer.buffer.frameWidth
    let bounds = try file.integers64("lane.\(number).range")
    frames = try file.floats("lane.\(number).frames")
    let shape = try file.shape("lane.\(number).frames")
    guard bounds.count == 2, bounds[0] <= bounds[1], bounds[1] < 1 << 48, shape.count == 2, shape[1] == width,
      UInt64(shape[0]) == bounds[1] - bounds[0]
    else {
      throw Refusal("lane \(number) has frames of shape \(shape); this learner's have \(width) values each")
    }
    range = bounds[0]..<bounds[1]
    if let i = frames.firstIndex(where: { !$0.isFinite }) {
      throw Refusal("value \(i) of the frames of lane \(number) is \(frames[i])")
    }
    let scaling = learner.trainer.scaling
    for i in 0..<range.count {
      let values = frames[(i * width + learner.observationSize)..<(i * width + width - 2)]
      let fits = values.allSatisfy { value in
        guard let choices = scaling.choices else { return abs(value) <= 1 }
        return isChoice(value, of: choices)
      }
      guard fits else {
        let expected = scaling.choices.map { "a choice from 0 to \($0 - 1)" } ?? "numbers from -1 to 1"
        throw Refusal("frame \(i) of lane \(number) has the action \(Array(values)); expected \(expected)")
      }
    }
    for i in 0..<range.count where ![-2, -1, 0, 1, 2, 3].contains(frames[(i + 1) * width - 1]) {
      throw Refusal("frame \(i) of lane \(number) is of no known kind")
    }
    let name = "lane.\(number).observation"
    observation = file.contains(name) ? try file.floats(name) : nil
    guard observation == nil || observation?.count == learner.observationSize else {
      throw Refusal("the last observation of lane \(number) has \(observation?.count ?? 0) values")
    }
    // a frame that an action was taken in is followed by another, or by the observation that waits
    guard range.isEmpty || frames[range.count * width - 1] < 0 || observation != nil else {
      throw Refusal("lane \(number) ends in mid-episode, and its last observation is missing")
    }
  }
}

@_cdecl("offpolicy_transitions")
public func transitions(_ handle: Int64) -> Int64 {
  withLearner(handle) { learner in
    let (buffer, scaling) = (learner.trainer, learner.trainer.scaling)
    var rows = TransitionRows(observationSize: learner.observationSize, actionSize: learner.actionSize)
    var ends: [UInt64] = []
    for lane in 0..<learner.lanes {
      let range = buffer.buffer.frameRange(lane: lane)
      let frames = buffer.buffer.frameValues(range, lane: lane)
      let last =
        learner.trainer.lanes[lane].needsReset ? learner.openEnds[lane] : learner.trainer.lanes[lane].observation
      rows.add(frames, width: buffer.buffer.frameWidth, last: last, scaling)
      ends.append(UInt64(rows.rewards.count))
    }
    var file = rows.file()
    file.add("lane_ends", uint64s: ends, shape: [ends.count])
    return leave(file.encodedData())
  }
}

@_cdecl("offpolicy_add_transitions")
public func addTransitions(
  _ handle: Int64, _ lane: Int64, _ rows: Int64, _ observations: UnsafePointer<Float>?,
  _ actions: UnsafePointer<Float>?, _ rewards: UnsafePointer<Double>?, _ flags: UnsafePointer<UInt8>?,
  _ next: UnsafePointer<Float>?
) -> Int64 {
  withLearner(handle) { learner in
    let lane = try learner.lane(lane)
    let (size, width) = (try product(rows, learner.observationSize), try product(rows, learner.actionSize))
    let observations = try numbers(observations, Int64(size), expected: size, "observations")
    let actions = try numbers(actions, Int64(width), expected: width, "actions")
    let rewards = try numbers(rewards, rows, expected: Int(rows), "rewards")
    let flags = try numbers(flags, rows, expected: Int(rows), "flags")
    let next = try numbers(next, Int64(size), expected: size, "the next observations")
    try checkFinite(observations, "an observation")
    try checkFinite(next, "a next observation")
    try checkFinite(actions, "an action")
    try checkChoices(actions, of: learner.trainer.scaling.choices)
    let outcomes = try (0..<Int(rows)).map { row in
      guard Float(rewards[row]).isFinite else { throw Refusal("reward \(row) is \(rewards[row])") }
      guard flags[row] < 4 else { throw Refusal("flag \(row) is \(flags[row]); expected a sum of 1 and 2") }
      return StepOutcome(
        reward: rewards[row], terminated: flags[row] & StepFlag.terminated != 0,
        truncated: flags[row] & StepFlag.truncated != 0)
    }
    guard rows > 0 else { return 0 }
    try learner.closeOpenEnd(lane)
    learner.trainer.addTransitions(
      lane: lane, observations: observations.span, actions: actions.span, outcomes: outcomes, next: next.span)
    return rows
  }
}

/// Transitions side by side, as other libraries keep them.
private struct TransitionRows {
  let observationSize: Int
  let actionSize: Int
  var observations: [Float] = []
  var actions: [Float] = []
  var rewards: [Float] = []
  var nexts: [Float] = []
  var terminated: [UInt8] = []
  var truncated: [UInt8] = []

  init(observationSize: Int, actionSize: Int) {
    (self.observationSize, self.actionSize) = (observationSize, actionSize)
  }

  mutating func add(_ frames: [Float], width: Int, last: [Float]?, _ scaling: ActionScaling) {
    let count = frames.count / max(1, width)
    for i in 0..<count {
      let frame = i * width
      let kind = Int(frames[frame + width - 1])
      guard kind >= 0 else { continue }
      if i + 1 < count {
        nexts += frames[(frame + width)..<(frame + width + observationSize)]
      } else {
        guard let last else { continue }
        nexts += last
      }
      observations += frames[frame..<(frame + observationSize)]
      for k in 0..<actionSize {
        let value = frames[frame + observationSize + k]
        actions.append(scaling.choices == nil ? scaling.denormalizedInDouble(value, at: k) : value)
      }
      rewards.append(frames[frame + width - 2])
      terminated.append(UInt8(kind & 1))
      truncated.append(UInt8(kind >> 1 & 1))
    }
  }

  func file() -> SafeTensors {
    let count = rewards.count
    var file = SafeTensors()
    file.add("observations", floats: observations, shape: [count, observationSize])
    file.add("actions", floats: actions, shape: [count, actionSize])
    file.add("rewards", floats: rewards, shape: [count])
    file.add("next_observations", floats: nexts, shape: [count, observationSize])
    file.add("terminated", bytes: terminated, shape: [count])
    file.add("truncated", bytes: truncated, shape: [count])
    return file
  }
}
