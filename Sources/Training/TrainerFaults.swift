// TrainerFaults.swift — what a run does where an environment fails, and what it tells the collection loop.

import Environments

extension Trainer: StepCollector {
  package func needsReset(lane: Int) -> Bool { lanes[lane].needsReset }

  /// The first episode seeds the lane's generator, which then goes on.
  package func seed(lane: Int) -> UInt64? {
    newSeeds.removeValue(forKey: lane) ?? (lanes[lane].steps == 0 ? run.seed &+ UInt64(lane) : nil)
  }

  package func failed(lane: Int, _ error: any Error) { observer.failed(dump(lane: lane, "\(error)")) }

  /// The simulator broke: the step never happened, nothing of it is stored, and another episode begins.
  package func abandon(lane: Int, _ fault: SimulatorFault) throws {
    let dump = dump(lane: lane, fault.description)
    try breakOff(lane: lane)
    do {
      try faults.add(step: step, fault.description)
    } catch {
      observer.failed(dump)
      throw error
    }
    try observer.simulatorFailed(
      SimulatorFaultRecord(step: step, total: faults.total, description: fault.description, dump: dump))
  }

  /// A lane's state, observation and action of the step that is being taken.
  private func dump(lane: Int, _ reason: String) -> FailureDump {
    let range = actions.range(lane: lane)
    var dump = FailureDump(step: step, updates: updates, reason: reason)
    dump.add("trainer.observation", lanes[lane].observation)
    dump.add("trainer.action", Array(actions.stored[range]))
    dump.add("task.action", Array(actions.given[range]))
    dump.add("task.observation", loop.lastObservation)
    if let state = try? loop.environments.saveState(lane: lane) { dump.add(state) }
    return dump
  }
}
