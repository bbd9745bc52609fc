import OffPolicy
import Testing

@Suite(.serialized) struct BenchTests {
  func bench(_ more: String...) throws -> JSONValue {
    let result = try Program.run(["bench", "--json", "--seconds", "0.2", "--buffer", "20000"] + more)
    try #require(result.status == 0, "\(result.errors)")
    return try result.json()
  }

  @Test(arguments: AlgorithmRegistry.all.map(\.name), ["1", "2"])
  func `a benchmark has its keys, and an update allocates nothing`(algorithm: String, threads: String) throws {
    let result = try bench("--hidden", "32,32", "--algorithm", algorithm, "--threads", threads)
    for key in ["updatesPerSecond", "flopsPerUpdate", "peakGFLOPS", "fractionOfPeak"] {
      #expect((result[key]?.number ?? 0) > 0, "\(key)")
    }
    #expect(result["allocationsPerUpdate"]?.number == 0)
  }

  @Test func `the algorithm may be a word or a flag, and not both`() throws {
    #expect(try bench("ddpg", "--hidden", "32,32")["algorithm"]?.string == "ddpg")
    let twice = try Program.run("bench", "ddpg", "--algorithm", "td3")
    #expect(twice.status != 0 && twice.errors.contains("given twice"))
  }

  @Test(arguments: [["--hidden", "8", "--set", "hiddenSizes=16"], ["--batch", "8", "--set", "batchSize=16"]])
  func `a size is given by its option or by a setting, not by both`(arguments: [String]) throws {
    let result = try Program.run(["bench"] + arguments)
    #expect(result.status == 1 && result.errors.contains("\(arguments[0]) and --set"), "\(result.errors)")
  }

  @Test(arguments: AlgorithmRegistry.all.map(\.name))
  func `a schedule, Huber's loss and a bound of the gradients allocate nothing either`(algorithm: String) throws {
    let known = try AlgorithmRegistry.entry(algorithm).hyperparameters.map(\.name)
    // quantile critics have Huber's loss in any case
    let settings = ["learningRateSchedule.cosine.updates=1000", "huberThreshold=1", "maximumGradientNorm=0.5"]
      .filter { setting in known.contains { setting.hasPrefix($0) } }
    #expect(settings.count >= 2)
    let result = try Program.run(
      ["bench", "--json", "--seconds", "0.2", "--buffer", "20000", "--hidden", "32,32", "--algorithm", algorithm]
        + settings.flatMap { ["--set", $0] })
    try #require(result.status == 0, "\(result.errors)")
    #expect(try result.json()["allocationsPerUpdate"]?.number == 0)
  }

  @Test(arguments: [
    ("sac", 17, 6, 577), ("td3", 17, 6, 414), ("ddpg", 17, 6, 359), ("sac", 348, 17, 1080), ("td3", 348, 17, 796),
    ("ddpg", 348, 17, 676), ("sac", 11, 3, 561), ("td3", 11, 3, 403), ("ddpg", 11, 3, 350),
  ])
  func `an update's operations are the counted ones`(algorithm: String, s: Int, a: Int, expected: Double) throws {
    let result = try bench("--algorithm", algorithm, "--observations", "\(s)", "--actions", "\(a)", "--seconds", "0.02")
    #expect(abs((result["flopsPerUpdate"]?.number ?? 0) / 1e6 - expected) <= 0.6)
  }

  @Test func `the score function evaluates the critics for each of its draws, and allocates nothing either`() throws {
    let options = ["--hidden", "32,32", "--observations", "8", "--actions", "4", "--batch", "64"]
    func flops(_ gradient: String) throws -> Double {
      let arguments = [
        "bench", "--json", "--seconds", "0.1", "--buffer", "20000", "--set", "policyGradient\(gradient)",
      ]
      let result = try Program.run(arguments + options)
      try #require(result.status == 0, "\(result.errors)")
      #expect(try result.json()["allocationsPerUpdate"]?.number == 0)
      return try #require(try result.json()["flopsPerUpdate"]?.number)
    }
    // multiply-adds of one critic's forward pass, of its inputs' gradient
    let (forward, backward) = (12 * 32 + 32 * 32 + 32, 32 * 32 + 32 + 4 * 32)
    let difference = try flops(".scoreFunction.samples=6") - flops("=pathwise")
    #expect(difference == Double(2 * 64 * 2 * (6 * forward - forward - backward)))
  }

  @Test func `people read three lines`() throws {
    let result = try Program.run(
      "bench", "--seconds", "0.05", "--buffer", "2000", "--hidden", "16,16", "--batch", "32")
    #expect(result.status == 0 && result.output.split(separator: "\n").count == 3)
  }
}
