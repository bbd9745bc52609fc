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

  @Test func `a file of another program is refused`() throws {
    #expect(
      try refusal(file.changed(metadata: ["format": nil]))
        == "\(path) is not a policy of this program; expected a policy.safetensors that `offpolicy train` wrote")
    #expect(try refusal(SafeTensors()).contains("is not a policy of this program"))
  }

  @Test func `a file of another version is refused with both versions`() throws {
    #expect(try refusal(file.changed(metadata: ["version": "2"])).contains("has policy format 2, this program reads 1"))
    #expect(try refusal(file.changed(metadata: ["version": nil])).contains("has policy format unknown"))
  }

  @Test(arguments: ["algorithm", "environment", "observationSize", "hiddenSizes", "step", "digest"])
  func `a file that lacks a description is refused with its name`(key: String) throws {
    #expect(try refusal(file.changed(metadata: [key: nil])).contains("does not say its \(key)"))
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

  @Test func `a file that is not there is named`() throws {
    #expect(try refusal().contains(path))
  }
}
