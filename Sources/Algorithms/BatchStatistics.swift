// BatchStatistics.swift — the setting of batch normalisation: a batch's own statistics, or batch renormalisation.

import Networks

/// The statistics that normalise a batch during an update. Outside updates the running statistics are used.
public enum BatchStatistics: Codable, Sendable, Equatable {
  /// The batch's own mean and variance.
  case plain
  /// The batch's own, corrected towards the running ones within bounds after `warmup` batches (Ioffe 2017).
  ///
  /// - ratioBound: r_max, at least 1.
  /// - distanceBound: d_max, at least 0.
  case renormalized(ratioBound: Float, distanceBound: Float, warmup: Int)

  var renormalization: BatchRenormalization? {
    guard case .renormalized(let ratioBound, let distanceBound, let warmup) = self else { return nil }
    var renormalization = BatchRenormalization()
    (renormalization.ratioBound, renormalization.distanceBound) = (ratioBound, distanceBound)
    renormalization.warmup = warmup
    return renormalization
  }
}

extension Hyperparameter {
  /// By which statistics a batch is normalised.
  static func batchNormalization(_ source: String) -> Hyperparameter {
    Hyperparameter(
      "batchNormalization", "",
      cases: [
        "plain": .nothing, "renormalized.ratioBound": .real(1), "renormalized.distanceBound": .real(0),
        "renormalized.warmup": .whole(0, 10_000_000),
      ],
      caseDefaults: [
        "renormalized.ratioBound": .number(3), "renormalized.distanceBound": .number(5),
        "renormalized.warmup": .number(100_000),
      ],
      "how a batch is normalised: by its own statistics, or taken back to the running ones after a warm-up",
      source: source)
  }
}
