// Activation.swift — the functions that hidden layers may have, and what they do to a matrix.

import Vector
import Vector512

/// f of a hidden layer, element by element.
public enum Activation: Codable, Sendable, Equatable, CaseIterable {
  /// max(0, x): the one that is computed together with the layer's product.
  case relu
  /// tanh x
  case tanh
  /// x, or eˣ − 1 below zero (Clevert 2016, α = 1).
  case elu
  /// x / (1 + e⁻ˣ), also called swish (Elfwing 2018).
  case silu

  /// Its name in settings and files.
  public var name: String {
    switch self {
    case .relu: "relu"
    case .tanh: "tanh"
    case .elu: "elu"
    case .silu: "silu"
    }
  }

  /// Its name in text: ReLU.
  public var title: String {
    switch self {
    case .relu: "ReLU"
    case .tanh: "tanh"
    case .elu: "ELU"
    case .silu: "SiLU"
    }
  }

  /// The activation of a name in settings and files; nil if there is none.
  public init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  var code: Int {
    switch self {
    case .relu: Vector.ActivationCode.relu
    case .tanh: Vector.ActivationCode.tanh
    case .elu: Vector.ActivationCode.elu
    case .silu: Vector.ActivationCode.silu
    }
  }
}

/// h = f(h) in place and f′ into `slopes`, for some rows.
package func activate(
  _ activation: Activation, _ h: borrowing Matrix, slopes: borrowing Matrix, rows: Range<Int>
) {
  precondition(h.columns == slopes.columns, "\(h.columns) columns with \(slopes.columns) slopes")
  check(rows, min(h.rows, slopes.rows))
  let first = rows.lowerBound
  if wide {
    Vector512.activate(
      activation.code, rows: rows.count, h.at(first), h.stride, panels: h.panels, slopes.at(first), slopes.stride)
  } else {
    Vector.activate(
      activation.code, rows: rows.count, h.at(first), h.stride, panels: h.panels, slopes.at(first), slopes.stride)
  }
}

/// d ← d ⊙ x for some rows.
package func multiply(_ d: borrowing Matrix, by x: borrowing Matrix, rows: Range<Int>) {
  check(rows, x.rows)
  multiply(d, x, x.at(rows.lowerBound), nil, rows)
}

/// d ← d ⊙ x for some rows, row r with row `factorRows[r]` of x.
package func multiply(
  _ d: borrowing Matrix, by x: borrowing Matrix, factorRows: borrowing RowIndices, rows: Range<Int>
) {
  check(rows, factorRows.count)
  factorRows.check(rows, below: x.rows)
  multiply(d, x, x.pointer, factorRows.pointer + rows.lowerBound, rows)
}

private func multiply(
  _ d: borrowing Matrix, _ x: borrowing Matrix, _ factors: UnsafeMutablePointer<Float>,
  _ factorRows: UnsafeMutablePointer<Int32>?, _ rows: Range<Int>
) {
  precondition(d.columns == x.columns, "\(d.columns) columns by \(x.columns)")
  check(rows, d.rows)
  let factorRows = factorRows.map { UnsafePointer($0) }
  if wide {
    Vector512.multiply(
      rows: rows.count, d.at(rows.lowerBound), d.stride, panels: d.panels, by: factors, x.stride, factorRows: factorRows
    )
  } else {
    Vector.multiply(
      rows: rows.count, d.at(rows.lowerBound), d.stride, panels: d.panels, by: factors, x.stride, factorRows: factorRows
    )
  }
}
