// PolicyFunctions.swift — the C functions that ask a policy or its critics.

import OffPolicy

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The policy of a file.
final class PolicyHandle: Handle, @unchecked Sendable {
  let policy: Policy

  init(_ bytes: Data) throws {
    policy = try PolicyFile.policy(SafeTensors(bytes: [UInt8](bytes)), path: "the policy")
  }
}

@_cdecl("offpolicy_policy_open")
public func policyOpen(_ bytes: UnsafePointer<UInt8>?, _ length: Int64) -> Int64 {
  answering { Handles.add(try PolicyHandle(data(bytes, length))) }
}

@_cdecl("offpolicy_predict")
public func predict(
  _ handle: Int64, _ observations: UnsafePointer<Float>?, _ rows: Int64, _ deterministic: Int64,
  _ actions: UnsafeMutablePointer<Float>?
) -> Int64 {
  Handles.with(handle, "learner or policy", as: Handle.self) { handle in
    switch handle {
    case let handle as LearnerHandle:
      let (given, room) = try rowsOf(
        observations, actions, rows: rows, observationSize: handle.observationSize, actionSize: handle.actionSize)
      var none: RandomStream?
      var actions = room.mutableSpan
      if deterministic != 0 {
        handle.trainer.act(given.span, rows: Int(rows), drawingFrom: &none, into: &actions)
      } else {
        handle.trainer.act(given.span, rows: Int(rows), drawingFrom: &handle.prediction, into: &actions)
      }
    case let handle as PolicyHandle:
      guard deterministic != 0 || !handle.policy.isStochastic else {
        throw Refusal("a policy file gives its best guess only: ask for deterministic")
      }
      let description = handle.policy.description
      let (size, width) = (description.observationSize, description.actionLow.count)
      let (given, room) = try rowsOf(observations, actions, rows: rows, observationSize: size, actionSize: width)
      for row in 0..<Int(rows) {
        var action = UnsafeMutableBufferPointer(rebasing: room[(row * width)..<((row + 1) * width)]).mutableSpan
        handle.policy.act(
          UnsafeBufferPointer(rebasing: given[(row * size)..<((row + 1) * size)]).span, into: &action)
      }
    default: throw Refusal("this handle has no policy")
    }
    return 0
  }
}

private func rowsOf(
  _ observations: UnsafePointer<Float>?, _ actions: UnsafeMutablePointer<Float>?, rows: Int64, observationSize: Int,
  actionSize: Int
) throws -> (UnsafeBufferPointer<Float>, UnsafeMutableBufferPointer<Float>) {
  let (inputs, outputs) = (try product(rows, observationSize), try product(rows, actionSize))
  let given = try numbers(observations, Int64(inputs), expected: inputs, "observations")
  try checkFinite(given, "observations")
  return (given, try room(actions, Int64(outputs), expected: outputs, "actions"))
}

@_cdecl("offpolicy_values")
public func values(
  _ handle: Int64, _ observations: UnsafePointer<Float>?, _ actions: UnsafePointer<Float>?, _ rows: Int64,
  _ values: UnsafeMutablePointer<Float>?
) -> Int64 {
  withLearner(handle) { learner in
    let sizes = (try product(rows, learner.observationSize), try product(rows, learner.actionSize))
    let observations = try numbers(observations, Int64(sizes.0), expected: sizes.0, "observations")
    let actions = try numbers(actions, Int64(sizes.1), expected: sizes.1, "actions")
    try checkFinite(observations, "observations")
    try checkFinite(actions, "actions")
    try checkChoices(actions, of: learner.trainer.scaling.choices)
    var result = try room(values, rows, expected: Int(rows), "values").mutableSpan
    learner.trainer.values(observations.span, actions.span, rows: Int(rows), into: &result)
    return 0
  }
}

@_cdecl("offpolicy_set")
public func set(_ handle: Int64, _ name: UnsafePointer<UInt8>?, _ length: Int64, _ value: Double) -> Int64 {
  withLearner(handle) {
    let algorithm = $0.trainer.algorithm
    switch try text(name, length) {
    case "learningRate":
      guard value > 0, value <= 1 else { throw Refusal("learningRate is \(value); expected a number in (0, 1]") }
      algorithm.setLearningRate(Float(value))
    case "epsilon":
      guard algorithm.randomShare != nil else { throw Refusal("\($0.trainer.run.algorithm) has no epsilon") }
      guard value >= 0, value <= 1 else { throw Refusal("epsilon is \(value); expected a number in [0, 1]") }
      algorithm.randomShare = Float(value)
    case let name: throw Refusal("nothing that may change is called \(name.debugDescription)")
    }
    return 0
  }
}

@_cdecl("offpolicy_get")
public func get(
  _ handle: Int64, _ name: UnsafePointer<UInt8>?, _ length: Int64, _ value: UnsafeMutablePointer<Double>?
) -> Int64 {
  withLearner(handle) {
    let room = try room(value, 1, expected: 1, "a value")
    switch try text(name, length) {
    case "epsilon":
      guard let share = $0.trainer.algorithm.randomShare else {
        throw Refusal("\($0.trainer.run.algorithm) has no epsilon")
      }
      room[0] = Double(share)
    case "temperature": room[0] = $0.trainer.temperature
    case let name: throw Refusal("nothing to be read is called \(name.debugDescription)")
    }
    return 0
  }
}
