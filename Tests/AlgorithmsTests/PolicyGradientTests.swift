import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

/// A SAC whose parameters stay as they are, and its policy gradient on one batch, drawn again and again.
private final class StillSAC {
  private let sac: SAC
  private let batch: Batch
  private var before: [Float]

  init(_ settings: [String], criticOffset: Float = 0) throws {
    // the critics' loss and the targets have no part in it; a step of 1e-30 leaves every weight as it is
    let still = [
      "batchSize=4", "hiddenSizes=6,7", "policyLearningRate=1e-30", "criticLearningRate=1e-30",
      "temperature.fixed.value=0.1", "targetTracking.hard.every=1000000000",
    ]
    sac = SAC(
      configuration: try SAC.Configuration().setting(still + settings), observationSize: 3, actionSize: 2, seed: 5,
      workers: WorkerPool(count: 1))
    batch = exampleBatch(4, observationSize: 3)
    if criticOffset != 0 {
      let offset = sac.parameters.map { tensor in
        tensor.name.hasPrefix("critic.") && tensor.name.hasSuffix("layer.2.bias")
          ? Tensor(name: tensor.name, shape: tensor.shape, values: tensor.values.map { $0 + criticOffset }) : tensor
      }
      try sac.loadParameters { name in try #require(offset.first { $0.name == name }) }
    }
    before = []
    before = moments()
  }

  private func moments() -> [Float] {
    sac.state.tensors.filter { $0.name.hasPrefix("policy_optimizer.0.first.") }.flatMap(\.values)
  }

  var policyBits: [[UInt32]] { sac.bits("policy") + sac.bits("critic") }

  /// ∇J of one update, from Adam's first moment: m ← m + 0.1 (∇J − m).
  func gradient() throws -> [Double] {
    _ = try sac.update(batch)
    let after = moments()
    defer { before = after }
    return zip(before, after).map { Double($0) + (Double($1) - Double($0)) / 0.1 }
  }
}

/// Mean and variance of each component of some gradients.
private struct Moments {
  let count: Int
  private(set) var mean: [Double] = []
  private(set) var variance: [Double] = []

  init(_ count: Int, _ draw: () throws -> [Double]) rethrows {
    self.count = count
    var (sums, squares): ([Double], [Double]) = ([], [])
    for n in 0..<count {
      let gradient = try draw()
      if n == 0 { (sums, squares) = (gradient.map { _ in 0 }, gradient.map { _ in 0 }) }
      for i in gradient.indices {
        sums[i] += gradient[i]
        squares[i] += gradient[i] * gradient[i]
      }
    }
    mean = sums.map { $0 / Double(count) }
    variance = zip(squares, mean).map { max(0, $0 / Double(count) - $1 * $1) }
  }

  var totalVariance: Double { variance.reduce(0, +) }
}

@Suite struct PolicyGradientTests {
  @Test func `it reads and writes as a case`() throws {
    for gradient in [PolicyGradient.pathwise, .scoreFunction(samples: 7)] {
      let text = try JSONEncoder().encode(gradient)
      #expect(try JSONDecoder().decode(PolicyGradient.self, from: text) == gradient)
    }
    #expect(
      try JSONEncoder().encode(PolicyGradient.scoreFunction(samples: 7))
        == Data(#"{"scoreFunction":{"samples":7}}"#.utf8))
  }

  // 10,000 draws of each; a gradient half as large, or one part of it with another sign, is 10 standard errors away
  @Test(arguments: [2, 5])
  func `both ways estimate the same gradient, within the standard errors of their means`(samples: Int) throws {
    let count = 10_000
    let ways = [[], ["policyGradient.scoreFunction.samples=\(samples)"]]
    let moments = try ways.map { settings in
      let sac = try StillSAC(settings)
      let bits = sac.policyBits
      let moments = try Moments(count) { try sac.gradient() }
      #expect(sac.policyBits == bits, "it stands still")
      return moments
    }
    let (pathwise, score) = (moments[0], moments[1])

    // z of every parameter that has a gradient; 1 in 370 is past 3 if both means are equal
    var scores: [Double] = []
    for i in pathwise.mean.indices where pathwise.variance[i] + score.variance[i] > 1e-18 {
      let error = ((pathwise.variance[i] + score.variance[i]) / Double(count)).squareRoot()
      scores.append((pathwise.mean[i] - score.mean[i]) / error)
    }
    #expect(scores.count > 50)
    let far = scores.filter { abs($0) > 3 }.count
    #expect(Double(far) <= 0.02 * Double(scores.count), "\(far) of \(scores.count) parameters differ")
    // their mean square is 1; the gradients have 4 states × 4 heads of freedom, so its own deviation is about √(2 / 16)
    let square = scores.reduce(0) { $0 + $1 * $1 } / Double(scores.count)
    #expect(square < 2, "mean z² = \(square)")

    // and the means are known well enough that it says something
    let length = pathwise.mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let error = ((pathwise.totalVariance + score.totalVariance) / Double(count)).squareRoot()
    #expect(error < 0.05 * length, "an error of \(error) in a gradient of \(length)")
  }

  @Test func `more draws of a state leave less variance, in proportion`() throws {
    let variances = try [2, 8, 32].map { samples in
      let sac = try StillSAC(["policyGradient.scoreFunction.samples=\(samples)"])
      return try Moments(3000) { try sac.gradient() }.totalVariance
    }
    // K to 4 K: at least a quarter is left, and less than that of the leave-one-out mean's own noise more
    for (few, many) in zip(variances, variances.dropFirst()) {
      #expect(many > 0.15 * few && many < 0.3 * few, "\(variances)")
    }
  }

  @Test func `what a critic adds to every action changes nothing`() throws {
    let settings = ["policyGradient.scoreFunction.samples=4"]
    let (plain, offset) = (try StillSAC(settings), try StillSAC(settings, criticOffset: 8))
    for _ in 0..<20 {
      let (expected, found) = (try plain.gradient(), try offset.gradient())
      let largest = expected.map(abs).max() ?? 0
      for (e, f) in zip(expected, found) { #expect(abs(e - f) < 1e-4 * largest) }
    }
  }
}
