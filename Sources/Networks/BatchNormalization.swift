// BatchNormalization.swift — batch normalisation of every layer's input: its settings and its running statistics.
//
//   learning   z_k = g_k ⊙ (r (x_k − μ) / √(v + ε) + d) + b_k      μ, v: mean and variance of x_k over the batch
//   else       z_k = g_k ⊙ (x_k − M) / √(V + ε) + b_k              M, V: their running means
//
// x_k is what layer k would read: the network's input for k = 0, else block k − 1. r and d are 1 and 0, or those of batch
// renormalisation. So a network of L blocks normalises at L + 1 places.
//
// Where normalisation comes before the activation, x_k is the product of layer k − 1 and layer k reads max(0, z_k).

import Kernels
import Platform

/// Batch normalisation of the input of every layer.
public struct BatchNormalization: Codable, Sendable, Equatable {
  /// m of the running statistics M ← m M + (1 − m) μ, in [0, 1). 0.99: CrossQ, XQC.
  public var momentum: Float = 0.99
  /// ε, added to variances. 1e-3: CrossQ, XQC.
  public var epsilon: Float = 1e-3
  /// Batch renormalisation; nil: none.
  public var renormalization: BatchRenormalization?
  /// Whether hidden layers are normalised before or after their activation.
  public var order = Order.afterActivation

  /// Where hidden layers are normalised.
  public enum Order: String, Codable, Sendable, Equatable {
    /// x W + b, f, normalisation: CrossQ.
    case afterActivation
    /// x W, normalisation, ReLU: XQC. The shift takes the bias's place.
    case beforeActivation
  }

  /// The settings of CrossQ.
  public init(renormalization: BatchRenormalization? = nil) { self.renormalization = renormalization }

  /// What the kernel is told for a batch after `batches` others.
  func settings(batches: Int) -> BatchNormSettings {
    guard let renormalization, batches >= renormalization.warmup else {
      return BatchNormSettings(epsilon: epsilon, momentum: momentum)
    }
    return BatchNormSettings(
      epsilon: epsilon, momentum: momentum, ratioBound: renormalization.ratioBound,
      distanceBound: renormalization.distanceBound)
  }
}

// differs: x̂ = r x̄ + d (Ioffe 2017, alg. 1); CrossQ's authors put r and d into mean and variance and add ε once more
/// Batch renormalisation (Ioffe 2017): r and d correct a batch's mean and deviation towards the running ones, within bounds.
public struct BatchRenormalization: Codable, Sendable, Equatable {
  /// r_max, at least 1. 3: CrossQ.
  public var ratioBound: Float = 3
  /// d_max, at least 0. 5: CrossQ.
  public var distanceBound: Float = 5
  /// The number of first batches that are normalised without it, until the running statistics are known. 100,000: CrossQ.
  public var warmup = 100_000

  /// The settings of CrossQ.
  public init() {}
}

/// A place where a network normalises what layer k reads.
struct BatchNormSite: Sendable {
  /// g and b among the layers.
  let affine: Layer
  /// M and V in the block of running statistics.
  let statistics: Layer
  let index: Int

  var tensors: [TensorView] {
    let all = 0..<affine.inputs
    return [
      TensorView(name: "batch_norm.\(index).running_mean", layer: statistics, outputs: all, isBias: false),
      TensorView(name: "batch_norm.\(index).running_var", layer: statistics, outputs: all, isBias: true),
    ]
  }
}

// MARK: running statistics

extension Parameters {
  /// M = 0 and V = 1, of no batch so far.
  func resetStatistics() {
    for site in layout.sites {
      for view in site.tensors { view.forEachIndex { _, index in statistics[index] = view.isBias ? 1 : 0 } }
    }
    batches = 0
  }

  /// What the running statistics make of a share of every place's columns, after they or g and b have changed.
  func refreshInference(_ share: Share) {
    guard let epsilon = layout.batchNormalization?.epsilon else { return }
    for (k, site) in layout.sites.enumerated() {
      batchNormInference(
        values, at: site.affine.offset, running: statistics, at: site.statistics.offset, epsilon: epsilon, inference[k],
        panels: share.range(of: site.affine.panels))
    }
  }

  /// M and V as tensors `prefix.batch_norm.K.running_mean` and `.running_var`, and how many batches they are of, up to 2²⁴, as
  /// `prefix.batch_norm.batches`.
  func statisticsTensors(_ prefix: String) -> [Tensor] {
    guard layout.batchNormalization != nil else { return [] }
    let copy = statistics.values
    return layout.sites.flatMap { $0.tensors.map { Tensor(prefix, $0, of: copy) } } + [
      Tensor(name: "\(prefix).batch_norm.batches", shape: [1], values: [Float(min(batches, Self.batchLimit))])
    ]
  }

  func loadStatistics(_ prefix: String, from find: (String) throws -> Tensor) throws {
    guard layout.batchNormalization != nil else { return }
    resetStatistics()
    for site in layout.sites {
      for view in site.tensors {
        let values = try self.values("\(prefix).\(view.name)", shape: view.shape, from: find)
        if view.isBias, let wrong = values.first(where: { $0 < 0 }) {
          throw TensorMismatch("\(prefix).\(view.name) holds \(wrong): no variance is below 0")
        }
        view.forEachIndex { element, index in statistics[index] = values[element] }
      }
    }
    let name = "\(prefix).batch_norm.batches"
    let count = try values(name, shape: [1], from: find)[0]
    guard count >= 0, count <= Float(Self.batchLimit), count == count.rounded() else {
      throw TensorMismatch("\(name) is \(count): a count of batches is a whole number from 0 to \(Self.batchLimit)")
    }
    batches = Int(count)
  }

  /// The largest count of batches that a float32 tensor stores exactly; also the longest warm-up.
  package static var batchLimit: Int { 1 << 24 }

  private func values(_ name: String, shape: [Int], from find: (String) throws -> Tensor) throws -> [Float] {
    let tensor = try find(name)
    guard tensor.shape == shape else {
      throw TensorMismatch("\(name) has shape \(tensor.shape), the network needs \(shape)")
    }
    return tensor.values
  }

  /// The mean of |μ − M| / √(V + ε) over all normalised columns: the distance of the last batch's means from the running means.
  package func statisticsLag(_ activations: borrowing Activations) -> Double {
    var (sum, count) = (0.0, 0)
    for k in layout.sites.indices {
      for column in 0..<activations.batchRecords[k].columns {
        sum += abs(Double(activations.batchRecords[k].lag(column)))
      }
      count += activations.batchRecords[k].columns
    }
    return sum / Double(max(1, count))
  }
}
