import Foundation
import OffPolicy
import Testing

@Suite struct DoctorTests {
  @Test func `it tells the program's own file and what is missing`() throws {
    let report = try Program.run(["doctor", "--json"], environment: ["OFFPOLICY_MUJOCO": "/nonexistent"])
    #expect(report.status == 1)
    let json = try report.json()
    #expect(json["program"]?.string?.hasSuffix("/offpolicy") == true)
    #expect(json["mujoco"]?["faults"]?.array.first?.string?.contains("OFFPOLICY_MUJOCO is /nonexistent") == true)
    let text = try Program.run("doctor").output
    for word in ["program", "processor", "memory", "disk", "MuJoCo", "HDF5", "Python"] { #expect(text.contains(word)) }
  }

  @Test func `it measures the disk and leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    let disk = try Program.run(["doctor", "--json"], in: folder.url).json()["disk"]
    #expect((disk?["megabytesPerSecond"]?.number ?? 0) > 0 && (disk?["free"]?.number ?? 0) > 0)
    #expect(folder.contents == [])
  }

  @Test func `an interpreter that does not run, or that has no Gymnasium, is told with what to do`() throws {
    let folder = try TemporaryFolder()
    let missing = ["OFFPOLICY_PYTHON": folder.path("nowhere")]
    let python = try Program.run(["doctor", "--json"], environment: missing).json()["python"]
    #expect(python?["interpreter"] == nil)
    #expect(python?["faults"]?.array.first?.string?.contains("nowhere") == true)
    // one that answers as a Python without Gymnasium does
    let bare = folder.path("bare")
    try Data("#!/bin/sh\nprintf '/opt/bare\\n3.12.1\\n\\n'\n".utf8).write(to: URL(fileURLWithPath: bare))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bare)
    let answer = try Program.run(["doctor", "--json"], environment: ["OFFPOLICY_PYTHON": bare]).json()["python"]
    #expect(answer?["version"]?.string == "3.12.1" && answer?["gymnasium"] == nil)
    #expect(answer?["faults"]?.array.first?.string?.contains("/opt/bare -m pip install gymnasium") == true)
  }

  @Test(.enabled(if: EnvironmentCommandTests.hasLibrary))
  func `it names the library, and inspect the one that a run was made with`() throws {
    let library = try Program.run("doctor", "--json").json()["mujoco"]?["library"]?.string
    #expect(library?.hasSuffix("lib/libmujoco.so") == true || library?.hasSuffix("lib/libmujoco.dylib") == true)
    let folder = try TemporaryFolder()
    let run = [
      "train", "td3", "Swimmer-v5", "--steps", "60", "--set", "hiddenSizes=8", "--set", "randomSteps=50",
      "--evaluate-every", "0", "--run-directory", folder.path("run"),
    ]
    #expect(try Program.run(run).status == 0)
    let inspection = try Program.run("inspect", folder.path("run"), "--json").json()
    #expect(inspection["versions"]?["mujocoLibrary"]?.string == library)
  }

  @Test func `no code is taken from the current folder or above it`() throws {
    let folder = try TemporaryFolder()
    let name = EnvironmentCommandTests.hasLibrary ? "libmujoco.so" : "libmujoco"
    for place in [".deps/mujoco/lib", "a/b"] {
      try FileManager.default.createDirectory(atPath: folder.path(place), withIntermediateDirectories: true)
    }
    try Data("not a library".utf8).write(to: URL(fileURLWithPath: folder.path(".deps/mujoco/lib/\(name)")))
    for place in ["", "a/b"] {
      let report = try Program.run(["doctor", "--json"], in: URL(fileURLWithPath: folder.path(place))).json()
      #expect(report["mujoco"]?["library"]?.string?.hasPrefix(folder.url.path) != true)
      #expect(report["mujoco"]?["faults"]?.array.contains { $0.string?.contains(folder.url.path) == true } == false)
    }
  }
}
