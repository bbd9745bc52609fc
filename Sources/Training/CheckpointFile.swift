// CheckpointFile.swift — a checkpoint as a safetensors file: every field has a name, and Guides/Files.md lists them.
//
// Format 2. Format 1, of version 0.1.0, kept counts and numbers as places in arrays: CheckpointFormat1.swift reads it.

import Algorithms
import Environments
import Formats
import Networks
import Replay

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension TrainerState {
  static let format = "swift-offpolicy checkpoint"
  static let version = 2

  package func encoded(_ progress: RunProgress) -> SafeTensors {
    var file = SafeTensors()
    for tensor in algorithm.tensors { file.add("algorithm." + tensor.name, floats: tensor.values, shape: tensor.shape) }
    for (name, value) in algorithm.numbers { file.add("algorithm.number." + name, [value]) }
    for (name, value) in algorithm.counts { file.add("algorithm.count." + name, [value]) }

    file.add("trainer.step", [UInt64(step)])
    file.add("trainer.episodes", [UInt64(episodes)])
    file.add("trainer.updates", [UInt64(updates)])
    if let roundStart { file.add("trainer.round_start", [UInt64(roundStart)]) }
    file.add("trainer.evaluated_step", [UInt64(evaluatedStep)])
    file.add("trainer.best_return", [bestReturn])
    file.add("trainer.stream.random_actions", [randomActions])
    file.add("trainer.stream.sampling", [sampling])
    file.add("trainer.faults", faults.counts)
    for (name, value) in sampler.numbers { file.add("sampler.number." + name, [value]) }
    for (name, values) in sampler.arrays { file.add("sampler.array." + name, values) }
    file.add("metrics.sums", metrics.sums)
    file.add("metrics.counts", metrics.counts)
    file.add("metrics.temperature", [metrics.temperature])
    file.add("health.largest_reward", [health.largestReward])
    file.add("health.predictions", health.predictions)
    file.add("health.outcomes", health.outcomes)

    for (name, values) in normalization { file.add(name, values) }
    file.add("lane.steps", lanes.map { UInt64($0.steps) })
    file.add("lane.episode_length", lanes.map { UInt64($0.episodeLength) })
    file.add("lane.episode_return", lanes.map(\.episodeReturn))
    file.add("lane.needs_reset", lanes.map { $0.needsReset ? 1 as UInt64 : 0 })
    file.add("lane.predicted_value", health.predicted)
    file.add("lane.outcome", health.outcome)
    file.add("lane.discount_power", health.weight)
    for (n, lane) in lanes.enumerated() {
      file.add("lane.\(n).observation", floats: lane.observation, shape: [lane.observation.count])
      if let environment = environments[n] {
        file.add("lane.\(n).environment.values", environment.values)
        file.add("lane.\(n).environment.generator", environment.generator.words)
      }
    }
    for (n, replay) in progress.replay.enumerated() {
      file.add("lane.\(n).replay.frames", [replay.frames.lowerBound, replay.frames.upperBound])
      let digests = replay.digests.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
      file.add("lane.\(n).replay.digests", uint64s: digests, shape: [digests.count / 2, 2])
    }
    file.add("progress.seconds", [progress.seconds])
    file.add("progress.pauses.count", [UInt64(progress.pauses.count)])
    file.add("progress.pauses.total", [progress.pauses.total])
    file.add("progress.pauses.longest", [progress.pauses.longest])
    for (name, size) in progress.logSizes { file.add("log." + name, [size]) }
    if let identity = progress.identity, let settings = try? identity.encoded() {
      var digest = Digest()
      digest.add(settings)
      file.add("run.identity", [digest.value])
      file.add("run.settings", bytes: Array(settings), shape: [settings.count])
    }
    if !progress.unsavedBest.isEmpty {
      file.add("progress.best_policy", bytes: progress.unsavedBest, shape: [progress.unsavedBest.count])
    }
    file.metadata = ["format": Self.format, "version": "\(Self.version)", "digest": file.digest]
    return file
  }

  package init(_ file: SafeTensors, path: String) throws {
    guard file.metadata["format"] == Self.format else {
      throw CheckpointError(path, "is not a checkpoint of this program")
    }
    guard let version = file.metadata["version"].flatMap({ Int($0) }), 1...Self.version ~= version else {
      throw CheckpointError(
        path,
        "has checkpoint format \(file.metadata["version"] ?? "unknown"), this program reads 1 to \(Self.version)")
    }
    guard file.metadata["digest"] == file.digest else { throw CheckpointError(path, "is damaged: its hash is another") }
    self.init(algorithm: try AlgorithmState(file))
    if version == 1 {
      try readFormat1(file, path: path)
      return
    }
    let fields = CheckpointFields(file, path: path)
    (step, episodes, updates) = try (
      fields.count("trainer.step"), fields.count("trainer.episodes"), fields.count("trainer.updates")
    )
    if file.contains("trainer.round_start") {
      let start = try fields.count("trainer.round_start")
      guard start <= step else { throw CheckpointError(path, "has updates of a step that was not taken") }
      roundStart = start
    }
    (evaluatedStep, bestReturn) = try (fields.count("trainer.evaluated_step"), fields.number("trainer.best_return"))
    (randomActions, sampling) = try (
      fields.word("trainer.stream.random_actions"), fields.word("trainer.stream.sampling")
    )
    faults = SimulatorFaults(counts: try file.integers64("trainer.faults"))
    // four that all algorithms have, then the algorithm's own
    let sums = try file.doubles("metrics.sums")
    guard sums.count >= 4 else { throw CheckpointError(path, "has \(sums.count) values of metrics.sums, at least 4") }
    metrics = MetricsWindow(
      sums: sums, counts: try fields.numbers("metrics.counts", count: sums.count),
      temperature: try fields.number("metrics.temperature"))
    health.largestReward = try fields.number("health.largest_reward")
    health.predictions = try file.doubles("health.predictions")
    health.outcomes = try fields.numbers("health.outcomes", count: health.predictions.count)

    for name in file.names where name.hasPrefix("normalizer.") || name.hasPrefix("rewardScaler.") {
      normalization[name] = try file.doubles(name)
    }
    for name in file.names where name.hasPrefix("sampler.") {
      let (number, array) = ("sampler.number.", "sampler.array.")
      if name.hasPrefix(number) { sampler.numbers[String(name.dropFirst(number.count))] = try fields.number(name) }
      if name.hasPrefix(array) { sampler.arrays[String(name.dropFirst(array.count))] = try file.doubles(name) }
    }

    let steps = try fields.counts("lane.steps")
    let lengths = try fields.counts("lane.episode_length", count: steps.count)
    let returns = try fields.numbers("lane.episode_return", count: steps.count)
    let resets = try fields.counts("lane.needs_reset", count: steps.count)
    health.predicted = try file.doubles("lane.predicted_value")
    (health.outcome, health.weight) = try (file.doubles("lane.outcome"), file.doubles("lane.discount_power"))
    for n in steps.indices {
      var lane = TrainingLane(observationSize: 0)
      (lane.steps, lane.episodeLength, lane.episodeReturn) = (steps[n], lengths[n], returns[n])
      (lane.needsReset, lane.observation) = (resets[n] != 0, try file.floats("lane.\(n).observation"))
      lanes.append(lane)
      environments.append(try fields.environment("lane.\(n).environment"))
    }
  }
}

extension RunProgress {
  package init(_ file: SafeTensors, path: String) throws {
    if file.metadata["version"] == "1" {
      try self.init(format1: file)
    } else {
      self.init()
      let fields = CheckpointFields(file, path: path)
      while file.contains("lane.\(replay.count).replay.frames") {
        replay.append(try fields.replay("lane.\(replay.count).replay"))
      }
      seconds = try fields.number("progress.seconds")
      pauses.count = try fields.count("progress.pauses.count")
      pauses.total = try fields.number("progress.pauses.total")
      pauses.longest = try fields.number("progress.pauses.longest")
      if file.contains("run.settings") {
        guard let settings = try? JSONDecoder().decode(RunIdentity.self, from: Data(file.bytes("run.settings"))) else {
          throw CheckpointError(path, "has settings of its run that cannot be read")
        }
        identity = settings
      }
      if file.contains("progress.best_policy") { unsavedBest = try file.bytes("progress.best_policy") }
    }
    for name in file.names where name.hasPrefix("log.") {
      logSizes[String(name.dropFirst("log.".count))] = try file.integers64(name).first ?? 0
    }
  }
}

extension AlgorithmState {
  /// The fields `algorithm.…` of a checkpoint.
  init(_ file: SafeTensors) throws {
    self.init()
    for name in file.names where name.hasPrefix("algorithm.") {
      let short = String(name.dropFirst("algorithm.".count))
      if short.hasPrefix("number.") {
        numbers[String(short.dropFirst("number.".count))] = try file.doubles(name).first
      } else if short.hasPrefix("count.") {
        counts[String(short.dropFirst("count.".count))] = try file.integers64(name).first
      } else {
        tensors.append(Tensor(name: short, shape: try file.shape(name), values: try file.floats(name)))
      }
    }
  }
}

extension SafeTensors {
  mutating func add(_ name: String, _ values: [Double]) { add(name, doubles: values, shape: [values.count]) }
  mutating func add(_ name: String, _ values: [UInt64]) { add(name, uint64s: values, shape: [values.count]) }
}

/// Fields of a checkpoint by name, each checked as it is read.
struct CheckpointFields {
  private let file: SafeTensors
  private let path: String

  init(_ file: SafeTensors, path: String) { (self.file, self.path) = (file, path) }

  func words(_ name: String, count: Int? = nil) throws -> [UInt64] {
    let words = try file.integers64(name)
    guard count == nil || words.count == count else { throw wrong(name, words.count) }
    return words
  }

  func numbers(_ name: String, count: Int) throws -> [Double] {
    let numbers = try file.doubles(name)
    guard numbers.count == count else { throw wrong(name, numbers.count) }
    return numbers
  }

  func counts(_ name: String, count: Int? = nil) throws -> [Int] {
    try words(name, count: count).map {
      guard let whole = Int(exactly: $0), whole < 1 << 53 else {
        throw CheckpointError(path, "has \(name) = \($0), which no run has")
      }
      return whole
    }
  }

  func word(_ name: String) throws -> UInt64 { try words(name, count: 1)[0] }
  func count(_ name: String) throws -> Int { try counts(name, count: 1)[0] }
  func number(_ name: String) throws -> Double { try numbers(name, count: 1)[0] }

  /// An environment's state; nil where none was saved.
  func environment(_ prefix: String) throws -> EnvironmentState? {
    guard file.contains(prefix + ".values") else { return nil }
    guard let generator = NumPyGenerator(words: try file.integers64(prefix + ".generator")) else {
      throw CheckpointError(path, "has an impossible random generator")
    }
    return EnvironmentState(values: try file.doubles(prefix + ".values"), generator: generator)
  }

  func replay(_ prefix: String) throws -> RunProgress.Replay {
    let frames = try words(prefix + ".frames", count: 2)
    guard frames[0] <= frames[1], frames[1] < 1 << 48 else {
      throw CheckpointError(path, "counts frames \(frames[0]) to \(frames[1]), which no run has")
    }
    return RunProgress.Replay(
      frames: frames[0]..<frames[1], digests: Self.digests(try file.integers64(prefix + ".digests")))
  }

  /// Pairs of a file's number and its hash.
  static func digests(_ words: [UInt64]) -> [UInt64: UInt64] {
    var digests: [UInt64: UInt64] = [:]
    for i in 0..<words.count / 2 { digests[words[2 * i]] = words[2 * i + 1] }
    return digests
  }

  private func wrong(_ name: String, _ count: Int) -> CheckpointError {
    CheckpointError(path, "has \(count) values of \(name), which is another number than it should be")
  }
}
