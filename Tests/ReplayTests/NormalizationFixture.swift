// NormalizationFixture.swift — a recording and what Stable-Baselines3 made of it: see Scripts/fixtures/normalization.py.

import Formats
import Foundation
import Kernels

struct NormalizationFixture {
  let file: SafeTensors
  let observations: [Float]  // (T × N × S)
  let rewards: [Double]  // (T × N)
  let ends: [UInt8]  // (T × N)
  let (steps, lanes, size): (Int, Int, Int)

  init() throws {
    file = try SafeTensors(
      contentsOf: Bundle.module.resourceURL!.appendingPathComponent("Fixtures/normalization.safetensors").path)
    let shape = try file.shape("observations")
    (steps, lanes, size) = (shape[0], shape[1], shape[2])
    observations = try file.floats("observations")
    (rewards, ends) = (try file.doubles("rewards"), try file.bytes("ends"))
  }

  /// The observations of one step, a row for each environment.
  func matrix(_ t: Int) -> Matrix {
    let matrix = Matrix(rows: lanes, columns: size)
    for lane in 0..<lanes { matrix.setRow(lane, to: row(t, lane).span) }
    return matrix
  }

  func row(_ t: Int, _ lane: Int) -> [Float] {
    let start = (t * lanes + lane) * size
    return Array(observations[start..<(start + size)])
  }
}

/// How far a value is from what it should be, of that.
func relativeError(_ value: Double, _ expected: Double) -> Double {
  abs(value - expected) / max(abs(expected), 1e-300)
}

/// Saved numbers by name, as a checkpoint gives them back.
func finder(_ state: [(name: String, values: [Double])]) -> (String) throws -> [Double] {
  { name in
    guard let found = state.first(where: { $0.name == name }) else { throw NoSuchState() }
    return found.values
  }
}

struct NoSuchState: Error {}
