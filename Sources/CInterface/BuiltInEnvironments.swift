// BuiltInEnvironments.swift — the C functions of built-in environments, stepped one at a time, and what the library knows.

import OffPolicy

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

final class EnvironmentHandle: Handle, @unchecked Sendable {
  let environment: ContractGuard
  /// S and A
  let (observationSize, actionSize): (Int, Int)

  init(_ entry: EnvironmentEntry) throws {
    environment = ContractGuard(try entry.make(), name: entry.id)
    (observationSize, actionSize) = (environment.observationSpace.count, environment.actionSpace.count)
  }
}

private struct EnvironmentSpecification: Decodable {
  var id: String
  var options: EnvironmentOptions?
}

@_cdecl("offpolicy_environment_make")
public func environmentMake(_ bytes: UnsafePointer<UInt8>?, _ length: Int64) -> Int64 {
  answering {
    let json = try json(bytes, length)
    let specification: EnvironmentSpecification
    do {
      specification = try JSONDecoder().decode(EnvironmentSpecification.self, from: json)
    } catch let error as DecodingError {
      throw Refusal("an environment's description cannot be read: \(reason(error))")
    }
    try checkKeys(of: json, ["id", "options"], "an environment's description")
    let entry = try EnvironmentRegistry.standard.entry(specification.id).configured(specification.options ?? [:])
    let handle = try EnvironmentHandle(entry)
    _ = leave(handle.environment.described(maximumSteps: entry.maximumEpisodeSteps).text())
    return Handles.add(handle)
  }
}

extension Environment {
  fileprivate func described(maximumSteps: Int?) -> JSONValue {
    var actions: [String: JSONValue] = [:]
    switch actionSpace {
    case .box(let box): (actions["low"], actions["high"]) = (bounds(box.low), bounds(box.high))
    case .discrete(let discrete): actions["choices"] = .number(Double(discrete.count))
    }
    let goals = goals.map(\.goalLayout).map {
      JSONValue.object([
        "observationSize": .number(Double($0.observationSize)), "goalSize": .number(Double($0.goalSize)),
      ])
    }
    return .object([
      "observationSize": .number(Double(observationSpace.count)), "observationLow": bounds(observationSpace.low),
      "observationHigh": bounds(observationSpace.high), "actions": .object(actions), "goals": goals ?? .null,
      "maximumSteps": maximumSteps.map { .number(Double($0)) } ?? .null,
    ])
  }
}

private func bounds(_ values: [Float]) -> JSONValue {
  .array(values.map { $0.isFinite ? .number(Double($0)) : .string($0 > 0 ? "inf" : "-inf") })
}

@_cdecl("offpolicy_environment_reset")
public func environmentReset(
  _ handle: Int64, _ seed: Int64, _ observation: UnsafeMutablePointer<Float>?, _ count: Int64
) -> Int64 {
  Handles.with(handle, "environment", as: EnvironmentHandle.self) {
    var span = try room(observation, count, expected: $0.observationSize, "an observation").mutableSpan
    try $0.environment.reset(seed: seed < 0 ? nil : UInt64(seed), into: &span)
    return 0
  }
}

@_cdecl("offpolicy_environment_step")
public func environmentStep(
  _ handle: Int64, _ action: UnsafePointer<Float>?, _ actionCount: Int64, _ observation: UnsafeMutablePointer<Float>?,
  _ observationCount: Int64, _ reward: UnsafeMutablePointer<Double>?, _ flags: UnsafeMutablePointer<UInt8>?
) -> Int64 {
  Handles.with(handle, "environment", as: EnvironmentHandle.self) {
    let action = try numbers(action, actionCount, expected: $0.actionSize, "an action")
    let (reward, flags) = (try room(reward, 1, expected: 1, "a reward"), try room(flags, 1, expected: 1, "flags"))
    try checkChoices(action, of: $0.environment.actionSpace.choices)
    var span = try room(observation, observationCount, expected: $0.observationSize, "an observation").mutableSpan
    let outcome = try $0.environment.step(action.span, into: &span)
    reward[0] = outcome.reward
    flags[0] = StepFlag.of(outcome)
    return 0
  }
}

@_cdecl("offpolicy_environment_state")
public func environmentState(_ handle: Int64) -> Int64 {
  Handles.with(handle, "environment", as: EnvironmentHandle.self) {
    let state = try $0.environment.saveState()
    var file = SafeTensors()
    file.add("values", doubles: state.values, shape: [state.values.count])
    file.add("generator", uint64s: state.generator.words, shape: [state.generator.words.count])
    return leave(file.encodedData())
  }
}

@_cdecl("offpolicy_environment_restore")
public func environmentRestore(_ handle: Int64, _ bytes: UnsafePointer<UInt8>?, _ length: Int64) -> Int64 {
  Handles.with(handle, "environment", as: EnvironmentHandle.self) {
    let file = try SafeTensors(bytes: [UInt8](data(bytes, length)))
    guard let generator = NumPyGenerator(words: try file.integers64("generator")) else {
      throw Refusal("the state has an impossible random generator")
    }
    try $0.environment.restore(EnvironmentState(values: try file.doubles("values"), generator: generator))
    return 0
  }
}
