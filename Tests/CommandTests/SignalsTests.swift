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
}
