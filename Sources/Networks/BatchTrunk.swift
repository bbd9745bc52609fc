// BatchTrunk.swift — forward and backward pass of networks with batch normalisation, through the batch's statistics.
//
//   for k = 0, 1, …:  μ, v of x_k over all rows  |  z_k, layer k  |        ∂L/∂z_k  |  Σ ∂L/∂z_k, Σ ∂L/∂z_k x̄_k  |  ∂L/∂x_k
//
// A bar is the end of a phase: statistics need all rows, and the rows of layer k need the statistics. Sums are shared by
// panels, each over all rows in their order, and all else by rows, so any number of threads has the same bits.

import Kernels
import Platform

extension WorkerPool {
  /// Fills the hidden layers of some networks from their inputs, normalised by the statistics of the first `rows` rows, and moves the
  /// running ones. `output` is told each network's rows once what the output layer reads is there.
  func forwardBatch(
    _ networks: [Parameters], _ activations: borrowing FixedArray<Activations>, rows: Int,
    output: (_ network: Int, Range<Int>) -> Void
  ) {
    let depth = activations[0].hidden.count
    for k in 0...depth {
      forEachShare(of: networks.count) { j, share in
        networks[j].batchStatistics(k, activations[j], rows: rows, share)
      }
      forEachChunk(ofRows: rows, of: networks.count) { j, rows in
        networks[j].normalizeBatch(k, activations[j], rows: rows)
        if k < depth {
          let source = Input(activations[j].normalized[k])
          networks[j].forwardBlock(k, source, activations[j], nil, rows: rows)
        } else {
          output(j, rows)
        }
      }
    }
    for network in networks { network.batches += 1 }
  }

  /// Passes gradients back through all that `forwardBatch` filled, over the same rows, and sums those of g and b on the way.
  ///
  /// - Parameter head: writes ∂L/∂ of what the output layer reads into the last of a network's `gradients`, for some rows; back
  ///   through ReLU where that follows the normalisation.
  func backwardBatch(
    _ networks: [Parameters], _ activations: borrowing FixedArray<Activations>, rows: Int,
    head: (_ network: Int, Range<Int>) -> Void
  ) {
    forEachChunk(ofRows: rows, of: networks.count) { j, rows in head(j, rows) }
    for k in stride(from: activations[0].hidden.count, to: 0, by: -1) {
      forEachShare(of: networks.count) { j, share in
        networks[j].siteGradients(k, activations[j], rows: rows, share)
      }
      forEachChunk(ofRows: rows, of: networks.count) { j, rows in
        networks[j].backwardSite(k, activations[j], rows: rows)
      }
    }
  }
}

extension Parameters {
  private func settings() -> BatchNormSettings {
    guard let normalization = layout.batchNormalization else { preconditionFailure("a network without normalisation") }
    return normalization.settings(batches: batches)
  }

  fileprivate func batchStatistics(_ k: Int, _ activations: borrowing Activations, rows: Int, _ share: Share) {
    let site = layout.sites[k]
    let panels = share.range(of: site.affine.panels)
    if k == 0 {
      batchNormStatistics(
        activations.input, rows: rows, values, at: site.affine.offset, running: statistics,
        at: site.statistics.offset, settings(), activations.batchRecords[k], panels: panels)
    } else {
      batchNormStatistics(
        activations.hidden[k - 1], rows: rows, values, at: site.affine.offset, running: statistics,
        at: site.statistics.offset, settings(), activations.batchRecords[k], panels: panels)
    }
  }

  fileprivate func normalizeBatch(_ k: Int, _ activations: borrowing Activations, rows: Range<Int>) {
    if k == 0 {
      batchNormForward(activations.input, activations.batchRecords[k], into: activations.normalized[k], rows: rows)
    } else {
      batchNormForward(
        activations.hidden[k - 1], activations.batchRecords[k], rectify: layout.normalizesFirst,
        into: activations.normalized[k], rows: rows)
    }
  }

  /// ∂L/∂g and ∂L/∂b of a share of place k's columns, k > 0, from ∂L/∂z_k over the first `rows` rows.
  fileprivate func siteGradients(_ k: Int, _ activations: borrowing Activations, rows: Int, _ share: Share) {
    let site = layout.sites[k]
    batchNormGradientSums(
      activations.gradients[k - 1], activations.hidden[k - 1], rows: rows, activations.batchRecords[k],
      into: gradients, at: site.affine.offset, panels: share.range(of: site.affine.panels))
  }

  /// The same of the network's input, from which nothing goes further back.
  func firstSiteGradients(_ activations: borrowing Activations, rows: Int, _ share: Share) {
    let site = layout.sites[0]
    batchNormGradientSums(
      activations.inputGradient, activations.input, rows: rows, activations.batchRecords[0], into: gradients,
      at: site.affine.offset, panels: share.range(of: site.affine.panels))
    guard layout.normalizesFirst else { return }
    // differs: the next normalisation takes this shift off again, so it is held; in others' programs rounding errors drive it about
    for panel in share.range(of: site.affine.panels) {
      let shift = site.affine.biasIndex(output: panel * panelWidth)
      gradients.fill(0, shift..<(shift + panelWidth))
    }
  }

  /// From ∂L/∂z_k, k > 0, to ∂L/∂u_{k−1} in place, and on to ∂L/∂z_{k−1}, for some rows; both z before ReLU where that follows.
  fileprivate func backwardSite(_ k: Int, _ activations: borrowing Activations, rows: Range<Int>) {
    let isFused = layout.blocks[k - 1].isFused
    batchNormInputGradient(
      activations.gradients[k - 1], activations.hidden[k - 1], activations.batchRecords[k],
      mask: isFused && !layout.normalizesFirst, rows: rows)
    if !isFused { backwardActivation(k - 1, activations, rows: rows) }
    let offset = layout.layers[k - 1].transposedOffset
    if k > 1 && layout.normalizesFirst {
      denseInputGradient(
        activations.gradients[k - 1], transposed, at: offset, mask: activations.normalized[k - 1],
        into: activations.gradients[k - 2], rows: rows)
    } else if k > 1 {
      denseInputGradient(
        activations.gradients[k - 1], transposed, at: offset, into: activations.gradients[k - 2], rows: rows)
    } else {
      denseInputGradient(
        activations.gradients[0], transposed, at: offset, into: activations.inputGradient, rows: rows)
    }
  }

  /// Writes a network without normalisation that computes the same as this one with its running statistics.
  package func fold(into folded: Parameters) {
    precondition(!layout.sites.isEmpty && folded.layout.sites.isEmpty, "nothing to fold, or no place for it")
    precondition(layout.output.kind != .scalar, "a dot product is not folded")
    for (k, site) in layout.sites.enumerated() {
      let (layer, target) = (layout.layers[k], folded.layout.layers[k])
      precondition(
        layer.inputs == target.inputs && layer.outputs == target.outputs && layer.inputs == site.affine.inputs,
        "a layer of \(target.inputs) × \(target.outputs) for one of \(layer.inputs) × \(layer.outputs)")
      // normalised before ReLU a hidden layer takes what is behind it, too; the first one both
      if k == 0 || !layout.normalizesFirst {
        batchNormFold(
          values, at: layer.offset, inference[k], outputs: layer.outputs, into: folded.values, at: target.offset)
      } else {
        folded.values.copy(values, from: layer.offset, to: target.offset, count: layer.parameterCount)
      }
      if layout.normalizesFirst && k < layout.blocks.count {
        batchNormFoldOutputs(inference[k + 1], inputs: layer.inputs, into: folded.values, at: target.offset)
      }
    }
    folded.refreshTransposed(.whole)
  }
}
