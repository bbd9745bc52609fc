import OffPolicy
import Testing

@testable import Export

@Suite struct SB3ArgumentsTests {
  private func data(_ name: String, _ more: [String: JSONValue]) throws -> JSONValue {
    SB3Arguments(try SB3ModelTests.model(name, more: more)).json
  }

  private func cadence(_ every: Double, _ updates: Double) throws -> [JSONValue?] {
    let data = try data("ddpg", ["updateEvery": .number(every), "updatesPerStep": .number(updates)])
    return [data["train_freq"], data["gradient_steps"]]
  }

  @Test func `updates follow as many steps as here`() throws {
    #expect(try cadence(1, 1) == [.number(1), .number(1)])
    #expect(try cadence(1, 0.25) == [.number(4), .number(1)])
    #expect(try cadence(50, 1) == [.number(50), .number(50)])
    #expect(try cadence(10, 0.2) == [.number(10), .number(2)])
    #expect(try cadence(1, 4) == [.number(1), .number(4)])
  }

  @Test func `targets follow by a share, or are copied at an interval where there is one`() throws {
    let hard = JSONValue.object(["hard": .object(["every": .number(100)])])
    let soft = JSONValue.object(["soft": .object(["rate": .number(0.02)])])
    #expect(try data("sac", ["targetTracking": soft])["tau"] == .number(0.02))
    #expect(try data("sac", ["targetTracking": hard])["target_update_interval"] == .number(100))
    #expect(try data("sac", ["targetTracking": hard])["tau"] == .number(1))
    #expect(try data("td3", ["targetTracking": hard])["tau"] == .number(0.01))
    #expect(try data("dqn", ["targetTracking": hard])["target_update_interval"] == .number(400))
  }

  @Test func `the temperature is a number, or learned from some number`() throws {
    func temperature(_ value: JSONValue) throws -> JSONValue? { try data("sac", ["temperature": value])["ent_coef"] }
    #expect(try temperature(.object(["fixed": .object(["value": .number(0.3)])])) == .number(0.3))
    #expect(try temperature(.object(["learned": .object(["initial": .number(1)])])) == .string("auto"))
    #expect(try temperature(.object(["learned": .object(["initial": .number(0.1)])])) == .string("auto_0.1"))
    #expect(try data("sac", ["targetEntropy": .number(-1.5)])["target_entropy"] == .number(-1.5))
  }

  @Test func `a seed that NumPy does not take is left out`() throws {
    var run = try SB3ModelTests.run("ddpg")
    run.seed = 1 << 40
    let model = try SB3Model(
      run, SB3ModelTests.state("ddpg"), SB3ModelTests.policy("ddpg"), isOwn: true, observations: nil)
    #expect(SB3Arguments(model).json["seed"] == .null)
    #expect(try data("ddpg", [:])["seed"] == .number(3))
  }
}
