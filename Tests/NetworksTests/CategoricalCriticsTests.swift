import Foundation
import Kernels
import Platform
import Testing

@testable import Networks

@Suite struct CategoricalCriticsTests {
  static let (rows, s, a, atoms) = (11, 4, 3, 19)
  static let sizes = [18, 7, 20]

  private let observations = numbers(CategoricalCriticsTests.rows * CategoricalCriticsTests.s, seed: 21)
  private let actions = numbers(CategoricalCriticsTests.rows * CategoricalCriticsTests.a, seed: 22)
  private let nextObservations = numbers(CategoricalCriticsTests.rows * CategoricalCriticsTests.s, seed: 23).map {
    2 * $0 + 1
  }
  private let nextActions = numbers(CategoricalCriticsTests.rows * CategoricalCriticsTests.a, seed: 24)

  private var x: Matrix { Matrix(observations, rows: Self.rows, columns: Self.s) }
  private var z: Matrix { Matrix(actions, rows: Self.rows, columns: Self.a) }

  private func make() -> (CategoricalCritics, [BatchReference]) {
    var normalization = BatchNormalization()
    normalization.order = .beforeActivation
    let critics = CategoricalCritics(
      count: 2, atoms: Self.atoms, bounds: (-2, 3), observationSize: Self.s, actionSize: Self.a,
      hiddenSizes: Self.sizes, batchSize: Self.rows, batchNormalization: normalization)
    var stream = RandomStream(seed: 8, purpose: "initialization")
    critics.initialize(using: &stream)
    for network in critics.networks {
      for view in network.layout.tensors where view.name.hasPrefix("batch_norm") {
        view.forEachIndex { _, index in
          network.values[index] = (view.isBias ? 0 : 1) + 0.3 * (2 * stream.uniform() - 1)
        }
      }
      for site in network.layout.sites {
        for view in site.tensors {
          view.forEachIndex { _, index in
            network.statistics[index] = view.isBias ? 0.2 + stream.uniform() : 0.4 * (2 * stream.uniform() - 1)
          }
        }
      }
      network.refreshTransposed(.whole)
    }
    let references = critics.networks.map {
      BatchReference($0.tensors("critic"), "critic", .relu, depth: Self.sizes.count, order: .beforeActivation)
    }
    return (critics, references)
  }

  private func joint() -> [[Double]] {
    (0..<Self.rows).map { observations.row($0, of: Self.s) + actions.row($0, of: Self.a) }
      + (0..<Self.rows).map { nextObservations.row($0, of: Self.s) + nextActions.row($0, of: Self.a) }
  }

  private func evaluateJointly(_ critics: CategoricalCritics, _ workers: WorkerPool = WorkerPool(count: 1)) {
    critics.evaluateJointly(
      x, z, next: Matrix(nextObservations, rows: Self.rows, columns: Self.s),
      Matrix(nextActions, rows: Self.rows, columns: Self.a), by: workers)
  }

  /// Some distributions, row by row.
  private var targets: [Double] {
    var values = numbers(Self.rows * Self.atoms, seed: 9).map { Double(abs($0)) }
    for row in 0..<Self.rows {
      let sum = values[row * Self.atoms..<(row + 1) * Self.atoms].reduce(0, +)
      for i in row * Self.atoms..<(row + 1) * Self.atoms { values[i] /= sum }
    }
    return values
  }

  private let head = ["layer.\(CategoricalCriticsTests.sizes.count)"]

  private func logProbabilities(_ logits: [Double]) -> [Double] {
    let normalizer = log(logits.reduce(0) { $0 + exp($1) })
    return logits.map { $0 - normalizer }
  }

  private func mean(_ logits: [Double]) -> Double {
    logProbabilities(logits).enumerated().reduce(0) {
      $0 + exp($1.element) * (-2 + 5 * Double($1.offset) / Double(Self.atoms - 1))
    }
  }

  @Test func `the joint pass and every gradient of it are those of double precision`() {
    let (critics, references) = make()
    let targets = self.targets
    evaluateJointly(critics)
    critics.backwardJointly(
      to: Matrix(targets.map { Float($0) }, rows: Self.rows, columns: Self.atoms), weights: .ones(Self.rows),
      scale: 1 / Float(Self.rows), rows: Self.rows, by: WorkerPool(count: 1))
    var total = 0.0
    for j in 0..<2 {
      let expected = references[j].forward(joint(), heads: head, learning: true).outputs
      for row in 0..<2 * Self.rows {
        #expect(abs(Double(critics.value(j, at: row)) - mean(expected[row])) < 2e-5, "Q_\(j) of row \(row)")
        for (i, p) in logProbabilities(expected[row]).enumerated() {
          #expect(abs(Double(critics.probability(j, i, at: row)) - exp(p)) < 2e-5)
        }
      }
      func loss(_ reference: BatchReference) -> Double {
        let outputs = reference.forward(joint(), heads: head, learning: true).outputs
        return (0..<Self.rows).reduce(0) { sum, row in
          let p = logProbabilities(outputs[row])
          return sum - p.indices.reduce(0) { $0 + targets[row * Self.atoms + $1] * p[$1] } / Double(Self.rows)
        }
      }
      total += loss(references[j])
      critics.jointWeightGradients(j, rows: Self.rows, .whole)
      let network = critics.networks[j]
      for tensor in network.tensors("critic", of: network.gradients) {
        let expected = references[j].gradient(tensor.name, loss)
        let largest = expected.map(abs).max() ?? 0
        for (own, theirs) in zip(tensor.values, expected) {
          #expect(
            abs(Double(own) - theirs) <= 2e-3 * abs(theirs) + 1e-4 * max(largest, 0.01),
            "\(tensor.name): \(own), \(theirs)")
        }
      }
    }
    #expect(abs(critics.meanLoss(weights: .ones(Self.rows), rows: Self.rows) - total) < 1e-5)
  }

  @Test func `elsewhere running statistics normalise, and the gradient of the smaller mean reaches the action`() {
    let (critics, references) = make()
    let x = self.x
    let z = self.z
    for j in 0..<2 { critics.evaluate(j, x, z, rows: 0..<Self.rows) }
    func value(_ j: Int, _ row: Int, moved: Int = 0, by h: Double = 0) -> Double {
      var input = observations.row(row, of: Self.s) + actions.row(row, of: Self.a)
      input[Self.s + moved] += h
      return mean(references[j].forward([input], heads: head, learning: false).outputs[0])
    }
    critics.gatherMinimum(rows: Self.rows)
    #expect(critics.gathered[0] > 0 && critics.gathered[1] > 0)
    let gradient = Matrix(rows: Self.rows, columns: Self.a)
    for j in 0..<2 { critics.minimumActionGradient(j, scale: 0.5, into: gradient, rows: 0..<critics.gathered[j]) }
    let h = 1e-6
    for row in 0..<Self.rows {
      for j in 0..<2 { #expect(abs(Double(critics.value(j, at: row)) - value(j, row)) < 2e-5) }
      let smaller = critics.value(1, at: row) < critics.value(0, at: row) ? 1 : 0
      for i in 0..<Self.a {
        let expected = 0.5 * (value(smaller, row, moved: i, by: h) - value(smaller, row, moved: i, by: -h)) / (2 * h)
        #expect(abs(Double(gradient[row, i]) - expected) < 2e-4, "row \(row), action \(i)")
      }
    }
    // the same networks asked about one pair
    let one = CategoricalCriticsOfOne(critics, observationSize: Self.s, actionSize: Self.a)
    let (state, action) = (Array(observations[..<Self.s]), Array(actions[..<Self.a]))
    #expect(abs(one.minimum(state.span, action.span) - Double(critics.minimum(at: 0))) < 1e-6)
  }

  @Test func `a target is that of the critic with the smaller mean at the next pair`() {
    let (critics, _) = make()
    let following = CategoricalCritics(following: critics)
    following.copy(critics)
    evaluateJointly(critics)
    evaluateJointly(following)
    let projected = Matrix(rows: Self.rows, columns: Self.atoms)
    let means = Block(count: Self.rows)
    // unchanged: the projection of a distribution on its own values is itself
    following.projectNext(
      of: Self.rows, shifts: Block(count: Self.rows), factors: .ones(Self.rows), into: projected, means: means,
      rows: 0..<Self.rows)
    var chosen: Set<Int> = []
    for row in 0..<Self.rows {
      let next = Self.rows + row
      let smaller = critics.value(1, at: next) < critics.value(0, at: next) ? 1 : 0
      chosen.insert(smaller)
      #expect(abs(means[row] - critics.value(smaller, at: next)) < 1e-5)
      for i in 0..<Self.atoms {
        #expect(abs(projected[row, i] - critics.probability(smaller, i, at: next)) < 1e-5)
      }
    }
    #expect(chosen.count == 2)
    #expect(!following.tensors("target").contains { $0.name.contains("running") || $0.name.hasSuffix("batches") })
    let (online, target) = (critics.tensors("critic").count, following.tensors("critic").count)
    #expect(online == target + 2 * (2 * (Self.sizes.count + 1) + 1))
  }

  @Test func `the share of probability at the bounds is told, and the largest mean`() {
    let (critics, _) = make()
    let x = self.x
    let z = self.z
    for j in 0..<2 { critics.evaluate(j, x, z, rows: 0..<Self.rows) }
    var (sum, largest) = (0.0, 0.0)
    for row in 0..<Self.rows {
      for j in 0..<2 {
        sum += Double(critics.probability(j, 0, at: row)) + Double(critics.probability(j, Self.atoms - 1, at: row))
        largest = max(largest, Double(abs(critics.value(j, at: row))))
      }
    }
    #expect(abs(critics.saturatedBins(rows: Self.rows) - sum / Double(2 * Self.rows)) < 1e-9)
    #expect(critics.largestValue(rows: Self.rows) == largest && largest > 0)
    #expect(critics.atom(0) == -2 && critics.atom(Self.atoms - 1) == 3)
  }

  @Test func `any number of workers has the same bits, and a step lowers the loss`() {
    func learned(_ workers: Int) -> (bits: [[UInt32]], losses: [Double]) {
      let (critics, _) = make()
      let pool = WorkerPool(count: workers)
      let optimizer = Adam(critics.networks, AdamSettings(learningRate: 1e-2))
      let targets = Matrix(self.targets.map { Float($0) }, rows: Self.rows, columns: Self.atoms)
      var losses: [Double] = []
      for update in 1...60 {
        evaluateJointly(critics, pool)
        critics.backwardJointly(to: targets, weights: .ones(Self.rows), scale: 0.1, rows: Self.rows, by: pool)
        losses.append(critics.meanLoss(weights: .ones(Self.rows), rows: Self.rows))
        optimizer.step(atUpdate: update, by: pool) { j, share in
          critics.jointWeightGradients(j, rows: Self.rows, share)
        }
      }
      return (critics.tensors("").map(\.values.bits), losses)
    }
    let one = learned(1)
    #expect(one.losses[59] < one.losses[0] - 0.1)
    for workers in 2...4 { #expect(learned(workers).bits == one.bits, "\(workers) workers") }
  }
}
