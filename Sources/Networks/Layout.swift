// Layout.swift — the places of a network's parameters in its flat block, and the names of its tensors.

import Kernels
import Platform

/// The place of one layer in a network's parameters.
package struct Layer: Sendable {
  package enum Kind: Sendable {
    /// A matrix product: (I + 1) × 16 values for each panel of outputs, the bias last.
    case dense
    /// The same with at most 16 outputs, one panel, so that workers divide its inputs instead.
    case narrow
    /// One output: the weights as panels of one row, then one vector with the bias.
    case scalar
    /// The scale and shift of a normalisation: 16 of each for each panel of units, which are both its inputs and its outputs.
    case affine
  }

  package let kind: Kind
  package let inputs: Int
  package let outputs: Int
  /// The first input with a gradient; `inputs` if no input has one.
  package let firstGradientInput: Int
  /// Index of the first parameter in the flat block.
  package let offset: Int
  /// Index of the first element of Wᵀ in the block of transposed weights.
  package let transposedOffset: Int

  /// Number of panels that workers divide: panels of outputs, or of inputs if the outputs are one panel.
  package var panels: Int { ((kind == .dense ? outputs : inputs) + panelWidth - 1) / panelWidth }

  package var parameterCount: Int {
    switch kind {
    case .dense, .narrow: denseParameterCount(inputs: inputs, outputs: outputs)
    case .scalar: headParameterCount(inputs: inputs)
    case .affine: layerNormParameterCount(outputs)
    }
  }

  package var transposedCount: Int {
    switch kind {
    case .dense, .narrow: denseTransposedCount(inputs: inputs - firstGradientInput, outputs: outputs)
    case .scalar, .affine: 0
    }
  }

  /// The inputs and the panels of outputs of a share, as far as Wᵀ holds their weights.
  package func transposed(of share: Share) -> (inputs: Range<Int>, panels: Range<Int>) {
    let part = share.range(of: panels)
    guard kind == .narrow else { return (firstGradientInput..<inputs, part) }
    return (min(inputs, part.lowerBound * panelWidth)..<min(inputs, part.upperBound * panelWidth), 0..<1)
  }

  /// The range of a share in the flat block.
  package func range(of share: Share) -> Range<Int> { range(ofPanels: share.range(of: panels)) }

  /// The range of some panels in the flat block. If inputs are divided, the biases belong to the last panel.
  package func range(ofPanels part: Range<Int>) -> Range<Int> {
    switch kind {
    case .dense:
      let block = (inputs + 1) * panelWidth
      return (offset + part.lowerBound * block)..<(offset + part.upperBound * block)
    case .narrow:
      let end = part.upperBound == panels ? inputs + 1 : part.upperBound * panelWidth
      return part.isEmpty
        ? offset..<offset : (offset + part.lowerBound * panelWidth * panelWidth)..<(offset + end * panelWidth)
    case .scalar:
      let end = !part.isEmpty && part.upperBound == panels ? part.upperBound + 1 : part.upperBound
      return (offset + part.lowerBound * panelWidth)..<(offset + end * panelWidth)
    case .affine:
      return (offset + 2 * part.lowerBound * panelWidth)..<(offset + 2 * part.upperBound * panelWidth)
    }
  }

  /// Index of weight (output, input) in the flat block.
  package func weightIndex(output: Int, input: Int) -> Int {
    switch kind {
    case .dense, .narrow:
      offset + output / panelWidth * (inputs + 1) * panelWidth + input * panelWidth + output % panelWidth
    case .scalar: offset + input
    case .affine: offset + output / panelWidth * 2 * panelWidth + output % panelWidth
    }
  }

  /// Index of an output's bias in the flat block.
  package func biasIndex(output: Int) -> Int {
    switch kind {
    case .dense, .narrow: weightIndex(output: output, input: inputs)
    case .scalar: offset + panels * panelWidth
    case .affine: weightIndex(output: output, input: 0) + panelWidth
    }
  }
}

/// A tensor in PyTorch's layout: weights [out, in] or biases [out] of some outputs of a layer.
package struct TensorView: Sendable {
  package let name: String
  package let layer: Layer
  package let outputs: Range<Int>
  package let isBias: Bool

  /// A bias, or a normalisation's scale or shift.
  private var isVector: Bool { isBias || layer.kind == .affine }

  package var shape: [Int] { isVector ? [outputs.count] : [outputs.count, layer.inputs] }

  /// Index of each element in the flat block, row by row.
  package func forEachIndex(_ body: (_ element: Int, _ index: Int) -> Void) {
    var element = 0
    for output in outputs {
      if isVector {
        body(element, isBias ? layer.biasIndex(output: output) : layer.weightIndex(output: output, input: 0))
        element += 1
      } else {
        for input in 0..<layer.inputs {
          body(element, layer.weightIndex(output: output, input: input))
          element += 1
        }
      }
    }
  }
}

/// The layers of a multilayer perceptron: hidden blocks, then a linear layer, then the normalisations of the blocks.
package struct Layout: Sendable {
  package let layers: [Layer]
  package let tensors: [TensorView]
  package let blocks: [NetworkBlock]
  /// Index among the layers of each block's normalisation (scale and shift); nil for a block without one.
  private let normalizations: [Int?]
  /// How what the layers read is normalised over a batch; nil: it is not.
  package let batchNormalization: BatchNormalization?
  /// Where it is: at site k what layer k reads. Empty where it is not.
  let sites: [BatchNormSite]
  /// Whether the weights of each unit and output are kept at length 1.
  let hasUnitLengths: Bool

  /// Whether hidden layers are x W, normalisation, ReLU: they have no bias then.
  var normalizesFirst: Bool { batchNormalization?.order == .beforeActivation }

  package var hidden: ArraySlice<Layer> { layers[..<blocks.count] }
  package var output: Layer { layers[blocks.count] }
  package var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }
  package var transposedCount: Int { layers.reduce(0) { $0 + $1.transposedCount } }
  package var panelCount: Int { layers.reduce(0) { $0 + $1.panels } }
  /// Values of the running means and variances.
  var statisticsCount: Int { sites.last.map { $0.statistics.offset + $0.statistics.parameterCount } ?? 0 }

  /// Scale and shift of block k's normalisation, if it has one.
  package func normalization(_ k: Int) -> Layer? { normalizations[k].map { layers[$0] } }

  /// - Parameters:
  ///   - inputs: number of inputs: S for a policy, S + A for a critic.
  ///   - gradientInputs: number of inputs, counted from the end, that have a gradient: 0, or A for a critic.
  ///   - blocks: the hidden layers, at least one.
  ///   - outputs: the parts of the output by name with their sizes, such as mean and log_std. A part without a name
  ///     continues the numbering of the hidden layers.
  ///   - scalar: one output, kept as a dot product.
  ///   - batchNormalization: of what every layer reads; all inputs get a gradient then.
  ///   - hasUnitLengths: the weights of each unit and output are kept at length 1. Not for a scalar layer.
  package init(
    inputs: Int, gradientInputs: Int, blocks: [NetworkBlock], outputs: [(name: String?, size: Int)], scalar: Bool,
    batchNormalization: BatchNormalization? = nil, hasUnitLengths: Bool = false
  ) {
    let normalizesFirst = batchNormalization?.order == .beforeActivation
    precondition(!normalizesFirst || blocks.allSatisfy(\.isFused), "blocks with more than ReLU, normalised before it")
    precondition(
      !scalar || !hasUnitLengths && !normalizesFirst, "a scalar layer behind blocks that are normalised before ReLU")
    let hidden = blocks.map(\.units)
    precondition(!hidden.isEmpty && hidden.allSatisfy { $0 > 0 }, "hidden layers of \(hidden) units")
    precondition(blocks.allSatisfy { 0 <= $0.dropout && $0.dropout < 1 }, "dropout of \(blocks.map(\.dropout))")
    let total = outputs.reduce(0) { $0 + $1.size }
    precondition(!scalar || total == 1, "a scalar layer with \(total) outputs")
    var layers: [Layer] = []
    var tensors: [TensorView] = []
    var (offset, transposedOffset) = (0, 0)
    let gradientInputs = batchNormalization == nil ? gradientInputs : inputs
    for (index, size) in (hidden + [total]).enumerated() {
      let isOutput = index == hidden.count
      let inputs = index == 0 ? inputs : hidden[index - 1]
      let layer = Layer(
        // a length is that of all inputs, so that workers may not divide these
        kind: !isOutput ? .dense : scalar ? .scalar : total <= panelWidth && !hasUnitLengths ? .narrow : .dense,
        inputs: inputs,
        outputs: size,
        firstGradientInput: index == 0 ? inputs - gradientInputs : 0, offset: offset,
        transposedOffset: transposedOffset)
      offset += layer.parameterCount
      transposedOffset += layer.transposedCount
      layers.append(layer)
      var first = 0
      for (name, size) in isOutput ? outputs : [(name: nil, size: size)] {
        let name = name ?? "layer.\(index)"
        let part = first..<(first + size)
        tensors.append(TensorView(name: name + ".weight", layer: layer, outputs: part, isBias: false))
        if isOutput || !normalizesFirst {
          tensors.append(TensorView(name: name + ".bias", layer: layer, outputs: part, isBias: true))
        }
        first += size
      }
    }
    var normalizations = [Int?](repeating: nil, count: blocks.count)
    for (index, block) in blocks.enumerated() where block.normalization == .layer {
      let layer = Layer(
        kind: .affine, inputs: block.units, outputs: block.units, firstGradientInput: 0, offset: offset,
        transposedOffset: transposedOffset)
      normalizations[index] = layers.count
      offset += layer.parameterCount
      layers.append(layer)
      let all = 0..<block.units
      tensors.append(TensorView(name: "norm.\(index).weight", layer: layer, outputs: all, isBias: false))
      tensors.append(TensorView(name: "norm.\(index).bias", layer: layer, outputs: all, isBias: true))
    }
    var sites: [BatchNormSite] = []
    if batchNormalization != nil {
      var statisticsOffset = 0
      for (index, size) in ([inputs] + hidden).enumerated() {
        func pair(at offset: Int) -> Layer {
          Layer(
            kind: .affine, inputs: size, outputs: size, firstGradientInput: 0, offset: offset,
            transposedOffset: transposedOffset)
        }
        let site = BatchNormSite(affine: pair(at: offset), statistics: pair(at: statisticsOffset), index: index)
        offset += site.affine.parameterCount
        statisticsOffset += site.statistics.parameterCount
        layers.append(site.affine)
        for (name, isBias) in [("weight", false), ("bias", true)] {
          tensors.append(
            TensorView(name: "batch_norm.\(index).\(name)", layer: site.affine, outputs: 0..<size, isBias: isBias))
        }
        sites.append(site)
      }
    }
    (self.batchNormalization, self.sites, self.hasUnitLengths) = (batchNormalization, sites, hasUnitLengths)
    (self.layers, self.tensors, self.blocks, self.normalizations) = (layers, tensors, blocks, normalizations)
  }

  /// The same with hidden layers of these sizes and ReLU.
  package init(inputs: Int, gradientInputs: Int, hidden: [Int], outputs: [(name: String?, size: Int)], scalar: Bool) {
    self.init(
      inputs: inputs, gradientInputs: gradientInputs, blocks: [NetworkBlock](hidden), outputs: outputs, scalar: scalar)
  }
}
