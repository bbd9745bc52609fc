import Foundation
import OffPolicy
import Testing

@testable import Export

@Suite struct ONNXGraphTests {
  static let fixtures = Bundle.module.url(forResource: "Fixtures", withExtension: nil)!

  static func bytes(_ policy: Policy, _ options: ExportOptions) throws -> [UInt8] {
    try PolicyExport.encode(policy, as: .onnx, file: "policy.onnx", options)
  }

  @Test func `the bytes are those that the package onnx writes for the same graph`() throws {
    var newest = drawing
    newest.opset = 28
    for (name, policy, options) in [
      ("deterministic", try makePolicy(.deterministic), exportOptions),
      ("gaussian", try makePolicy(.squashedGaussian, normalization: clipped), drawing),
      ("choosing", try makePolicy(.choosing, algorithm: "sac-discrete"), newest),
    ] {
      let expected = try Data(contentsOf: Self.fixtures.appendingPathComponent("\(name).onnx"))
      #expect(try Self.bytes(policy, options) == [UInt8](expected), "\(name)")
    }
  }

  @Test func `the graph gives the policy's action for every kind of policy`() throws {
    for (name, policy) in try allPolicies() {
      let model = try ONNXReader(Self.bytes(policy, exportOptions))
      for observation in observations {
        let action = try model.run(["observation": observation.map(Double.init)])
        for (a, expected) in zip(action, policy.expected(observation)) {
          #expect(abs(a - expected) < 1e-9, "\(name), \(observation)")
        }
        for (a, own) in zip(action, policy.action(observation)) {
          #expect(abs(a - Double(own)) < 1e-5, "\(name), \(observation)")
        }
      }
    }
  }

  @Test func `with noise the graph draws as the equations say`() throws {
    for policy in [
      try makePolicy(.squashedGaussian, normalization: clipped), try makePolicy(.choosing, algorithm: "sac-discrete"),
    ] {
      let model = try ONNXReader(Self.bytes(policy, drawing))
      var differs = false
      for (observation, noise) in zip(observations, makeNoise(ExportedPolicyKind(policy))) {
        let action = try model.run(["observation": observation.map(Double.init), "noise": noise.map(Double.init)])
        let expected = policy.expected(observation, noise: noise)
        #expect(zip(action, expected).allSatisfy { abs($0 - $1) < 1e-9 } && action.count == expected.count)
        differs = differs || expected != policy.expected(observation)
      }
      #expect(differs)
    }
  }

  @Test func `inputs and outputs are named, sized and of any batch`() throws {
    let box = try ONNXReader(Self.bytes(makePolicy(.squashedGaussian), exportOptions))
    #expect(box.inputs.map(\.name) == ["observation"] && box.inputs[0].sizes == [0, 3] && box.inputs[0].type == 1)
    #expect(box.outputs.map(\.name) == ["action"] && box.outputs[0].sizes == [0, 2] && box.outputs[0].type == 1)
    #expect(box.irVersion == 8 && box.opset == 17 && box.producer == ["swift-offpolicy", "test"])
    #expect(
      box.metadata == [
        "algorithm": "sac", "environment": "Probe-v0", "step": "60", "action_low": "-2.0,-1.0",
        "action_high": "2.0,2.0",
      ])
    let drawn = try ONNXReader(Self.bytes(makePolicy(.squashedGaussian), drawing))
    #expect(drawn.inputs.map(\.name) == ["observation", "noise"] && drawn.inputs[1].sizes == [0, 2])
    let choice = try ONNXReader(Self.bytes(makePolicy(.choosing), exportOptions))
    #expect(choice.outputs[0].sizes == [0] && choice.outputs[0].type == 7 && choice.metadata["choices"] == "3")
  }

  @Test func `an unknown opset is refused with those that are known`() throws {
    for opset in [0, 16, 29] {
      var options = exportOptions
      options.opset = opset
      let error = #expect(throws: ExportError.self) { try Self.bytes(makePolicy(.deterministic), options) }
      #expect(error?.description == "opset \(opset) is not known; choose one from 17 to 28")
    }
  }
}
