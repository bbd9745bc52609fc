import Kernels
import Networks
import Testing

@Suite struct QuantilesOfOneTests {
  private let critics: QuantileCritics

  init() {
    critics = QuantileCritics(
      count: 3, quantiles: 5, observationSize: 3, actionSize: 2, blocks: [NetworkBlock]([12, 9]), batchSize: 2)
    var stream = RandomStream(seed: 3, purpose: "initialization")
    critics.initialize(using: &stream)
  }

  @Test(arguments: [0, 1, 6, 14])
  func `the value is the mean of all atoms but the largest`(dropped: Int) {
    let one = QuantilesOfOne(critics, dropping: dropped, observationSize: 3, actionSize: 2)
    let (observation, action): ([Float], [Float]) = ([0.3, -1, 2], [0.5, -0.5])
    let value = one.truncatedMean(observation.span, action.span)
    let rows = Matrix(observation + observation, rows: 2, columns: 3)
    let actions = Matrix(action + action, rows: 2, columns: 2)
    for j in 0..<3 { critics.evaluate(j, rows, actions, rows: 0..<2) }
    let atoms = (0..<3).flatMap { j in (0..<5).map { Double(critics.atom(j, $0, at: 1)) } }.sorted()
    let kept = atoms.dropLast(dropped)
    #expect(abs(value - kept.reduce(0, +) / Double(kept.count)) < 1e-6)
  }

  @Test func `it follows the critics' parameters`() {
    let one = QuantilesOfOne(critics, dropping: 3, observationSize: 3, actionSize: 2)
    let (observation, action): ([Float], [Float]) = ([1, 2, 3], [0, 0])
    let before = one.truncatedMean(observation.span, action.span)
    var stream = RandomStream(seed: 4, purpose: "initialization")
    critics.initialize(using: &stream)
    #expect(one.truncatedMean(observation.span, action.span) != before)
  }
}
