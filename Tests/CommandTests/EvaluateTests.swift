import Foundation
import OffPolicy
import Testing

@Suite struct EvaluateTests {
  @Test func `an evaluation is deterministic, of a run or of its policy file`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("run")
    #expect(try Program.run(shortRun("sac", into: path)).status == 0)
    let ofRun = try Program.run("evaluate", path, "--episodes", "3", "--json")
    let json = try ofRun.json()
    #expect(json["episodes"]?.number == 3 && json["environment"]?.string == "Pendulum-v1")
    let returns = (json["returns"]?.array ?? []).compactMap(\.number)
    let mean = returns.reduce(0, +) / 3
    let deviation = (returns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3).squareRoot()
    #expect(returns.count == 3 && abs((json["returnMean"]?.number ?? 0) - mean) < 1e-9)
    #expect(abs((json["returnSd"]?.number ?? 0) - deviation) < 1e-9 && deviation > 0)
    #expect(json["returnMin"]?.number == returns.min() && json["returnMax"]?.number == returns.max())
    #expect(json["step"]?.number == 1500)

    let ofFile = try Program.run("evaluate", path + "/policy.safetensors", "--episodes", "3", "--json")
    #expect(ofFile.output == ofRun.output)
    let others = try Program.run("evaluate", path, "--episodes", "3", "--seed", "5", "--json").json()
    #expect(others["returns"] != json["returns"])
    let best = try Program.run("evaluate", path, "--best", "--episodes", "1", "--json")
    #expect(best.status == 0)
    let text = try Program.run("evaluate", path, "--episodes", "2").output
    #expect(text.contains("return") && text.contains("±"))
  }

  @Test func `a policy of other sizes than the task is refused`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("run")
    #expect(try Program.run(shortRun("ddpg", into: path, steps: 100)).status == 0)
    let result = try Program.run("evaluate", path, "--environment", "MountainCarContinuous-v0")
    #expect(result.status == 1 && result.errorLines.count == 1)
    #expect(result.errors.contains("takes 3 observations and gives 1 actions; MountainCarContinuous-v0 has 2 and 1"))
  }
}
