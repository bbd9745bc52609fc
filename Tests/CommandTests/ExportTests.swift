import Foundation
import OffPolicy
import Testing

@Suite struct ExportTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func refusal(_ arguments: String...) throws -> String {
    let before = folder.contents
    let result = try Program.run(["export"] + arguments, in: folder.url)
    #expect(result.status != 0 && result.errorLines.count == 1 && result.output.isEmpty, "\(result.errors)")
    #expect(folder.contents == before)
    return result.errors
  }

  @Test func `every format is written from a run, beside where one is or where it is said`() throws {
    #expect(try Program.run(shortRun("sac", into: folder.path("run"), steps: 600)).status == 0)
    for (format, file) in [
      ("onnx", "policy.onnx"), ("c", "policy.h"), ("numpy", "policy.py"), ("swift", "policy.swift"),
      ("card", "sac-Pendulum-v1"),
    ] {
      let result = try Program.run(["export", "run", "--format", format], in: folder.url)
      #expect(result.status == 0 && result.output.hasPrefix("\(file)  \(format), "), "\(result.errors)")
      #expect(folder.contents.contains(file))
    }
    let json = try Program.run(
      ["export", "run/policy.safetensors", "--format", "c", "--out", "cart.h", "--stochastic", "--json"],
      in: folder.url
    ).json()
    #expect(json["path"]?.string == "cart.h" && json["format"]?.string == "c" && json["stochastic"] == .bool(true))
    let text = try String(contentsOfFile: folder.path("cart.h"), encoding: .utf8)
    #expect(json["bytes"]?.number == Double(text.utf8.count) && text.contains("void cart_sample("))
    #expect(!folder.contents.contains { $0.hasSuffix(".new") || $0.hasSuffix(".partial") })
  }

  @Test func `a run is written for Stable-Baselines3, its last policy or its best, and its logs`() throws {
    #expect(try Program.run(shortRun("td3", into: folder.path("run"), steps: 600)).status == 0)
    let result = try Program.run(["export", "run", "--format", "sb3"], in: folder.url)
    #expect(
      result.status == 0 && result.output.hasPrefix("model.zip  sb3, ") && result.errors.isEmpty, "\(result.errors)")
    let best = try Program.run(["export", "run", "--format", "sb3", "--best", "--out", "best.zip"], in: folder.url)
    #expect(best.status == 0 && best.errors.contains("optimisers begin anew"))
    let logs = try Program.run(["export", "run", "--format", "sb3-logs", "--json"], in: folder.url)
    #expect(try logs.status == 0 && logs.errors.isEmpty && logs.json()["path"]?.string == "sb3-logs/td3/Pendulum-v1_3")
    let files = ["progress.csv", "monitor.csv", "evaluations.npz"].map { "sb3-logs/td3/Pendulum-v1_3/\($0)" }
    #expect(files.allSatisfy { folder.contents.contains($0) })
    let archive = try NumPyArchive(contentsOf: folder.path(files[2]))
    // the evaluations at 500 and at the end, of two episodes each
    let steps = try archive.floats("timesteps")
    #expect(archive["results"]?.shape == [2, 2] && steps == [500, 600])
    // an older export is replaced, a folder is not
    #expect(try Program.run(["export", "run", "--format", "sb3"], in: folder.url).status == 0)
    #expect(try refusal("run", "--format", "sb3-logs").contains("exists already"))
  }

  @Test func `a card tells the evaluation of its own policy, and none of another`() throws {
    // the last policy of a run is evaluated, unless the run has no evaluations
    #expect(try Program.run(shortRun("ddpg", into: folder.path("run"), steps: 600)).status == 0)
    let silent = [
      "train", "ddpg", "Pendulum-v1", "--steps", "600", "--seed", "3", "--run-directory", folder.path("silent"),
      "--set",
      "hiddenSizes=16,16", "--set", "batchSize=32", "--set", "randomSteps=200", "--evaluate-every", "0",
    ]
    #expect(try Program.run(silent).status == 0)
    for (run, isKnown) in [("run", true), ("silent", false)] {
      let out = "\(run)-card"
      #expect(try Program.run(["export", run, "--format", "card", "--out", out], in: folder.url).status == 0)
      let text = try String(contentsOfFile: folder.path("\(out)/README.md"), encoding: .utf8)
      #expect(text.contains("over 2 episodes") == isKnown && text.contains("model-index") == isKnown)
      let configuration = try JSONValue(
        text: String(contentsOfFile: folder.path("\(out)/config.json"), encoding: .utf8))
      #expect(configuration["run"]?["seed"]?.number == 3)
    }
  }

  @Test func `what cannot be exported is told in one line, and nothing is written`() throws {
    #expect(try Program.run(shortRun("td3", into: folder.path("run"), steps: 300)).status == 0)
    #expect(
      try refusal("run", "--format", "tflite")
        == "Error: --format must be one of onnx, c, numpy, swift, card, sb3, sb3-logs, not \"tflite\"\n")
    for format in ["sb3", "sb3-logs"] {
      #expect(try refusal("run/policy.safetensors", "--format", format).contains("give the folder of a run"))
      #expect(try refusal("run", "--format", format, "--stochastic").contains("--stochastic is for a policy"))
    }
    #expect(try refusal("run", "--format", "sb3", "--out", "run/run.json").contains("does not end in .zip"))
    #expect(try refusal("run", "--format", "sb3-logs", "--best").contains("leave out --best"))
    #expect(try refusal("run", "--format", "sb3-logs", "--out", "run").contains("run exists already"))
    #expect(try refusal("run", "--format", "c", "--stochastic").contains("the policy of td3 is deterministic"))
    #expect(try refusal("run", "--format", "onnx", "--opset", "3").contains("opset 3 is not known"))
    for format in ["c", "sb3", "card"] {
      #expect(try refusal("run", "--format", format, "--opset", "17").contains("leave it out with --format \(format)"))
    }
    #expect(try refusal("run", "--format", "c", "--out", "missing/policy.h").contains("missing/policy.h cannot be"))
    #expect(try refusal("run", "--format", "c", "--out", "run/policy.safetensors").contains("does not end in .h"))
    #expect(try refusal("run", "--format", "card", "--out", "run").contains("run exists already"))
    #expect(try refusal("nothing", "--format", "c").contains("nothing does not exist"))
    let file = try SafeTensors(contentsOf: folder.path("run/policy.safetensors"))
    var other = file
    other.metadata["policy"] = "mixture"
    try other.write(to: folder.path("other.safetensors"))
    #expect(try refusal("other.safetensors", "--format", "c").contains("a policy of the kind \"mixture\""))
  }
}
