// Parameters.swift — the learned numbers of one network, in one flat block with named views.

import Kernels
import Platform

/// A tensor as files hold it: row-major, as in PyTorch.
public struct Tensor: Sendable, Equatable {
  /// Its name, such as `critic.0.layer.1.weight`.
  public let name: String
  /// The sizes of its dimensions; empty for a single number.
  public let shape: [Int]
  private let source: Source

  private enum Source: Sendable {
    case values([Float])
    /// A copy of a network's flat block, shared by its tensors, and the view of this tensor.
    case block([Float], TensorView)
  }

  /// A tensor of given values, in the order of its rows.
  public init(name: String, shape: [Int], values: [Float]) {
    (self.name, self.shape, source) = (name, shape, .values(values))
  }

  /// Copied out of a network, not yet in a tensor's order: that can be done later, and on another thread.
  init(_ prefix: String, _ view: TensorView, of block: [Float]) {
    (name, shape, source) = ("\(prefix).\(view.name)", view.shape, .block(block, view))
  }

  /// The values, row by row. Store the result: each call may put them in order again.
  public var values: [Float] {
    switch source {
    case .values(let values): return values
    case .block(let block, let view):
      var elements = [Float](repeating: 0, count: shape.reduce(1, *))
      view.forEachIndex { element, index in elements[element] = block[index] }
      return elements
    }
  }

  public static func == (first: Tensor, second: Tensor) -> Bool {
    first.name == second.name && first.shape == second.shape && first.values == second.values
  }
}

/// The error for a tensor that is missing or has a shape other than the network's.
public struct TensorMismatch: Error, CustomStringConvertible {
  /// The tensor and the expected shape, in one line.
  public let description: String

  package init(_ description: String) { self.description = description }
}

/// Parameters that track learned ones, and check each number as they do.
public protocol Tracking {
  /// Every parameter was finite after the last tracking.
  var trackedAllFinite: Bool { get }
}

/// The weights and biases of one network, in one block.
public final class Parameters: Tracking, @unchecked Sendable {
  package let layout: Layout
  /// θ
  package let values: Block
  /// ∂L/∂θ, written by `weightGradients` and read by the optimiser; empty for a network that is not learned.
  package let gradients: Block
  /// Wᵀ of the layers with a gradient of their inputs, kept up to date with θ; empty for a network that is not learned.
  package let transposed: Block
  /// The running means and variances of batch normalisation; empty where there is none.
  let statistics: Block
  /// What they make of each place's columns where nothing is learned, kept in step with them and θ.
  let inference: FixedArray<BatchNormRecord>
  /// The number of batches in the running statistics.
  package internal(set) var batches = 0
  private let isLearned: Bool
  /// Whether the running statistics are kept: not of a target that is only ever evaluated with the statistics of batches.
  private let keepsStatistics: Bool
  /// For each share 0, or NaN if a parameter in it is not finite after tracking; empty for a learned network.
  private let trackingChecks: Block

  /// Zeros.
  package init(_ layout: Layout, isLearned: Bool, keepsStatistics: Bool = true) {
    self.layout = layout
    (self.isLearned, self.keepsStatistics) = (isLearned, keepsStatistics)
    values = Block(count: layout.parameterCount)
    gradients = Block(count: isLearned ? layout.parameterCount : 0)
    transposed = Block(count: isLearned ? layout.transposedCount : 0)
    trackingChecks = Block(count: isLearned ? 0 : WorkerPool.maximumCount)
    statistics = Block(count: layout.statisticsCount)
    inference = FixedArray(count: layout.sites.count) { BatchNormRecord(columns: layout.sites[$0].affine.inputs) }
    resetStatistics()
  }

  /// Draws weights and biases from U(±1/√fan_in), the default of PyTorch and of the reference implementations. A
  /// normalisation begins with scale 1 and shift 0.
  public func initialize(using generator: inout RandomStream) {
    for tensor in layout.tensors {
      if tensor.layer.kind == .affine {
        tensor.forEachIndex { _, index in values[index] = tensor.isBias ? 0 : 1 }
        continue
      }
      let bound = 1 / Float(tensor.layer.inputs).squareRoot()
      tensor.forEachIndex { _, index in values[index] = (2 * generator.uniform() - 1) * bound }
    }
    resetStatistics()
    bringToUnitLength(.whole)
    refreshTransposed(.whole)
  }

  /// w ← w / ‖w‖ of each unit and output of a share, where lengths are kept at 1. Returns 0, or NaN where one is not finite.
  @discardableResult
  func bringToUnitLength(_ share: Share) -> Float {
    guard layout.hasUnitLengths else { return 0 }
    var check: Float = 0
    for layer in layout.layers where layer.kind == .dense {
      check += unitLength(values, at: layer.offset, inputs: layer.inputs, panels: share.range(of: layer.panels))
    }
    return check
  }

  /// θ ← other's θ, and its running statistics.
  public func copy(_ other: Parameters) {
    values.copy(other.values)
    statistics.copy(other.statistics)
    batches = other.batches
    refreshTransposed(.whole)
  }

  /// θ ← rate · other + (1 − rate) · θ for a share of the parameters.
  public func track(_ other: Parameters, rate: Float, _ share: Share) {
    var check: Float = 0
    for layer in layout.layers {
      check += Kernels.track(values, other.values, rate: rate, range: layer.range(of: share))
    }
    trackingChecks[share.lower] = check
  }

  public var trackedAllFinite: Bool {
    var check: Float = 0
    for i in 0..<trackingChecks.count { check += trackingChecks[i] }
    return check == 0
  }

  /// Updates Wᵀ, and the scale and shift of columns by the running statistics, for a share of θ.
  package func refreshTransposed(_ share: Share) {
    refreshInference(share)
    guard isLearned else { return }
    for layer in layout.layers where layer.transposedCount > 0 {
      let (inputs, panels) = layer.transposed(of: share)
      denseTranspose(
        values, at: layer.offset, inputs: layer.inputs, outputs: layer.outputs, copying: inputs,
        into: transposed, at: layer.transposedOffset + (inputs.lowerBound - layer.firstGradientInput) * layer.outputs,
        panels: panels)
    }
  }

  // MARK: as tensors

  /// The parameters as tensors named `prefix.…`, with the running statistics where there are some.
  public func tensors(_ prefix: String) -> [Tensor] {
    tensors(prefix, of: values) + (keepsStatistics ? statisticsTensors(prefix) : [])
  }

  package func tensors(_ prefix: String, of block: borrowing Block) -> [Tensor] {
    let copy = block.values
    return layout.tensors.map { Tensor(prefix, $0, of: copy) }
  }

  /// Reads the parameters from tensors named `prefix.…`.
  public func load(_ prefix: String, from find: (String) throws -> Tensor) throws {
    try load(prefix, into: values, from: find)
    if keepsStatistics { try loadStatistics(prefix, from: find) }
    trackingChecks.fill(0, 0..<trackingChecks.count)
    refreshTransposed(.whole)
  }

  package func load(_ prefix: String, into block: borrowing Block, from find: (String) throws -> Tensor) throws {
    block.fill(0, 0..<block.count)  // the padding too: non-finite numbers may have reached it
    for view in layout.tensors {
      let tensor = try find("\(prefix).\(view.name)")
      guard tensor.shape == view.shape else {
        throw TensorMismatch("\(tensor.name) has shape \(tensor.shape), the network needs \(view.shape)")
      }
      let values = tensor.values
      view.forEachIndex { element, index in block[index] = values[element] }
    }
  }
}
