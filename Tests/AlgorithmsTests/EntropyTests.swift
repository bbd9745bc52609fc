// EntropyTests.swift — why entropy helps (N15): the same two hills for a policy that draws and for one that does not.

import Algorithms
import Foundation
import Kernels
import Networks
import Platform
import Replay
import Testing

@Suite struct EntropyTests {
  /// A tent over the action: 0 outside `centre` ± `width`.
  struct Tent {
    let centre, width, height: Double

    func callAsFunction(_ a: Double) -> Double { max(0, height * (1 - abs(a - centre) / width)) }
  }

  /// A low hill, on whose slope is the action 0, and a high one beyond a plain.
  static let low = Tent(centre: -0.2, width: 0.4, height: 0.5)
  static let high = Tent(centre: 0.65, width: 0.3, height: 2)
  static func value(_ a: Double) -> Double { low(a) + high(a) }

  /// E[Q(tanh(μ + ε))] of the hills, by quadrature.
  static func smoothed(_ mean: Double) -> Double {
    let step = 1e-3
    return stride(from: -8.0, through: 8, by: step).reduce(0) {
      $0 + step * exp(-$1 * $1 / 2) / (2 * Double.pi).squareRoot() * value(tanh(mean + $1))
    }
  }

  @Test func `at 0 the slope of Q leads to the low hill, that of its mean over draws to the high one`() {
    let step = 1e-4
    #expect(abs((Self.value(step) - Self.value(-step)) / (2 * step) + 0.5 / 0.4) < 1e-9)
    #expect((Self.smoothed(step) - Self.smoothed(-step)) / (2 * step) > 0.1)
  }

  @Test(arguments: [("ddpg", -0.2), ("td3", -0.2), ("sac", 0.65)])
  func `with the same critic a policy that draws leaves the low hill, a deterministic one stays`(
    algorithm name: String, expected: Double
  ) throws {
    let settings = ["batchSize=256", "hiddenSizes=8", "criticLearningRate=1e-9", "policyLearningRate=0.01"]
    let own = ["td3": ["policyDelay=1"], "sac": ["temperature.fixed.value=0.1"]]
    let algorithm = try AlgorithmRegistry.entry(name).defaults.setting(settings + own[name, default: []])
      .makeAlgorithm(observationSize: 1, actionSize: 1, seed: 2, workers: WorkerPool(count: 1))

    // Q as a network: h/w (relu(a − c + w) − 2 relu(a − c) + relu(a − c − w)) for each tent
    var (biases, heights): ([Float], [Float]) = ([], [])
    for tent in [Self.low, Self.high] {
      for (side, factor) in [(1, 1), (0, -2), (-1, 1)] as [(Double, Double)] {
        biases.append(Float(side * tent.width - tent.centre))
        heights.append(Float(factor * tent.height / tent.width))
      }
    }
    var tensors: [String: [Float]] = [:]
    for j in 0..<2 {
      tensors["critic.\(j).layer.0.weight"] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]
      tensors["critic.\(j).layer.0.bias"] = biases + [0, 0]
      tensors["critic.\(j).layer.1.weight"] = heights + [0, 0]
    }
    try algorithm.setTensors("critic", tensors)
    for a in [-0.9, -0.3, 0, 0.1, 0.3, 0.5, 0.65, 0.8] {
      let actual = algorithm.value([Float(0)].span, [Float(a)].span)
      #expect(abs(actual - Self.value(a)) < 1e-5, "\(a)")
    }

    // all weights zero: the policy is tanh of its bias, or a draw about it with σ = 1
    try algorithm.setTensors("policy", [:])
    for seed in 1...800 as ClosedRange<UInt64> {
      _ = try algorithm.update(exampleBatch(256, observationSize: 1, actionSize: 1, seed: seed))
    }
    let found = Double(algorithm.action([0], size: 1, explore: false)[0])
    #expect(abs(found - expected) < 0.1, "\(found)")
  }
}
