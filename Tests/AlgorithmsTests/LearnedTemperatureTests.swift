import Foundation
import Networks
import Testing

@testable import Algorithms

@Suite struct LearnedTemperatureTests {
  private let settings = AdamSettings(learningRate: 0.01)

  @Test func `α starts at its value, learned or fixed`() {
    #expect(abs(LearnedTemperature(.learned(initial: 0.2), settings).value - 0.2) < 1e-7)
    #expect(abs(LearnedTemperature(.fixed(value: 0.3), settings).value - 0.3) < 1e-7)
    #expect(LearnedTemperature(.fixed(value: 0), settings).value == 0)
  }

  @Test func `a fixed α stays, and no gradient is asked for`() {
    let temperature = LearnedTemperature(.fixed(value: 0.3), settings)
    let before = temperature.value
    func gradient() -> Double {
      Issue.record("a gradient was computed")
      return 1
    }
    temperature.step(gradient: gradient(), atUpdate: 1)
    #expect(temperature.value == before)
  }

  @Test func `a learned α follows Adam on log α`() {
    let temperature = LearnedTemperature(.learned(initial: 1), settings)
    var (logarithm, first, second) = (0.0, 0.0, 0.0)
    for n in 1...20 {
      let gradient = sin(Double(n))
      temperature.step(gradient: gradient, atUpdate: n)
      first = 0.9 * first + 0.1 * gradient
      second = 0.999 * second + 0.001 * gradient * gradient
      let (mean, square) = (first / (1 - pow(0.9, Double(n))), second / (1 - pow(0.999, Double(n))))
      logarithm -= Double(Float(0.01)) * mean / (square.squareRoot() + 1e-8)
      #expect(abs(temperature.value - exp(logarithm)) < 1e-9)
    }
  }

  @Test func `a rate that is set holds from the next step on`() {
    let temperature = LearnedTemperature(.learned(initial: 1), settings)
    temperature.learningRate = 0.5
    temperature.step(gradient: 2, atUpdate: 1)
    // Adam's first step is the rate, whatever the gradient
    #expect(abs(log(temperature.value) + 0.5) < 1e-7)
  }

  @Test func `its schedule counts the run's updates, not its own steps`() {
    var halving = AdamSettings(learningRate: 0.5)
    halving.schedule = .linear(final: 0, updates: 10)
    // Adam's first step is the rate: at the first update the whole of it, at the fifth what is left
    for update in [1, 5] {
      let temperature = LearnedTemperature(.learned(initial: 1), halving)
      temperature.step(gradient: 2, atUpdate: update)
      #expect(abs(log(temperature.value) + halving.rate(atUpdate: update)) < 1e-7)
    }
    #expect(halving.rate(atUpdate: 1) == 0.5 && halving.rate(atUpdate: 5) < 0.31)
  }

  @Test func `read again it goes on with the same bits, from log α in full`() throws {
    let first = LearnedTemperature(.learned(initial: 0.7), settings)
    for n in 1...5 { first.step(gradient: Double(n) - 2.5, atUpdate: n) }
    let state = StateCoder.write { coder in
      try first.codeParameters(&coder)
      try first.codeProgress(&coder)
    }
    let second = LearnedTemperature(.learned(initial: 1), settings)
    try StateCoder.read(state, from: state.finder()) { coder in
      try second.codeParameters(&coder)
      try second.codeProgress(&coder)
    }
    for n in 6...10 {
      #expect(first.value == second.value)
      first.step(gradient: 0.3, atUpdate: n)
      second.step(gradient: 0.3, atUpdate: n)
    }
  }

  @Test func `a fixed α is that of the settings, whatever α was in the state that is read`() throws {
    let learned = LearnedTemperature(.learned(initial: 0.7), settings)
    let state = StateCoder.write { coder in
      try learned.codeParameters(&coder)
      try learned.codeProgress(&coder)
    }
    let fixed = LearnedTemperature(.fixed(value: 0.25), settings)
    try StateCoder.read(state, from: state.finder()) { coder in
      try fixed.codeParameters(&coder)
      try fixed.codeProgress(&coder)
    }
    #expect(abs(fixed.value - 0.25) < 1e-7)
  }
}
