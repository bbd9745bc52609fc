// AdamSettings.swift — settings of an optimiser: its rate over a run, Adam's β and ε, the bound of the gradient's norm.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The settings of Adam. The defaults are PyTorch's.
public struct AdamSettings: Sendable, Equatable {
  /// η at the first update, in (0, 1].
  public var learningRate: Double
  /// How η changes with the updates.
  public var schedule = LearningRateSchedule.constant
  /// Decay of the mean of the gradients, in [0, 1).
  public var beta1 = 0.9
  /// Decay of the mean of their squares, in [0, 1).
  public var beta2 = 0.999
  /// ε, added to the square root of that mean, in (0, 1].
  public var epsilon = 1e-8
  /// The bound of ‖g‖ over all networks that step together; nil: none.
  public var maximumGradientNorm: Float? = nil

  /// A rate, with the other settings at their defaults.
  public init(learningRate: Float) { self.learningRate = Double(learningRate) }

  /// η at an update, from 1.
  package func rate(atUpdate n: Int) -> Double { learningRate * schedule.factor(atUpdate: n) }

  /// The factor of gradients with a norm:  min(1, c / (‖g‖ + 1e-6)),  as in PyTorch's `clip_grad_norm_`.
  ///
  /// differs: NaN where the norm is not finite, so that the step is noticed; PyTorch makes gradients 0 whose squares overflow
  package func clipping(ofNorm norm: Double) -> Float {
    guard let maximumGradientNorm else { return 1 }
    return norm.isFinite ? Float(min(1, Double(maximumGradientNorm) / (norm + 1e-6))) : .nan
  }
}

/// The schedule of a learning rate over N updates. It depends on the number of updates only, and all optimisers of a run share it.
public enum LearningRateSchedule: Codable, Sendable, Equatable {
  /// The rate stays as it is.
  case constant
  /// Linear from η to η · final after N updates, then constant.
  ///
  /// - updates: N; nil for the number of updates of the run, see `over(updates:)`.
  case linear(final: Double, updates: Int?)
  // differs: η stays at its end, where PyTorch's CosineAnnealingLR rises again
  /// Half a cosine from η to η · final after N updates, then constant (Loshchilov & Hutter 2017, eq. 5, without restarts).
  case cosine(final: Double, updates: Int?)

  /// The schedule with N = `updates`, unless it has an N already.
  public func over(updates: Int) -> LearningRateSchedule {
    switch self {
    case .linear(let final, nil): .linear(final: final, updates: updates)
    case .cosine(let final, nil): .cosine(final: final, updates: updates)
    default: self
    }
  }

  /// The factor of η at update n, from 1: as PyTorch's LinearLR and CosineAnnealingLR after n − 1 of their steps. 1 while N is
  /// unknown.
  package func factor(atUpdate n: Int) -> Double {
    // x = min(1, (n − 1) / N)
    func progress(_ updates: Int) -> Double { min(1, Double(max(0, n - 1)) / Double(max(1, updates))) }
    switch self {
    case .constant, .linear(_, nil), .cosine(_, nil): return 1
    case .linear(let final, let updates?): return 1 + (final - 1) * progress(updates)
    case .cosine(let final, let updates?): return final + (1 - final) * (1 + cos(.pi * progress(updates))) / 2
    }
  }
}
