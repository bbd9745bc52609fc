import Foundation
import OffPolicy
import Testing

@Suite struct InspectTests {
  @Test func `a run is shown with its digest, step and health`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("run")
    #expect(try Program.run(shortRun("td3", into: path)).status == 0)
    let json = try Program.run("inspect", path, "--json").json()
    #expect(json["digest"]?.string?.count == 16 && json["step"]?.number == 1500)
    #expect(json["episodes"]?.number == 7 && json["updates"]?.number == 1300)
    #expect(json["health"]?["status"]?.string == "ok" && json["health"]?["findings"]?.array.isEmpty == true)
    #expect(json["run"]?["environment"]?.string == "Pendulum-v1")
    #expect((json["bestReturn"]?.number ?? 1) >= (json["lastReturn"]?.number ?? 0))
    let text = try Program.run("inspect", path).output
    #expect(text.contains(json["digest"]?.string ?? "?") && text.contains("step 1,500 of 1,500"))
  }
}
