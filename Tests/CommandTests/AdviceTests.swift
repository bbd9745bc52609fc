// AdviceTests.swift — every command that an error or a note advises works when it is typed into a shell.

import Foundation
import OffPolicy
import Testing

@Suite struct AdviceTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// The commands between backquotes in what a call of the program said.
  func advised(by arguments: [String]) throws -> [String] {
    let result = try Program.run(arguments, in: folder.url, environment: ["OFFPOLICY_COMMAND": Program.path])
    return result.errors.matches(of: /`([^`]+)`/).map { String($0.1) }
  }

  /// Types a line into a shell.
  func type(_ line: String) throws {
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", line]
    shell.currentDirectoryURL = folder.url
    shell.standardOutput = FileHandle.nullDevice
    shell.standardError = FileHandle.nullDevice
    try shell.run()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 0, "\(line)")
  }

  let short = " --steps 60 --set randomSteps=50 --set hiddenSizes=8 --set batchSize=8 --evaluate-every 0"

  @Test func `a missing environment, data or run is answered with a command that works`() throws {
    let data = folder.path("it's data.npz")
    #expect(try Program.run("collect", "random", "Pendulum-v1", "--steps", "60", "--out", data).status == 0)
    let example = try advised(by: ["train", "dqn"])
    #expect(example.count == 2)
    try type(example[0] + short)
    try type(example[1] + " >list")
    let offline = try advised(by: ["train", "td3-bc", "Pendulum-v1"])
    #expect(offline.count == 1)
    let small = " --steps 5 --set hiddenSizes=8 --set batchSize=8 --evaluate-every 0 --run-directory "
    try type(offline[0].replacing("DATA", with: "\"\(data)\"") + small + "a")

    // data that do not say their bounds
    var archive = NumPyArchive.Writer()
    archive.add("observations", floats: [0, 0, 0, 0, 0, 0], shape: [2, 3])
    archive.add("next_observations", floats: [0, 0, 0, 0, 0, 0], shape: [2, 3])
    archive.add("actions", floats: [0, 1], shape: [2, 1])
    archive.add("rewards", floats: [0, 1], shape: [2])
    archive.add("terminals", booleans: [0, 0], shape: [2])
    archive.add("timeouts", booleans: [0, 1], shape: [2])
    try archive.write(to: folder.path("no bounds.npz"))
    let named = try advised(by: ["train", "td3-bc", "--dataset", folder.path("no bounds.npz")])
    #expect(named.count == 1)
    if let line = named.first { try type(line.replacing("ENVIRONMENT", with: "Pendulum-v1") + small + "b") }
  }

  @Test func `a folder that exists and a run that is done are gone on with as advised, whatever the folder is called`()
    throws
  {
    let run = folder.path("it's a run")
    #expect(try Program.run(shortRun("td3", into: run, steps: 300)).status == 0)
    let exists = try advised(by: shortRun("td3", into: run, steps: 300))
    #expect(exists.count == 1)
    for line in exists { try type(line) }
    let done = try advised(by: ["resume", run])
    #expect(done.count == 1)
    for line in done { try type(line.replacing("--steps N", with: "--steps 320")) }
    #expect(try Program.run("inspect", run, "--json").json()["step"]?.number == 320)
  }

  @Test(arguments: [
    ["train", "sac", "Pendulun-v1"], ["train", "sac", "Pendulum-v1", "--option", "gravity=9"], ["trian"],
    ["train", "sac", "Pendulum-v1", "--stepz", "9"], ["train", "sac", "Pendulum-v1", "--set", "zzz=1"], ["evaluate"],
  ])
  func `what shows the names works`(arguments: [String]) throws {
    let lines = try advised(by: arguments)
    #expect(!lines.isEmpty)
    for line in lines { try type(line) }
  }

  @Test(arguments: [[], ["--set", "randomSteps=5", "--set", "updateEvery=900"]])
  func `a run that would learn nothing learns with what is advised`(more: [String]) throws {
    let few =
      ["train", "td3", "Pendulum-v1", "--steps", "600", "--evaluate-every", "0", "--set", "hiddenSizes=8"] + more
    let said = try Program.run(few, in: folder.url).errors
    let advice = try #require(said.firstMatch(of: /\((--set [^)]+)\)/)).1.split(separator: " ").map(String.init)
    #expect(try Program.run(few + advice, in: folder.url).status == 0)
  }
}
