// CheckpointFormat1.swift — reads the checkpoints of version 0.1.0, whose counts and numbers are places in arrays.

import Environments
import Formats

extension TrainerState {
  /// Everything but `algorithm`.
  mutating func readFormat1(_ file: SafeTensors, path: String) throws {
    let (counts, numbers, window) = try (
      file.integers64("trainer.counts"), file.doubles("trainer.numbers"), file.doubles("trainer.metrics")
    )
    let whole = counts.prefix(6).compactMap { $0 < 1 << 53 ? Int($0) : nil }
    guard counts.count == 10, whole.count == 6, numbers.count == 3, window.count == 9 else {
      throw CheckpointError(path, "has counters of another version")
    }
    guard counts[8] <= counts[9], counts[9] < 1 << 48 else {
      throw CheckpointError(path, "counts frames \(counts[8]) to \(counts[9]), which no run has")
    }
    (step, episodes, updates, evaluatedStep) = (whole[0], whole[1], whole[2], whole[3])
    (randomActions, sampling) = (counts[6], counts[7])
    bestReturn = numbers[0]
    metrics = MetricsWindow(sums: Array(window[0..<4]), counts: Array(window[4..<8]), temperature: window[8])
    health = HealthMonitor.State(file.contains("trainer.health") ? try file.doubles("trainer.health") : [])
    // missing where there were none
    faults = SimulatorFaults(counts: file.contains("trainer.faults") ? try file.integers64("trainer.faults") : [])
    let observation = try file.floats("trainer.observation")
    // runs on data have no environment
    guard !observation.isEmpty else { return }
    var lane = TrainingLane(observationSize: 0)
    (lane.steps, lane.episodeLength, lane.needsReset) = (whole[0], whole[4], whole[5] != 0)
    (lane.episodeReturn, lane.observation) = (numbers[1], observation)
    lanes = [lane]
    environments = [try CheckpointFields(file, path: path).environment("environment")]
  }
}

extension RunProgress {
  init(format1 file: SafeTensors) throws {
    self.init()
    let (counts, numbers) = try (file.integers64("trainer.counts"), file.doubles("trainer.numbers"))
    if counts.count == 10, counts[8] <= counts[9] {
      replay = [
        Replay(
          frames: counts[8]..<counts[9], digests: CheckpointFields.digests(try file.integers64("replay.digests")))
      ]
    }
    seconds = numbers.count == 3 ? numbers[2] : 0
    if file.contains("progress.pauses") {
      let values = try file.doubles("progress.pauses")
      if values.count == 3, let count = Int(exactly: values[0]) {
        (pauses.count, pauses.total, pauses.longest) = (count, values[1], values[2])
      }
    }
  }
}
