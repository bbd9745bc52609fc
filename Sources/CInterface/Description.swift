// Description.swift — what the library knows, as JSON.

import OffPolicy

@_cdecl("offpolicy_describe")
public func describe() -> Int64 {
  answering {
    leave(
      JSONValue.object([
        "version": .string(programVersion),
        "algorithms": .array(AlgorithmRegistry.standard.entries.map(description)),
        "environments": .array(EnvironmentRegistry.standard.entries.map(description)),
        "processor": .string(Processor.summary), "kernels": .string(Processor.name),
        "mujoco": (try? MuJoCoTasks.simulatorVersion()).map(JSONValue.string) ?? .null,
      ]).text())
  }
}

private func description(_ entry: AlgorithmEntry) -> JSONValue {
  .object([
    "name": .string(entry.name), "summary": .string(entry.summary), "actions": .string(entry.actions.rawValue),
    "learnsFromData": .bool(entry.source != .task), "metrics": .array(entry.metrics.map { .string($0.name) }),
    "hyperparameters": .array(
      entry.hyperparameters.map {
        .object([
          "name": .string($0.name), "default": entry.defaults.values[$0.name] ?? .null,
          "description": .string($0.summary), "source": .string($0.source), "range": .string($0.rangeText),
        ])
      }),
  ])
}

private func description(_ entry: EnvironmentEntry) -> JSONValue {
  .object([
    "id": .string(entry.id), "summary": .string(entry.summary),
    "observationSize": .number(Double(entry.observationSize)),
    "maximumSteps": entry.maximumEpisodeSteps.map { .number(Double($0)) } ?? .null,
    "rewardThreshold": entry.rewardThreshold.map(JSONValue.number) ?? .null,
    "options": .array(entry.options.map { .string($0.name) }),
  ])
}
