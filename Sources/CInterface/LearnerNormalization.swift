// LearnerNormalization.swift — the C function that takes statistics which the caller keeps.

import OffPolicy

@_cdecl("offpolicy_set_normalization")
public func setNormalization(
  _ handle: Int64, _ mean: UnsafePointer<Double>?, _ scale: UnsafePointer<Double>?, _ bound: UnsafePointer<Double>?,
  _ count: Int64, _ rewardDivisor: Double, _ rewardBound: Double
) -> Int64 {
  withLearner(handle) {
    try $0.require(builtIn: false)
    if mean == nil, scale == nil, bound == nil {
      try $0.trainer.normalize(by: nil)
      return 0
    }
    let size = $0.observationSize
    guard
      let given = GivenNormalization(
        mean: Array(try numbers(mean, count, expected: size, "means")),
        scale: Array(try numbers(scale, count, expected: size, "scales")),
        bound: Array(try numbers(bound, count, expected: size, "bounds")), rewardDivisor: rewardDivisor,
        rewardBound: rewardBound)
    else {
      throw Refusal("expected finite means, and scales, bounds and a divisor of rewards above 0")
    }
    try $0.trainer.normalize(by: given)
    return 0
  }
}
