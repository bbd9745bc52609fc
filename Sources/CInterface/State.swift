// State.swift — the C functions that take a learner's state out and put it back: all of it, its replay, its parameters.

import OffPolicy

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

private func file(_ bytes: UnsafePointer<UInt8>?, _ length: Int64) throws -> SafeTensors {
  try SafeTensors(bytes: [UInt8](data(bytes, length)))
}

@_cdecl("offpolicy_state")
public func state(_ handle: Int64) -> Int64 {
  withLearner(handle) { learner in
    let trainer = learner.trainer
    var progress = RunProgress()
    for lane in 0..<learner.lanes {
      progress.replay.append(RunProgress.Replay(frames: trainer.buffer.frameRange(lane: lane)))
    }
    return leave(try trainer.state().encoded(progress).encodedData())
  }
}

@_cdecl("offpolicy_restore")
public func restore(_ handle: Int64, _ bytes: UnsafePointer<UInt8>?, _ length: Int64) -> Int64 {
  withLearner(handle) { learner in
    let file = try file(bytes, length)
    let state = try TrainerState(file, path: "the state")
    let progress = try RunProgress(file, path: "the state")
    try learner.abandonAll()
    learner.openEnds = [:]
    do { try learner.trainer.restore(state, of: progress) } catch {
      // half of it may be there: no lane goes on from that
      learner.trainer.forgetEpisodes()
      throw error
    }
    return 0
  }
}

@_cdecl("offpolicy_restart_streams")
public func restartStreams(_ handle: Int64) -> Int64 {
  withLearner(handle) { learner in
    try learner.trainer.restartStreams()
    learner.prediction?.position = 0
    return 0
  }
}

@_cdecl("offpolicy_parameters")
public func parameters(_ handle: Int64) -> Int64 {
  withLearner(handle) { learner in
    let state = learner.trainer.algorithmState
    var file = SafeTensors()
    for tensor in state.tensors { file.add(tensor.name, floats: tensor.values, shape: tensor.shape) }
    for (name, value) in state.numbers { file.add("number." + name, doubles: [value], shape: [1]) }
    for (name, value) in state.counts { file.add("count." + name, uint64s: [value], shape: [1]) }
    return leave(file.encodedData())
  }
}

@_cdecl("offpolicy_set_parameters")
public func setParameters(_ handle: Int64, _ bytes: UnsafePointer<UInt8>?, _ length: Int64) -> Int64 {
  withLearner(handle) { learner in
    let file = try file(bytes, length)
    var given = AlgorithmState()
    for name in file.names {
      if name.hasPrefix("number.") {
        given.numbers[String(name.dropFirst("number.".count))] = try file.doubles(name).first
      } else if name.hasPrefix("count.") {
        given.counts[String(name.dropFirst("count.".count))] = try file.integers64(name).first
      } else {
        given.tensors.append(Tensor(name: name, shape: try file.shape(name), values: try file.floats(name)))
      }
    }
    try learner.trainer.replace(given)
    return 0
  }
}

@_cdecl("offpolicy_policy")
public func policy(_ handle: Int64) -> Int64 {
  withLearner(handle) { leave($0.trainer.policyFile().encodedData()) }
}

@_cdecl("offpolicy_digest")
public func digest(_ handle: Int64) -> Int64 {
  withLearner(handle) {
    leave(RunInspection.digest($0.trainer.algorithmState.tensors.filter { !$0.name.contains("optimizer") }))
  }
}
