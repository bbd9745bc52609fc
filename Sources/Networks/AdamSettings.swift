// AdamSettings.swift — how an optimiser steps: its rate over a run, Adam's numbers, the bound of the gradient's norm.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What Adam is told besides the gradients. The defaults are PyTorch's.
public struct AdamSettings: Sendable, Equatable {
  /// η at the first update, in (0, 1].
  public var learningRate: Double
  /// How η changes with the updates.
  public var schedule = LearningRateSchedule.constant
  /// Decay of the mean of the gradients, in [0, 1).
  public var beta1 = 0.9
  /// Decay of the mean of their squares, in [0, 1).
  public var beta2 = 0.999
  /// ε, added to the root of that mean, in (0, 1].
  public var epsilon = 1e-8
  /// The bound of ‖g‖ over all networks that step together; nil: none.
  public var maximumGradientNorm: Float? = nil

  /// A rate, with the other settings at their defaults.
  public init(learningRate: Float) { self.learningRate = Double(learningRate) }

  /// η at an update, from 1.
  package func rate(atUpdate n: Int) -> Double { learningRate * schedule.factor(atUpdate: n) }

  /// What gradients of a norm are multiplied by:  min(1, c / (‖g‖ + 1e-6)),  as PyTorch's `clip_grad_norm_` has it.
  ///
  /// differs: NaN where the norm is not finite, so that the step is noticed; PyTorch makes gradients 0 whose squares overflow
  package func clipping(ofNorm norm: Double) -> Float {
    guard let maximumGradientNorm else { return 1 }
    return norm.isFinite ? Float(min(1, Double(maximumGradientNorm) / (norm + 1e-6))) : .nan
  }
}

/// How a learning rate changes over N updates: a function of their count alone, the same for every optimiser of a run.
public enum LearningRateSchedule: Codable, Sendable, Equatable {
  /// The rate stays as it is.
  case constant
  /// From η in a straight line to η · final after N updates, where it stays.
  ///
  /// - updates: N; nil: as many as the run makes, see `over(updates:)`.
  case linear(final: Double, updates: Int?)
  // differs: η stays at its end, where PyTorch's CosineAnnealingLR rises again
  /// From η along half a cosine to η · final after N updates, where it stays (Loshchilov & Hutter 2017, eq. 5, without restarts).
  case cosine(final: Double, updates: Int?)

  /// The schedule for a run of some updates, where it does not say N itself.
  public func over(updates: Int) -> LearningRateSchedule {
    switch self {
    case .linear(let final, nil): .linear(final: final, updates: updates)
    case .cosine(let final, nil): .cosine(final: final, updates: updates)
    default: self
    }
  }

  /// η's factor at update n, from 1: that of PyTorch's LinearLR and CosineAnnealingLR after n − 1 of their steps. 1 while N is not
  /// known.
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
