import Foundation
import OffPolicy
import Testing

@Suite struct PolicyFileTests {
  let folder: TemporaryFolder
  let file: SafeTensors
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    let trainer = try makeTrainer("sac", steps: 60, set: ["hiddenSizes=5,4"], environment: pendulum)
    try trainer.train()
    file = trainer.policyFile()
    path = folder.path("policy.safetensors")
  }

  /// What loading a file says.
  func refusal(_ file: SafeTensors) throws -> String {
    try file.write(to: path)
    return try refusal()
  }

  func refusal() throws -> String {
    let error = #expect(throws: (any Error).self) { try PolicyFile.load(path) }
    let text = error.map { "\($0)" } ?? ""
    #expect(!text.contains("\n"))
    return text
  }

  @Test(arguments: algorithmNames)
  func `a file says what it was trained by and on, and holds the policy alone`(algorithm: String) throws {
    let trainer = try makeTrainer(algorithm, steps: 60, set: ["hiddenSizes=5,4,3"], environment: pendulum)
    try trainer.train()
    try trainer.policyFile().write(to: path)
    let description = try PolicyFile.load(path).description
    #expect(description.algorithm == algorithm && description.environment == "Probe-v0" && description.step == 60)
    #expect(description.observationSize == 3 && description.hiddenSizes == [5, 4, 3])
    #expect(description.actionLow == [-2] && description.actionHigh == [2])
    let names = try SafeTensors(contentsOf: path).names
    #expect(names.allSatisfy { $0.hasPrefix("policy.") || $0.hasPrefix("action.") })
  }

  @Test func `a file keeps the options of its task, and says nothing of them where none were set`() throws {
    #expect(file.metadata["environmentOptions"] == nil)
    try file.write(to: path)
    #expect(try PolicyFile.load(path).description.environmentOptions.isEmpty)
    let options: EnvironmentOptions = ["healthy_z_range": [0.7, .infinity], "terminate_when_unhealthy": false]
    var description = try PolicyFile.load(path).description
    description.environmentOptions = options
    let tensors = try PolicyFile.load(path).tensors
    try PolicyFile.encode(tensors, description).write(to: path)
    #expect(try PolicyFile.load(path).description.environmentOptions == options)
    for text in ["", "[1]", "{", #"{"g":null}"#] {
      let message = try refusal(file.changed(metadata: ["environmentOptions": text]))
      #expect(message.contains("has environmentOptions that are no options"))
    }
  }

  @Test(arguments: Activation.allCases)
  func `a file keeps the activation of its hidden layers, in a format that older programs refuse`(
    activation: Activation
  ) throws {
    let trainer = try makeTrainer(
      "sac", steps: 60, set: ["hiddenSizes=5,4", "policyActivation=\(activation.name)"], environment: pendulum)
    try trainer.train()
    let file = trainer.policyFile()
    #expect(file.metadata["activation"] == (activation == .relu ? nil : activation.name))
    #expect(file.metadata["version"] == (activation == .relu ? "1" : "3"))
    try file.write(to: path)
    let policy = try PolicyFile.load(path)
    #expect(policy.description.activation == activation)
    // it acts as the learner does, and as no policy with another activation
    let observation: [Float] = [0.3, -0.7, 2]
    func action(_ policy: Policy) -> Float {
      var action: [Float] = [0]
      var span = action.mutableSpan
      policy.act(observation.span, into: &span)
      return action[0]
    }
    var own: [Float] = [0]
    var span = own.mutableSpan
    trainer.algorithm.act(observation.span, explore: false, into: &span)
    trainer.scaling.denormalize(&span)
    #expect(action(policy) == own[0])
    for other in Activation.allCases where other != activation {
      let name = other == .relu ? nil : other.name
      try file.changed(metadata: ["activation": name, "version": name == nil ? "1" : "3", "digest": nil]).write(
        to: path)
      #expect(action(try PolicyFile.load(path)) != own[0], "\(other)")
    }
  }

  @Test func `a file of an unknown activation is refused, and one of format 3 that does not say it`() throws {
    #expect(
      try refusal(file.changed(metadata: ["activation": "gelu", "version": "3", "digest": nil]))
        .contains("has hidden layers with the activation \"gelu\", this program knows relu, tanh, elu, silu"))
    #expect(
      try refusal(file.changed(metadata: ["version": "3", "digest": nil])).contains("does not say its activation"))
  }

  @Test func `a file of another program is refused`() throws {
    #expect(
      try refusal(file.changed(metadata: ["format": nil]))
        == "\(path) is not a policy of this program; a policy is a file such as a run's policy.safetensors")
    #expect(try refusal(SafeTensors()).contains("is not a policy of this program"))
  }

  @Test func `a file of another version is refused with both versions`() throws {
    #expect(
      try refusal(file.changed(metadata: ["version": "4"])).contains("has policy format 4, this program reads 1 to 3"))
    #expect(try refusal(file.changed(metadata: ["version": nil])).contains("has policy format unknown"))
  }

  @Test(arguments: ["algorithm", "environment", "observationSize", "hiddenSizes", "step", "digest"])
  func `a file of somebody else's need not say what its tensors show, nor have a digest`(key: String) throws {
    try file.write(to: path)
    let original = try PolicyFile.load(path)
    var missing: [String: String?] = ["digest": nil]
    missing.updateValue(nil, forKey: key)
    try file.changed(metadata: missing).write(to: path)
    let policy = try PolicyFile.load(path)
    #expect(policy.description.hiddenSizes == original.description.hiddenSizes)
    #expect(policy.description.observationSize == original.description.observationSize)
    #expect(policy.tensors == original.tensors)
    // an edited one says what to do
    if key != "digest" {
      #expect(
        try refusal(file.changed(metadata: [key: nil])).contains("or was edited, so remove digest from its metadata"))
    }
  }

  @Test(arguments: [
    ("observationSize", "0"), ("observationSize", "-3"), ("observationSize", "three"),
    ("observationSize", "9223372036854775807"), ("hiddenSizes", ""), ("hiddenSizes", "5,x"), ("hiddenSizes", "5,-4"),
    ("hiddenSizes", "5,99999999"),
  ])
  func `impossible sizes are refused before anything is made`(key: String, value: String) throws {
    #expect(try refusal(file.changed(metadata: [key: value])).contains("gives impossible sizes"))
  }

  @Test(arguments: [("hiddenSizes", "5,5"), ("hiddenSizes", "5"), ("hiddenSizes", "5,4,3"), ("observationSize", "4")])
  func `sizes that the weights do not have are refused`(key: String, value: String) throws {
    #expect(try refusal(file.changed(metadata: [key: value])).contains("policy."))
  }

  @Test func `sizes far beyond the weights are refused without taking memory for them`() throws {
    let huge = Array(repeating: "16384", count: 64).joined(separator: ",")
    #expect(try refusal(file.changed(metadata: ["hiddenSizes": huge])).contains("policy.layer.0"))
  }

  @Test(arguments: [[.nan], [.infinity], [1, 2], []] as [[Float]])
  func `impossible action bounds are refused`(low: [Float]) throws {
    let changed = try file.changed(floats: ["action.low": ([low.count], low)])
    #expect(try refusal(changed).contains("gives impossible action bounds"))
    #expect(try refusal(file.changed(floats: ["action.low": ([1], [3])])).contains("gives impossible action bounds"))
  }

  @Test func `a weight that is missing, misshapen or not finite is refused`() throws {
    let name = "policy.layer.1.weight"
    #expect(try refusal(file.changed(without: [name])).contains("policy.layer.1.weight"))
    let (shape, values) = (try file.shape(name), try file.floats(name))
    #expect(try refusal(file.changed(floats: [name: (shape.reversed(), values)])).contains("of shape [5, 4]"))
    var broken = values
    broken[7] = .nan
    #expect(try refusal(file.changed(floats: [name: (shape, broken)])).contains("holds a weight that is not finite"))
  }

  @Test func `every file that was cut off is refused`() throws {
    let bytes = file.encoded()
    for count in stride(from: 0, to: bytes.count, by: 7) {
      try Data(bytes.prefix(count)).write(to: URL(fileURLWithPath: path))
      #expect(try !refusal().isEmpty)
    }
  }

  @Test func `every file with a flipped bit is refused`() throws {
    let bytes = file.encoded()
    var accepted: [String] = []
    for index in bytes.indices {
      let bit = (index + index / 8) % 8
      var flipped = bytes
      flipped[index] ^= 1 << bit
      try Data(flipped).write(to: URL(fileURLWithPath: path))
      if (try? PolicyFile.load(path)) != nil { accepted.append("byte \(index), bit \(bit)") }
    }
    #expect(accepted.isEmpty)
  }

  /// The same policy with a normaliser, as its file.
  func normalized(_ normalization: ObservationNormalization) throws -> SafeTensors {
    try file.write(to: path)
    let policy = try PolicyFile.load(path)
    var description = policy.description
    description.normalization = normalization
    return PolicyFile.encode(policy.tensors, description)
  }

  static let example = ObservationNormalization(mean: [1, -2, 1e5], scale: [0.5, 3, 1e-4], clip: 10)

  @Test(arguments: [Float?.none, 10, 0.25])
  func `a normaliser is kept to the bit, and the policy acts by it`(clip: Float?) throws {
    let normalization = ObservationNormalization(mean: Self.example.mean, scale: Self.example.scale, clip: clip)
    try file.write(to: path)
    let plain = try PolicyFile.load(path)
    let written = try normalized(normalization)
    #expect(written.metadata["version"] == "2" && written.metadata["normalizerClip"] == clip.map { "\($0)" })
    try written.write(to: path)
    let policy = try PolicyFile.load(path)
    #expect(policy.description.normalization == normalization)
    for observation in [[0, 0, 0], [1, -2, 1e5], [1.2, 5, 1e5 + 0.0078125]] as [[Float]] {
      var (state, expected, action): ([Float], [Float], [Float]) = (observation, [0], [0])
      normalization.apply(to: &state)
      var span = expected.mutableSpan
      plain.act(state.span, into: &span)
      var actionSpan = action.mutableSpan
      policy.act(observation.span, into: &actionSpan)
      #expect(action == expected, "\(observation)")
    }
  }

  @Test func `a file without a normaliser says nothing of one and stays of version 1`() {
    #expect(file.metadata["version"] == "1" && file.metadata["normalizerClip"] == nil)
    #expect(file.metadata["rewardDivisor"] == nil)
    #expect(!file.names.contains { $0.hasPrefix("normalizer.") })
  }

  @Test func `a normaliser that is incomplete, misshapen or impossible is refused`() throws {
    let whole = try normalized(Self.example)
    for name in ["normalizer.mean", "normalizer.scale"] {
      #expect(try refusal(whole.changed(without: [name])).contains(name))
      #expect(try refusal(whole.changed(floats: [name: ([2], [1, 1])])).contains("has \(name) of shape [2]"))
    }
    #expect(try refusal(whole.changed(without: ["normalizer.mean", "normalizer.scale"])).contains("normalizer.mean"))
    for scale in [0, -1, .nan, .infinity] as [Float] {
      #expect(
        try refusal(whole.changed(floats: ["normalizer.scale": ([3], [1, 1, scale])]))
          .contains("gives an impossible mean, scale or clip"))
    }
    for clip in ["0", "-3", "ten", "nan"] {
      #expect(try refusal(whole.changed(metadata: ["normalizerClip": clip])).contains("gives an impossible mean"))
    }
    #expect(try refusal(whole.changed(metadata: ["normalizerClip": "9"])).contains("does not match its digest"))
    #expect(
      try refusal(whole.changed(floats: ["normalizer.mean": ([3], [1, -2, 1e4])])).contains("does not match its digest")
    )
  }

  @Test func `the temperature against unscaled rewards is α times what rewards were divided by`() throws {
    try file.write(to: path)
    let policy = try PolicyFile.load(path)
    let temperature = try #require(policy.description.temperature)
    #expect(policy.description.unscaledTemperature == temperature)
    var description = policy.description
    description.rewardDivisor = 8
    let alpha = Tensor(name: "log_temperature", shape: [1], values: [Float(log(temperature))])
    try PolicyFile.encode(policy.tensors + [alpha], description).write(to: path)
    let scaled = try PolicyFile.load(path).description
    #expect(scaled.rewardDivisor == 8 && abs(scaled.unscaledTemperature! / temperature - 8) < 1e-5)
  }

  @Test func `a file that is not there is named`() throws {
    #expect(try refusal().contains(path))
  }
}
