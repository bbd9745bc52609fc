import OffPolicy
import Testing

@Suite struct RolloutTests {
  func actions(_ values: [Float], shape: [Int]) -> SafeTensors {
    var file = SafeTensors()
    file.add("actions", floats: values, shape: shape)
    return file
  }

  @Test func `a rollout has one more observation than steps, and the task's own numbers`() throws {
    let file = try Rollout.run(
      Probe.numbered(), of: "Probe-v0", seed: 3, actions([5, -2, 9], shape: [3, 1]))
    #expect(try file.shape("observations") == [4, 3])
    // actions go in as they are, unclipped
    #expect(try file.floats("observations") == [1, 0, 0, 1, 1, 5, 1, 2, -2, 1, 3, 9])
    #expect(try file.doubles("rewards") == [1.015625, 1.03125, 1.046875])
    #expect(try file.elementType("rewards") == .float64 && file.elementType("terminated") == .uint8)
    #expect(try file.bytes("terminated") == [0, 0, 0] && file.bytes("truncated") == [0, 0, 0])
    #expect(file.metadata["environment"] == "Probe-v0" && file.metadata["seed"] == "3")
  }

  @Test func `a rollout stops where the episode ends`() throws {
    // the first episode has eight steps and is truncated
    let file = try Rollout.run(
      Probe.numbered(), of: "Probe-v0", seed: 0, actions(Array(repeating: 0, count: 20), shape: [20, 1]))
    #expect(try file.shape("observations") == [9, 3] && file.shape("rewards") == [8])
    #expect(try file.bytes("truncated") == [0, 0, 0, 0, 0, 0, 0, 1])
    #expect(try file.bytes("terminated") == Array(repeating: 0, count: 8))
  }

  @Test func `one action per step may come without a second dimension`() throws {
    let flat = try Rollout.run(pendulum(), of: "Pendulum-v1", seed: 4, actions([0.5, 1], shape: [2]))
    let column = try Rollout.run(pendulum(), of: "Pendulum-v1", seed: 4, actions([0.5, 1], shape: [2, 1]))
    #expect(flat.encoded() == column.encoded())
    let other = try Rollout.run(pendulum(), of: "Pendulum-v1", seed: 5, actions([0.5, 1], shape: [2]))
    #expect(other.encoded() != flat.encoded())
  }

  @Test(arguments: [[1, 2], [2, 1, 1], []]) func `actions of another shape are refused with both`(shape: [Int]) throws {
    let values = Array(repeating: Float(0), count: shape.reduce(1, *))
    let error = #expect(throws: RolloutError.self) {
      try Rollout.run(pendulum(), of: "Pendulum-v1", seed: 0, actions(values, shape: shape))
    }
    #expect(error?.description == "actions have shape \(shape), Pendulum-v1 needs [T, 1]")
  }

  @Test func `an action that is not a number never reaches the task`() throws {
    #expect(throws: ContractViolation.self) {
      try Rollout.run(pendulum(), of: "Pendulum-v1", seed: 0, actions([0, .nan], shape: [2, 1]))
    }
  }

  @Test func `no actions give the first observation alone`() throws {
    let file = try Rollout.run(pendulum(), of: "Pendulum-v1", seed: 0, actions([], shape: [0, 1]))
    #expect(try file.shape("observations") == [1, 3] && file.shape("rewards") == [0])
  }
}
