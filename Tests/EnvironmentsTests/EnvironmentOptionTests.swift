import Environments
import Formats
import Testing

@Suite struct EnvironmentOptionTests {
  static let ids = ["Acrobot-v1", "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1"]

  @Test(arguments: ids, [0, 42, 123] as [UInt64])
  func `with options a task gives what Gymnasium's gives with these arguments`(id: String, seed: UInt64) throws {
    let recorded = try fixture("\(id)-options")
    var count = 0
    while let text = recorded.metadata["set_\(count)"] {
      let options = try JSONValue(text: text).decode(EnvironmentOptions.self)
      let environment = try EnvironmentRegistry.builtIn.entry(id).configured(options).make()
      // Acrobot's first observation is at times one unit off: see its deviations
      let tolerance: Float = id == "Acrobot-v1" ? 1e-6 : observationTolerance
      let difference = try firstDifference(
        of: environment, from: recorded, seed: seed, prefix: "set_\(count).", tolerance: tolerance)
      #expect(difference == nil, "\(options)")
      count += 1
    }
    #expect(count >= 1)
  }

  @Test(arguments: ids + ["MultiGoal-v0"]) func `a task declares its options with the defaults that it has`(id: String)
    throws
  {
    let entry = try EnvironmentRegistry.builtIn.entry(id)
    #expect(entry.options.last?.name == "max_episode_steps")
    #expect(entry.resolvedOptions["max_episode_steps"] == .number(Double(entry.maximumEpisodeSteps ?? -1)))
    #expect(entry.givenOptions.isEmpty)
    #expect(try entry.configured([:]).resolvedOptions == entry.resolvedOptions)
    #expect(EnvironmentChecker.check(try entry.configured(["max_episode_steps": 7]), steps: 30).isValid)
  }

  static let robot = EnvironmentEntry(
    id: "Robot-v0", summary: "",
    options: [
      .flag("sees", true, ""), .number("weight", 0.5, in: 0...Double.infinity, ""),
      .number("share", 0.5, in: 0...1, ""),
      .whole("skip", 4, in: 1...10, ""), .interval("heights", 0.5 ... .infinity, ""), .part("body", 1, of: 0...3, ""),
    ], observationSize: { $0.flag("sees") ? 3 : 2 }, actionSpace: .box(Box(low: -1, high: 1, count: 1)),
    maximumEpisodeSteps: 50
  ) { options in
    Swift.precondition(options.whole("skip") >= 1)
    return Pendulum()
  }

  @Test func `options change the entry's size and limit, and setting others starts from the defaults`() throws {
    let entry = try Self.robot.configured(["sees": false, "max_episode_steps": 9])
    #expect(entry.observationSize == 2 && entry.maximumEpisodeSteps == 9)
    #expect((try entry.make() as? TimeLimit)?.maximumEpisodeSteps == 9)
    #expect(
      entry.resolvedOptions.number("weight") == 0.5 && entry.resolvedOptions.interval("heights") == 0.5 ... .infinity)
    let other = try entry.configured(["weight": 2])
    #expect(other.observationSize == 3 && other.maximumEpisodeSteps == 50)
    #expect(try Self.robot.configured(["max_episode_steps": -1]).make() is Pendulum)
  }

  @Test(arguments: [
    ("weigth", #"Robot-v0 has no option "weigth": did you mean weight?"#),
    ("Sees", #"Robot-v0 has no option "Sees": did you mean sees?"#),
    ("gravity", #"Robot-v0 has no option "gravity""#),
    ("a\nb", #"Robot-v0 has no option "a\nb""#),
  ])
  func `an unknown option is one line, with the name that may be meant`(name: String, message: String) {
    var options = EnvironmentOptions()
    options[name] = 1
    let error = #expect(throws: EnvironmentOptionError.self) { try Self.robot.configured(options) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    ("sees", "1", "true or false"), ("sees", "yes", "true or false"), ("weight", "-0.1", "a number, at least 0"),
    ("weight", "inf", "a number, at least 0"), ("weight", "true", "a number, at least 0"),
    ("weight", "nan", "a number, at least 0"), ("weight", "", "a number, at least 0"),
    ("weight", "1,2", "a number, at least 0"), ("share", "1.5", "a number in [0,1]"),
    ("skip", "2.5", "a whole number in [1, 10]"), ("skip", "11", "a whole number in [1, 10]"),
    ("heights", "2", "two numbers, the lower first, such as -1,1"),
    ("heights", "2,1", "two numbers, the lower first, such as -1,1"),
    ("heights", "1,2,3", "two numbers, the lower first, such as -1,1"),
    ("body", "4", "a whole number in [0, 3], or a name"),
    ("max_episode_steps", "0", "a whole number, at least 1, or -1 for no limit"),
    ("max_episode_steps", "1e99", "a whole number, at least 1, or -1 for no limit"),
  ])
  func `a value that an option does not take is one line, with what it takes`(
    name: String, text: String, allowed: String
  ) {
    let options: EnvironmentOptions = {
      var options = EnvironmentOptions()
      options[name] = EnvironmentOptions.Value(text: text)
      return options
    }()
    let error = #expect(throws: EnvironmentOptionError.self) { try Self.robot.configured(options) }
    let value = EnvironmentOptions.Value(text: text).description
    #expect(
      error?.description == "the option \(name) of Robot-v0 cannot be \(value.debugDescription): it must be \(allowed)")
  }
}
