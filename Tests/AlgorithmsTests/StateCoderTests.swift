import Kernels
import Networks
import Platform
import Testing

@testable import Algorithms

/// One list writes a state and reads it.
@Suite struct StateCoderTests {
  /// Something of every kind that can be kept.
  private final class Kept {
    let network: Critics
    let optimizer: Adam
    var (count, number) = (7, 0.1)
    var stream: RandomStream
    var free: [Float] = [1, 2, 3]

    init(seed: UInt64) {
      network = Critics(count: 2, observationSize: 2, actionSize: 1, hiddenSizes: [3], batchSize: 4)
      optimizer = Adam(network.networks, AdamSettings(learningRate: 0.1))
      var initialization = RandomStream(seed: seed, purpose: "initialization")
      network.initialize(using: &initialization)
      stream = RandomStream(seed: 5, purpose: "test")
    }

    func list(_ coder: inout StateCoder) throws {
      try coder.code("critic", network)
      try coder.code("optimizer", optimizer)
      try coder.code("count", &count)
      try coder.code("number", &number)
      try coder.code("stream", &stream)
      try coder.code([Tensor(name: "free", shape: [3], values: free)]) { free = try $0("free").values }
    }
  }

  @Test func `what is read is what was written, and writing changes nothing`() throws {
    let first = Kept(seed: 1)
    (first.count, first.number) = (11, 1 / 3)
    first.stream.position = 1 << 40
    first.free = [4, 5, 6]
    let written = StateCoder.write(first.list)
    #expect(written == StateCoder.write(first.list))
    let second = Kept(seed: 2)
    #expect(StateCoder.write(second.list) != written)
    try StateCoder.read(written, from: written.finder(), second.list)
    #expect(StateCoder.write(second.list) == written)
    #expect(second.number == 1 / 3 && second.stream.position == 1 << 40 && second.free == [4, 5, 6])
  }

  @Test func `tensors keep the order of the list, and each thing its name`() {
    let written = StateCoder.write(Kept(seed: 1).list)
    #expect(written.tensors.first?.name == "critic.0.layer.0.weight" && written.tensors.last?.name == "free")
    #expect(Set(written.counts.keys) == ["optimizer.steps", "count", "stream"])
    #expect(written.numbers.keys.sorted() == ["number"])
  }

  @Test func `streams can be put at their start alone`() {
    let kept = Kept(seed: 1)
    (kept.count, kept.stream.position) = (11, 1 << 40)
    var expected = StateCoder.write(kept.list)
    expected.counts["stream"] = 0
    #expect(StateCoder.writeWithStreamsAtTheirStart(kept.list) == expected)
  }

  @Test func `each thing that is missing is named`() throws {
    let written = StateCoder.write(Kept(seed: 1).list)
    for name in [
      "critic.1.layer.0.bias", "optimizer.0.first.layer.0.weight", "optimizer.steps", "count", "number", "stream",
      "free",
    ] {
      var poorer = written
      poorer.tensors.removeAll { $0.name == name }
      poorer.counts[name] = nil
      poorer.numbers[name] = nil
      let error = #expect(throws: MissingState.self) {
        try StateCoder.read(poorer, from: poorer.finder(), Kept(seed: 2).list)
      }
      #expect(error?.name == name)
    }
  }
}
