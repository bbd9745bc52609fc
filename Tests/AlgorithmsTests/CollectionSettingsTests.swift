// CollectionSettingsTests.swift — updates that are owed after a number of steps.

import Testing

@testable import Algorithms

@Suite struct CollectionSettingsTests {
  private func settings(_ updatesPerStep: Double) -> CollectionSettings {
    CollectionSettings(bufferCapacity: 1000, randomSteps: 0, updateEvery: 1, updatesPerStep: updatesPerStep)
  }

  @Test(arguments: [(11, 3), (7, 2), (3, 1), (49, 10), (10, 7), (1, 20), (8, 1)])
  func `each round has the same number of updates, whatever the ratio and wherever it begins`(steps: Int, updates: Int)
  {
    let settings = settings(Double(updates) / Double(steps))
    for first in [0, 1, 100, 1_000_003, 1_000_000_000] {
      for round in 0..<1000 {
        let start = first + round * steps
        #expect(settings.updatesOwed(from: start, to: start + steps) == updates)
      }
    }
  }

  @Test(arguments: [0.3, 0.1, 1.0 / 3, 0.25, 2.5] as [Double])
  func `over many steps there are as many updates as the ratio says`(ratio: Double) {
    let settings = settings(ratio)
    let single = (0..<3000).map { settings.updatesOwed(from: $0, to: $0 + 1) }
    #expect(single.reduce(0, +) == Int((3000 * ratio).rounded()))
    #expect(single.allSatisfy { $0 == Int(ratio) || $0 == Int(ratio) + 1 })
  }
}
