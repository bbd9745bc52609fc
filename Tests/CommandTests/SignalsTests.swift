import Foundation
import OffPolicy
import Testing

@Suite struct SignalsTests {
  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal saves the run within two seconds and says how to go on`(number: Int32, status: Int32) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("run")
    let result = try Program.run(
      shortRun("sac", into: path, steps: 1_000_000), in: folder.url,
      signal: (
        number,
        {
          let log = try? String(contentsOfFile: path + "/episodes.csv", encoding: .utf8)
          return (log?.split(separator: "\n").count ?? 0) > 3
        }
      ))
    #expect(result.status == status && result.seconds < 2)
    #expect(result.errorLines.last?.hasSuffix("everything saved; go on with: offpolicy resume run") == true)
    let inspection = try Program.run("inspect", path, "--json").json()
    #expect((inspection["step"]?.number ?? 0) >= 600 && inspection["digest"]?.string?.count == 16)
    #expect(try Program.run("evaluate", path, "--episodes", "1", "--json").status == 0)
  }

  @Test(arguments: [0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16])
  func `a signal at the start is never lost: there is no run, or one that can be resumed`(after seconds: Double) throws
  {
    let folder = try TemporaryFolder()
    let path = folder.path("run")
    let start = ContinuousClock.now
    let result = try Program.run(
      shortRun("td3", into: path, steps: 100_000_000),
      signal: (SIGTERM, { ContinuousClock.now - start > .seconds(seconds) })
    )
    #expect(result.status == 143 && result.seconds < 2)
    if FileManager.default.fileExists(atPath: path) {
      #expect(result.errors.contains("everything saved; go on with"))
      #expect(try Program.run("inspect", path, "--json").json()["digest"]?.string?.count == 16)
    }
  }

  /// The run that stopped is the run that did not, wherever it goes on: its products stay on the unit that they began on.
  @Test(arguments: ["wide", "matrix"]) func `a resumed run keeps to its own kernels`(kernels: String) throws {
    let folder = try TemporaryFolder()
    let began = ["OFFPOLICY_KERNELS": kernels]
    func train(_ name: String) -> [String] {
      shortRun("sac", into: folder.path(name), ["--set", "hiddenSizes=64,64", "--checkpoint-every", "300"])
    }
    func digest(_ name: String) throws -> String? {
      try Program.run("inspect", folder.path(name), "--json").json()["digest"]?.string
    }
    #expect(try Program.run(train("whole"), environment: began).status == 0)
    let log = folder.path("parts/episodes.csv")
    let stopped = try Program.run(
      train("parts"), environment: began,
      signal: (SIGINT, { ((try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").count ?? 0) > 3 })
    )
    #expect(stopped.status == 130 || stopped.status == 0)
    // as the processor would have it, if the run said nothing
    let resumed = try Program.run(["resume", folder.path("parts")], environment: ["OFFPOLICY_KERNELS": "matrix"])
    #expect(resumed.status == 0 && !resumed.errors.contains("matrix unit"))
    #expect(try digest("parts") != nil && digest("parts") == digest("whole"))
    if Processor.hasMatrixUnit {  // else the two could not be told apart
      let other = ["OFFPOLICY_KERNELS": kernels == "wide" ? "matrix" : "wide"]
      #expect(try Program.run(train("other"), environment: other).status == 0)
      #expect(try digest("other") != digest("whole"))
    }
  }

  @Test(.enabled(if: Processor.hasMatrixUnit)) func `a run whose unit is not there says so and goes on`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("run")
    let log = path + "/episodes.csv"
    let stopped = try Program.run(
      shortRun("sac", into: path, steps: 4000),
      signal: (SIGINT, { ((try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").count ?? 0) > 3 })
    )
    #expect(stopped.status == 130)
    let resumed = try Program.run(["resume", path], environment: ["OFFPOLICY_KERNELS": "wide"])
    #expect(resumed.status == 0 && resumed.errors.contains("this run began on a matrix unit (AMX), which is not here"))
  }
}
