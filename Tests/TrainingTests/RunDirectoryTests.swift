import Foundation
import OffPolicy
import Testing

@Suite struct RunDirectoryTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func make() throws -> (Trainer, RunDirectory) {
    let trainer = try makeTrainer("td3", steps: 400, environment: pendulum)
    return (trainer, try RunDirectory.create(folder.path("run"), describe(trainer.run)))
  }

  func text(_ directory: RunDirectory, _ name: String) throws -> String {
    try String(contentsOf: directory.url.appendingPathComponent(name), encoding: .utf8)
  }

  @Test func `a new folder has the run's description and its logs with their columns`() throws {
    let (_, directory) = try make()
    #expect(try RunDirectory.describe(directory.path) == directory.description)
    #expect(try text(directory, "episodes.csv") == "step,episode,return,length,terminated,truncated,seconds\n")
    #expect(
      try text(directory, "metrics.csv")
        == "step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds\n")
    #expect(
      try text(directory, "evaluations.csv")
        == "step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds\n")
    #expect(try text(directory, "evaluation-episodes.csv") == "step,episode,return,length\n")
  }

  @Test func `a folder that exists is refused and left as it is`() throws {
    let (trainer, directory) = try make()
    let before = try text(directory, "run.json")
    let error = #expect(throws: RunDirectoryError.self) {
      try RunDirectory.create(folder.path("run"), describe(trainer.run))
    }
    #expect(error?.description.contains("exists already: resume the run in it") == true)
    #expect(try text(directory, "run.json") == before)
  }

  @Test func `a folder that cannot be made is refused in one line`() throws {
    let (trainer, _) = try make()
    try Data().write(to: folder.url.appendingPathComponent("file"))
    let error = #expect(throws: RunDirectoryError.self) {
      try RunDirectory.create(folder.path("file/run"), describe(trainer.run))
    }
    #expect(error?.description.contains("cannot be written") == true && error?.description.contains("\n") == false)
  }

  @Test func `a folder that is no run, or whose description is damaged, is refused`() throws {
    func refusal(_ path: String) -> String {
      let error = #expect(throws: RunDirectoryError.self) { try RunDirectory.open(path) }
      let text = error?.description ?? ""
      #expect(!text.contains("\n"))
      return text
    }
    #expect(refusal(folder.path("")).contains("is no run: it has no run.json"))
    let (_, directory) = try make()
    let file = directory.url.appendingPathComponent("run.json")
    let whole = try Data(contentsOf: file)
    try whole.prefix(40).write(to: file)
    #expect(refusal(directory.path).contains("run.json cannot be read"))
    let other = String(decoding: whole, as: UTF8.self)
      .replacingOccurrences(of: "\"formatVersion\" : 1", with: "\"formatVersion\" : 8")
    try Data(other.utf8).write(to: file)
    #expect(refusal(directory.path).contains("has format 8, this program reads 1"))
  }

  @Test func `a run without a checkpoint cannot be resumed`() throws {
    let (trainer, directory) = try make()
    let error = #expect(throws: RunDirectoryError.self) { try directory.restore(trainer) }
    #expect(error?.description.contains("has no checkpoint yet") == true)
    #expect(try directory.checkpoint() == nil)
  }

  @Test func `rows after the checkpoint are cut off at resume, rows before it stay`() throws {
    /// A run that evaluates at every 50th step and logs it, stopped at a step.
    func advance(_ trainer: Trainer, _ directory: RunDirectory, to step: Int) throws {
      trainer.observer.evaluated = { directory.log(.evaluation($0)) }
      trainer.observer.shouldStop = { [unowned trainer] in trainer.step > step }
      try trainer.train()
    }
    let trainer = try makeTrainer("td3", steps: 400, evaluateEvery: 50, environment: pendulum)
    let directory = try RunDirectory.create(folder.path("run"), describe(trainer.run))
    try advance(trainer, directory, to: 100)
    try directory.save(trainer)
    let kept = try text(directory, "evaluations.csv")
    try advance(trainer, directory, to: 200)
    // and half a row, as a crash leaves it
    let handle = try FileHandle(forWritingTo: directory.url.appendingPathComponent("evaluations.csv"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("250,1,2".utf8))
    try handle.close()

    let other = try makeTrainer("td3", steps: 400, evaluateEvery: 50, environment: pendulum)
    let reopened = try RunDirectory.open(directory.path)
    try reopened.restore(other)
    #expect(try text(reopened, "evaluations.csv") == kept)
    try advance(other, reopened, to: 150)
    #expect(try text(reopened, "evaluations.csv").hasPrefix(kept + "150,3,"))
    #expect(reopened.rows("evaluations.csv").map { $0[0] } == ["50", "100", "150"])
    #expect(reopened.rows("evaluations.csv").allSatisfy { $0.count == 8 })
    // the single episodes of each evaluation, cut in the same way
    let single = reopened.rows("evaluation-episodes.csv")
    #expect(single.map { $0[0] } == ["50", "50", "50", "100", "100", "100", "150", "150", "150"])
    #expect(single.map { $0[1] } == ["1", "2", "3", "1", "2", "3", "1", "2", "3"])
    for row in reopened.rows("evaluations.csv") {
      let returns = single.filter { $0[0] == row[0] }.compactMap { Double($0[2]) }
      #expect(returns.reduce(0, +) / 3 == Double(row[2]) && returns.min() == Double(row[4]))
    }
  }

  @Test func `a checkpoint brings a policy file of the same step`() throws {
    let (trainer, directory) = try make()
    trainer.observer.shouldStop = { [unowned trainer] in trainer.step >= 90 }
    try trainer.train()
    try directory.save(trainer)
    #expect(try PolicyFile.load(directory.policyPath).description.step == 90)
  }

  @Test func `a damaged checkpoint is passed over and named, the one before is used`() throws {
    let (trainer, directory) = try make()
    for step in [40, 80] {
      trainer.observer.shouldStop = { [unowned trainer] in trainer.step >= step }
      try trainer.train()
      try directory.save(trainer)
    }
    let file = URL(fileURLWithPath: directory.checkpointPath)
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: file)
    let other = try makeTrainer("td3", steps: 400, environment: pendulum)
    let reopened = try RunDirectory.open(directory.path)
    let restoration = try reopened.restore(other)
    #expect(restoration.step == 40)
    #expect(restoration.problems.count == 1)
    #expect(restoration.problems.first?.contains("state.safetensors is damaged") == true)
    // and the next save keeps the good one until its own is there
    try reopened.save(other)
    #expect(try reopened.checkpoint()?.state.step == 40)
  }

  /// A trainer that has gone to a step.
  func trained(to step: Int, _ trainer: Trainer) throws {
    trainer.observer.shouldStop = { [unowned trainer] in trainer.step >= step }
    try trainer.train()
  }

  @Test func `a checkpoint is of the moment at which it was begun, whatever training does while it is written`() throws
  {
    let (trainer, directory) = try make()
    for step in stride(from: 20, through: 400, by: 20) {
      try trained(to: step, trainer)
      let expected = try trainer.state()
      try directory.beginSaving(trainer)
      try trained(to: step + 15, trainer)
      try directory.finishSaving()
      let saved = try #require(try directory.checkpoint())
      #expect(saved.state.step == step && saved.state.algorithm.tensors.count == expected.algorithm.tensors.count)
      #expect(
        RunInspection.digest(saved.state.algorithm.tensors) == RunInspection.digest(expected.algorithm.tensors))
    }
    #expect(try PolicyFile.load(directory.policyPath).description.step == 400)
    let pauses = try #require(try directory.checkpoint()).progress.pauses
    #expect(pauses.count == 19 && pauses.longest > 0 && pauses.longest <= pauses.total)
  }

  @Test func `a save that the disk refuses keeps the old checkpoint, tells why, and the next one succeeds`() throws {
    let (trainer, directory) = try make()
    try trained(to: 100, trainer)
    try directory.save(trainer)
    // a folder where the new state should go
    let obstacle = directory.checkpointPath + ".new"
    try FileManager.default.createDirectory(atPath: obstacle + "/x", withIntermediateDirectories: true)
    try trained(to: 220, trainer)
    try directory.beginSaving(trainer)
    try trained(to: 240, trainer)
    let error = #expect(throws: RunDirectoryError.self) { try directory.finishSaving() }
    #expect(
      error?.description
        == "\(directory.path) cannot be written: Is a directory; the last checkpoint is intact, and the run can "
        + "be resumed from it")
    #expect(try directory.checkpoint()?.state.step == 100)
    try FileManager.default.removeItem(atPath: obstacle)
    try directory.save(trainer)
    let other = try makeTrainer("td3", steps: 400, environment: pendulum)
    #expect(try RunDirectory.open(directory.path).restore(other).step == 240)
    #expect(RunInspection.digest(other.algorithm.parameters) == RunInspection.digest(trainer.algorithm.parameters))
  }

  @Test func `a state with a number that is none is not saved over one without`() throws {
    let (trainer, directory) = try make()
    try trained(to: 100, trainer)
    try directory.save(trainer)
    var state = trainer.algorithm.state
    let place = try #require(state.tensors.firstIndex { $0.name == "critic_optimizer.1.second.layer.1.weight" })
    var values = state.tensors[place].values
    values[37] = .infinity
    state.tensors[place] = Tensor(name: state.tensors[place].name, shape: state.tensors[place].shape, values: values)
    try trainer.algorithm.restore(state)
    let error = #expect(throws: NonFiniteState.self) { try directory.save(trainer) }
    #expect(
      error?.description.hasPrefix("at step 100 critic_optimizer.1.second.layer.1.weight[2, 5] is inf, so that no ")
        == true)
    #expect(try directory.checkpoint()?.state.step == 100)
  }

  @Test func `a run that the disk cannot hold is refused with the numbers`() throws {
    let trainer = try makeTrainer("sac", steps: 100_000, environment: pendulum)
    try RunDirectory.checkSpace(for: trainer, at: "runs/a", available: 1 << 30)
    try RunDirectory.checkSpace(for: trainer, at: "runs/a", available: nil)
    let error = #expect(throws: InsufficientDisk.self) {
      try RunDirectory.checkSpace(for: trainer, at: "runs/a", available: 3_000_000)
    }
    // 112,516 + 49,152 frames of 24 bytes, three states and policies
    #expect(error?.description.hasPrefix("a run of 100000 steps needs up to 4") == true)
    #expect(error?.description.contains("on the disk of runs/a, which has 3 MB left: ") == true)
  }

  @Test func `a second writer is kept out`() throws {
    let (_, directory) = try make()
    try directory.lock()
    let other = try RunDirectory.open(directory.path)
    let error = #expect(throws: RunDirectoryError.self) { try other.lock() }
    #expect(error?.description.contains("is in use by process") == true)
    // the file is not the lock
    try FileManager.default.removeItem(atPath: directory.path + "/lock")
    #expect(throws: RunDirectoryError.self) { try other.lock() }
  }

  @Test func `of two that make one run at the same moment, one is refused, and the other's folder is whole`()
    async throws
  {
    let run = try makeTrainer("td3", steps: 400, environment: pendulum).run
    for n in 0..<20 {
      let path = folder.path("run\(n)")
      let made = await withTaskGroup(of: String?.self) { group in
        for seed in 1...2 {
          group.addTask {
            var run = run
            run.seed = UInt64(seed)
            return (try? RunDirectory.create(path, describe(run))).map { "\($0.description.run.seed)" }
          }
        }
        return await group.reduce(into: [String]()) { if let seed = $1 { $0.append(seed) } }
      }
      #expect(made.count == 1)
      #expect(try "\(RunDirectory.describe(path).run.seed)" == made.first)
    }
  }
}
