import Algorithms
import Formats
import Foundation
import Testing

@Suite struct AlgorithmConfigurationTests {
  // MARK: the table and the struct

  private func members(_ value: JSONValue) throws -> [String: JSONValue] {
    guard case .object(let members) = value else { throw ConfigurationError.malformed("no object") }
    return members
  }

  private func expectTableMatches<C: AlgorithmConfiguration>(_ configuration: C) throws {
    let names = C.hyperparameters.map(\.name)
    #expect(names == Mirror(reflecting: configuration).children.map { $0.label ?? "" })
    let encoded = try members(JSONValue(encoding: configuration))
    #expect(Set(encoded.keys) == Set(names))
    for hyperparameter in C.hyperparameters {
      #expect(!hyperparameter.summary.isEmpty && !hyperparameter.source.isEmpty, "\(hyperparameter.name)")
    }
  }

  @Test func `the table has every property of the struct, in its order, and nothing else`() throws {
    // a null is not encoded, so give it a value
    let values = ["huberThreshold=1", "maximumGradientNorm=1", "returnBound=5"]
    let sizes = ["policyHiddenSizes=1", "criticHiddenSizes=1"]
    try expectTableMatches(SAC.Configuration().setting(values + sizes + ["targetEntropy=-1"]))
    try expectTableMatches(TD3.Configuration().setting(values + sizes))
    try expectTableMatches(DDPG.Configuration().setting(values + sizes))
    try expectTableMatches(TD3BC.Configuration().setting(values.dropLast() + sizes))
    try expectTableMatches(DiscreteSAC.Configuration().setting(values + sizes))
    try expectTableMatches(DQN.Configuration().setting(values))
    try expectTableMatches(FittedQEvaluation.Configuration().setting(Array(values.dropLast())))
  }

  @Test(arguments: AlgorithmRegistry.all.filter { $0.source == .task }.map(\.name))
  func `whatever learns in an environment can normalise observations and scale rewards, and only XQC does by default`(
    algorithm: String
  ) throws {
    let defaults = try AlgorithmRegistry.entry(algorithm).defaults
    #expect(!defaults.normalizeObservations && defaults.returnBound == nil)
    #expect(defaults.scaleRewards == (algorithm == "xqc"))
    let set = try defaults.setting(["normalizeObservations=true", "scaleRewards=true", "returnBound=5"])
    #expect(set.normalizeObservations && set.scaleRewards && set.returnBound == 5)
    #expect(try AlgorithmRegistry.entry(algorithm).configuration(set.values).returnBound == 5)
    #expect(try set.setting(["returnBound=null"]).returnBound == nil)
    for wrong in ["normalizeObservations=1", "scaleRewards=yes", "returnBound=0", "returnBound=-1"] {
      #expect(throws: ConfigurationError.self) { try defaults.setting([wrong]) }
    }
  }

  private func expectDefaultsInRange<C: AlgorithmConfiguration>(_ type: C.Type) throws {
    let defaults = C()
    #expect(try C(defaults.values) == defaults)
    #expect(try C(.object([:])) == defaults)
    let members = try members(defaults.values)
    #expect(members.count == C.hyperparameters.count)
    for (key, value) in members { #expect(try defaults.setting(["\(key)=\(value.text())"]) == defaults, "\(key)") }
  }

  @Test func `every default is within its own range, and survives a round trip`() throws {
    try expectDefaultsInRange(SAC.Configuration.self)
    try expectDefaultsInRange(TD3.Configuration.self)
    try expectDefaultsInRange(DDPG.Configuration.self)
    try expectDefaultsInRange(TD3BC.Configuration.self)
    try expectDefaultsInRange(DiscreteSAC.Configuration.self)
    try expectDefaultsInRange(DQN.Configuration.self)
    try expectDefaultsInRange(FittedQEvaluation.Configuration.self)
  }

  // MARK: JSON

  @Test func `cases read as objects of one key`() throws {
    func text(_ value: some Encodable) throws -> String { try JSONValue(encoding: value).text() }
    #expect(try text(TargetTracking.soft(rate: 0.005)) == #"{"soft":{"rate":0.005}}"#)
    #expect(try text(TargetTracking.hard(every: 1000)) == #"{"hard":{"every":1000}}"#)
    #expect(try text(Temperature.learned(initial: 1)) == #"{"learned":{"initial":1}}"#)
    #expect(try text(Temperature.fixed(value: 0.2)) == #"{"fixed":{"value":0.2}}"#)
    #expect(
      try text(ExplorationNoise.gaussian(standardDeviation: 0.1)) == #"{"gaussian":{"standardDeviation":0.1}}"#)
  }

  @Test func `the default configuration of SAC as JSON`() {
    #expect(
      SAC.Configuration().values.text() == """
        {"adamBeta1":0.9,"adamBeta2":0.999,"adamEpsilon":1e-08,"batchSize":256,"bufferCapacity":1000000,\
        "criticActivation":{"relu":{}},"criticHiddenSizes":null,"criticLearningRate":0.0003,\
        "criticNormalization":{"none":{}},"discount":0.99,"hiddenSizes":[256,256],\
        "huberThreshold":null,"learningRateSchedule":{"constant":{}},"maximumGradientNorm":null,\
        "nSteps":1,"normalizeObservations":false,"policyActivation":{"relu":{}},"policyGradient":{"pathwise":{}},"policyHiddenSizes":null,\
        "policyLearningRate":0.0003,"randomSteps":10000,"returnBound":null,"sampler":{"uniform":{}},\
        "scaleRewards":false,"targetEntropy":null,\
        "targetTracking":{"soft":{"rate":0.005}},\
        "temperature":{"learned":{"initial":1}},"temperatureLearningRate":0.0003,"updateEvery":1,"updatesPerStep":1}
        """)
  }

  @Test func `a configuration that was changed survives a round trip`() throws {
    let changed = try SAC.Configuration().setting([
      "discount=0.123", "targetTracking.hard.every=7", "batchSize=3", "hiddenSizes=1,2,3", "policyLearningRate=1e-7",
      "temperature.fixed.value=0.2", "targetEntropy=-3.25", "bufferCapacity=17", "updatesPerStep=4",
      "policyGradient.scoreFunction.samples=16", "policyHiddenSizes=4", "learningRateSchedule.cosine.final=0.1",
      "maximumGradientNorm=10", "adamEpsilon=1e-5",
    ])
    #expect(try SAC.Configuration(try JSONValue(text: changed.values.text())) == changed)
    let noisy = try TD3.Configuration().setting([
      #"explorationNoise={"ornsteinUhlenbeck":{"stiffness":0.15,"standardDeviation":0.2,"timestep":0.01}}"#
    ])
    #expect(try TD3.Configuration(noisy.values) == noisy && noisy != TD3.Configuration())
  }

  @Test func `keys that are missing take their defaults`() throws {
    var expected = SAC.Configuration()
    (expected.discount, expected.targetTracking) = (0.5, .hard(every: 9))
    #expect(
      try SAC.Configuration(try JSONValue(text: #"{"discount": 0.5, "targetTracking": {"hard": {"every": 9}}}"#))
        == expected)
  }

  // MARK: settings

  @Test func `a setting may reach into a case, or be JSON, or numbers with commas`() throws {
    let start = SAC.Configuration()
    #expect(try start.setting(["temperature.fixed.value=0.2"]).temperature == .fixed(value: 0.2))
    #expect(try start.setting(["temperature.learned.initial=0.1"]).temperature == .learned(initial: 0.1))
    #expect(try start.setting([#"temperature.fixed={"value":0.2}"#]).temperature == .fixed(value: 0.2))
    #expect(try start.setting([#"targetTracking={"hard":{"every":1000}}"#]).targetTracking == .hard(every: 1000))
    #expect(try start.setting(["targetTracking.soft.rate=1"]).targetTracking == .soft(rate: 1))
    #expect(try start.setting(["policyGradient.scoreFunction.samples=8"]).policyGradient == .scoreFunction(samples: 8))
    for text in ["policyGradient=pathwise", #"policyGradient={"pathwise":{}}"#, "policyGradient.pathwise={}"] {
      let settings = ["policyGradient.scoreFunction.samples=8", text]
      #expect(try start.setting(settings).policyGradient == .pathwise)
    }
    #expect(try start.setting(["hiddenSizes=64,64"]).hiddenSizes == [64, 64])
    #expect(try start.setting(["hiddenSizes=64"]).hiddenSizes == [64])
    #expect(try start.setting(["hiddenSizes=[64, 32]"]).hiddenSizes == [64, 32])
    #expect(try start.setting(["targetEntropy=-3"]).targetEntropy == -3)
    #expect(try start.setting(["targetEntropy=-3", "targetEntropy=null"]).targetEntropy == nil)
    #expect(try start.setting(["batchSize=1e3"]).batchSize == 1000)
    #expect(try start.setting([]) == start)
    #expect(try start.setting(["discount=0.5", "discount=0.75"]).discount == 0.75, "the last one counts")
  }

  @Test func `what the training loop reads is what was set`() throws {
    let configuration = try DDPG.Configuration().setting([
      "batchSize=1", "bufferCapacity=2", "randomSteps=0", "updateEvery=4", "updatesPerStep=5",
    ])
    #expect(configuration.batchSize == 1 && configuration.bufferCapacity == 2 && configuration.randomSteps == 0)
    #expect(configuration.updateEvery == 4 && configuration.updatesPerStep == 5)
  }

  // MARK: errors

  private func refusal(_ assignment: String) -> String {
    do {
      _ = try SAC.Configuration().setting([assignment])
      return "accepted"
    } catch {
      return error is ConfigurationError ? "\(error)" : "another error: \(error)"
    }
  }

  @Test func `an unknown key is refused with the nearest name`() throws {
    #expect(
      refusal("discont=0.9")
        == #"there is no hyperparameter "discont": did you mean discount?"#)
    #expect(
      refusal("reward=0.9") == #"there is no hyperparameter "reward""#)
    #expect(
      refusal("gamma=0.9")
        == #"there is no hyperparameter "gamma": did you mean discount?"#)
    #expect(refusal("HiddenSizes=4").contains("did you mean hiddenSizes?"))
    #expect(refusal("policyDelay=2").hasPrefix(#"there is no hyperparameter "policyDelay""#), "TD3's, not SAC's")
    let error = #expect(throws: ConfigurationError.self) {
      try SAC.Configuration(try JSONValue(text: #"{"discount": 0.9, "batchsize": 3}"#))
    }
    #expect(error == .unknownKey("batchsize", meant: ["batchSize"]))
  }

  @Test func `a value out of its range is refused with the range`() {
    #expect(refusal("discount=1.5") == "discount cannot be 1.5: it must be [0, 1]")
    #expect(refusal("discount=-0.1") == "discount cannot be -0.1: it must be [0, 1]")
    #expect(refusal("policyLearningRate=0") == "policyLearningRate cannot be 0: it must be (0, 1]")
    #expect(refusal("batchSize=0") == "batchSize cannot be 0: it must be a whole number in [1, 65536]")
    #expect(refusal("batchSize=2.5") == "batchSize cannot be 2.5: it must be a whole number in [1, 65536]")
    #expect(refusal("hiddenSizes=64,0") == "hiddenSizes cannot be [64,0]: it must be whole numbers in [1, 16384]")
    #expect(refusal("hiddenSizes=").hasSuffix("it must be whole numbers in [1, 16384]"))
    #expect(
      refusal("targetTracking.soft.rate=0")
        == #"targetTracking cannot be {"soft":{"rate":0}}: it must be hard.every: a whole number in [1, 1000000000], "#
        + "soft.rate in (0, 1]; such as targetTracking.soft.rate=0.01")
    #expect(
      refusal("policyGradient.scoreFunction.samples=1")
        == #"policyGradient cannot be {"scoreFunction":{"samples":1}}: it must be pathwise, "#
        + "scoreFunction.samples: a whole number in [2, 256]; such as policyGradient.scoreFunction.samples=2")
    #expect(refusal("targetEntropy=low") == "targetEntropy cannot be low: it must be (−∞, ∞) or null")
  }

  @Test func `a bare number is the case that it means, and digits may be grouped`() throws {
    func sac(_ setting: String) throws -> SAC.Configuration { try SAC.Configuration().setting([setting]) }
    #expect(try sac("temperature=0.2").temperature == .fixed(value: 0.2))
    #expect(try sac("temperature=learned").temperature == .learned(initial: 1))
    #expect(try sac("targetTracking=0.01").targetTracking == .soft(rate: 0.01))
    #expect(try sac("bufferCapacity=200_000").bufferCapacity == 200_000)
    #expect(try sac("bufferCapacity=1e5").bufferCapacity == 100_000)
    #expect(
      try TD3.Configuration().setting(["explorationNoise=0.3"]).explorationNoise == .gaussian(standardDeviation: 0.3))
  }

  @Test func `nothing but a value of the right kind is accepted`() {
    for assignment in [
      "discount=true", "discount=null", "discount=\"0.9\"", "discount=[0.9]", "discount={}", "discount=",
      "discount=nan",
      "discount=1e999", "discount.soft.rate=1", "discount.=1", "discount..=1", "discount.={}", "hiddenSizes=[]",
      "hiddenSizes=[[1]]", "hiddenSizes=1,,2", "hiddenSizes=1;2", "hiddenSizes=1e10", "batchSize=1e10",
      "bufferCapacity=0", "temperature=-1", "temperature=auto", "temperature.fixed=1", "temperature.fixed.initial=1",
      "temperature.fixed.value=-1", "temperature.learned.initial=0", "temperature.value=1",
      "temperature.fixed.value.x=1", #"temperature={"fixed":{"value":1},"learned":{"initial":1}}"#,
      #"temperature={"fixed":{"value":1,"initial":1}}"#, #"temperature={"fixed":{}}"#, "temperature={}",
      #"targetTracking={"hard":{"every":0.5}}"#, "targetTracking.hard.every=true",
      "policyGradient=score", "policyGradient=scoreFunction", "policyGradient=1", "policyGradient.pathwise=1",
      "policyGradient.scoreFunction={}", "policyGradient.scoreFunction.samples=2.5", "policyGradient=",
      "policyGradient.scoreFunction.samples=257", #"policyGradient={"pathwise":{"samples":2}}"#,
      // numbers that a Float does not hold, or only as what is excluded
      "temperature.learned.initial=1e300", "temperature.learned.initial=1e-300", "targetEntropy=1e300",
      "policyLearningRate=1e-300", "targetTracking.soft.rate=1e-60",
    ] {
      let text = refusal(assignment)
      #expect(text.contains("it must be "), "\(assignment): \(text)")
      #expect(!text.contains("\n"), "\(assignment): \(text)")
    }
    for assignment in ["discount", "=1", ""] {
      #expect(refusal(assignment) == "\(assignment.debugDescription) is not key=value, such as discount=0.98")
    }
    #expect(throws: ConfigurationError.malformed("a configuration is a JSON object, not [1]")) {
      try SAC.Configuration(.array([.number(1)]))
    }
  }

  // MARK: target tracking

  @Test func `soft targets move at every delay-th update by the rate, hard ones at every n-th wholly`() {
    let (soft, hard) = (TargetTracking.soft(rate: 0.1), TargetTracking.hard(every: 3))
    #expect((1...6).map { soft.rate(atUpdate: $0) } == [0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    #expect((1...6).map { soft.rate(atUpdate: $0, delay: 2) } == [nil, 0.1, nil, 0.1, nil, 0.1])
    #expect((1...6).map { hard.rate(atUpdate: $0, delay: 2) } == [nil, nil, 1, nil, nil, 1])
  }
}
