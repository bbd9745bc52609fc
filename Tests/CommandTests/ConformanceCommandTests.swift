import Foundation
import OffPolicy
import Testing

@Suite struct ConformanceCommandTests {
  static let folder = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/conformance")
  static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".case.safetensors") }.map { String($0.dropLast(".case.safetensors".count)) }.sorted()

  @Test func `the fixtures are there`() {
    #expect(Self.cases.count == 101)
    for algorithm in [
      "ddpg", "td3", "sac", "tqc", "redq", "crossq", "xqc", "dqn", "sac-discrete", "td3-bc", "fqe", "fqe-discrete",
    ] {
      #expect(Self.cases.contains { $0.hasPrefix(algorithm) })
    }
  }

  @Test(arguments: cases)
  func `updates agree with PyTorch in double precision, on one thread and on two`(name: String) throws {
    let out = try TemporaryFolder()
    for threads in [1, 2] {
      let result = try Program.run(
        "conformance", Self.folder.appendingPathComponent("\(name).case.safetensors").path, out.path("\(threads)"),
        "--threads", "\(threads)")
      try #require(result.status == 0, "\(result.errors)")
      #expect(result.output.isEmpty && result.errors.isEmpty)
    }
    #expect(
      try Data(contentsOf: out.url.appendingPathComponent("1")) == Data(contentsOf: out.url.appendingPathComponent("2"))
    )

    let actual = try SafeTensors(contentsOf: out.path("1"))
    let expected = try SafeTensors(contentsOf: Self.folder.appendingPathComponent("\(name).expected.safetensors").path)
    // the reference has no |Q − y| of each row
    #expect(actual.names.filter { $0 != "td_errors" } == expected.names)
    let updates = try expected.shape("critic_loss")[0]
    let tolerance = updates == 1 ? 1e-5 : 1e-4
    for tensor in expected.names {
      #expect(try actual.shape(tensor) == expected.shape(tensor))
      let isLoss = tensor.hasSuffix("_loss") || tensor == "temperature"
      var worst = 0.0
      for (own, theirs) in zip(try actual.doubles(tensor), try expected.doubles(tensor)) {
        // no policy step was taken
        if theirs.isNaN || own.isNaN {
          #expect(own.isNaN && theirs.isNaN, "\(tensor): \(own), expected \(theirs)")
        } else if own != theirs {
          worst = max(worst, abs(own - theirs) / (isLoss ? max(1, abs(theirs)) : 1))
        }
      }
      #expect(worst <= tolerance, "\(tensor) differs by \(worst)")
    }
  }
}
