// CloneTests.swift — `clone` and `extend`: a copy goes on, and the run that it began as stays.

import Foundation
import OffPolicy
import Testing

@Suite struct CloneTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func succeed(_ arguments: [String]) throws {
    let result = try Program.run(arguments, in: folder.url)
    try #require(result.status == 0, "\(result.errors)")
  }

  private func inspected(_ name: String) throws -> JSONValue {
    try Program.run("inspect", folder.path(name), "--json").json()
  }

  /// Every file of a run but its lock, with its bytes.
  private func files(_ name: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for path in FileManager.default.subpaths(atPath: folder.path(name)) ?? [] where !path.hasSuffix("lock") {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: folder.path("\(name)/\(path)"), isDirectory: &isFolder)
      if !isFolder.boolValue {
        files[path] = try Data(contentsOf: URL(fileURLWithPath: folder.path("\(name)/\(path)")))
      }
    }
    return files
  }

  @Test func `a copy with more steps has the bits of a run that always had them, and the run stays as it is`() throws {
    try succeed(shortRun("sac", into: folder.path("whole"), steps: 1000))
    try succeed(shortRun("sac", into: folder.path("run"), steps: 600, ["--set", "randomSteps=200"]))
    let (before, digest) = (try files("run"), try inspected("run")["digest"]?.string)
    try succeed(["extend", folder.path("run"), "--by", "400"])
    #expect(try files("run") == before)
    let copy = try inspected("run-clone")
    #expect(try copy["digest"] == inspected("whole")["digest"] && copy["step"]?.number == 1000)
    #expect(copy["parent"]?["digest"]?.string == digest && copy["parent"]?["step"]?.number == 600)
    #expect(copy["parent"]?["path"]?.string?.hasSuffix("/run") == true)
    // the logs are whole: those of the run, then the copy's own
    let steps = try String(contentsOfFile: folder.path("run-clone/evaluations.csv"), encoding: .utf8)
      .split(separator: "\n").dropFirst().map { $0.split(separator: ",")[0] }
    #expect(steps == ["500", "600", "1000"])
    #expect(try Program.run("inspect", folder.path("run-clone")).output.contains("parent     "))
  }

  @Test func `a copy with other values says what was changed, and a run that was stopped can be copied`() throws {
    let stopped = try Program.run(
      shortRun("td3", into: folder.path("run"), steps: 6000), in: folder.url,
      signal: (
        SIGINT,
        {
          ((try? String(contentsOfFile: folder.path("run/episodes.csv"), encoding: .utf8))?.split(separator: "\n").count
            ?? 0) > 3
        }
      ))
    try #require(stopped.status == 130 || stopped.status == 0)
    let step = Int(try inspected("run")["step"]?.number ?? 0)
    let steps = ["--steps", "\(step + 300)"]
    try succeed(["clone", folder.path("run"), "--set", "discount=0.9", "--run-directory", folder.path("copy")] + steps)
    let copy = try inspected("copy")
    #expect(copy["run"]?["configuration"]?["discount"]?.number == 0.9)
    #expect(copy["sources"]?["discount"]?.string == "changed at step \(step)")
    #expect(try inspected("run")["run"]?["configuration"]?["discount"]?.number == 0.99)
    // the same copy twice learns the same
    try succeed(
      ["clone", folder.path("run"), "--set", "discount=0.9", "--run-directory", folder.path("again")] + steps)
    #expect(try inspected("again")["digest"] == copy["digest"])
  }

  @Test func `a copy that cannot be made is refused in one line, and nothing is left behind`() throws {
    try succeed(shortRun("td3", into: folder.path("run"), steps: 400))
    let before = folder.contents
    func refusal(_ more: [String], status: Int32 = 1) throws -> String {
      let result = try Program.run(["clone", folder.path("run")] + more, in: folder.url)
      #expect(result.status == status && result.errorLines.count == 1, "\(result.errors)")
      #expect(folder.contents.filter { !$0.hasSuffix("lock") } == before.filter { !$0.hasSuffix("lock") })
      return result.errors
    }
    #expect(try refusal([]).contains("is done at step 400"))
    #expect(try refusal(["--steps", "300"]).contains("cannot end at step 300"))
    #expect(
      try refusal(["--steps", "500", "--set", "hiddenSizes=8"]).contains("hiddenSizes cannot be changed in mid-run"))
    #expect(try refusal(["--steps", "500", "--run-directory", folder.path("run")]).contains("exists already"))
    #expect(
      try refusal(["--steps", "500", "--run-directory", folder.path("run/run.json/x")]).contains("cannot be written"))
    #expect(try refusal(["--steps", "500", "--by", "5"], status: 64).contains("leave one out"))
    #expect(try Program.run(["clone", folder.path("nothing")], in: folder.url).errors.contains("is no run"))
  }
}
