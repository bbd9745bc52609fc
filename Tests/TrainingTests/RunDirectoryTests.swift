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

  @Test func `a new folder has the run's description and three logs with their columns`() throws {
    let (_, directory) = try make()
    #expect(try RunDirectory.describe(directory.path) == directory.description)
    #expect(try text(directory, "episodes.csv") == "step,episode,return,length,terminated,truncated,seconds\n")
    #expect(
      try text(directory, "metrics.csv")
        == "step,updates,critic_loss,policy_loss,target_mean,temperature,entropy,seconds\n")
    #expect(
      try text(directory, "evaluations.csv")
        == "step,episodes,return_mean,return_sd,return_min,return_max,length_mean,seconds\n")
  }

  @Test func `a folder that exists is refused and left as it is`() throws {
    let (trainer, directory) = try make()
    let before = try text(directory, "run.json")
    let error = #expect(throws: RunDirectoryError.self) {
      try RunDirectory.create(folder.path("run"), describe(trainer.run))
    }
    #expect(error?.description.contains("exists already: `offpolicy resume") == true)
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
      trainer.observer.evaluated = { try directory.log($0) }
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
  }

  @Test func `a checkpoint brings a policy file of the same step`() throws {
    let (trainer, directory) = try make()
    trainer.observer.shouldStop = { [unowned trainer] in trainer.step >= 90 }
    try trainer.train()
    try directory.save(trainer)
    #expect(try PolicyFile.load(directory.policyPath).description.step == 90)
  }
}
