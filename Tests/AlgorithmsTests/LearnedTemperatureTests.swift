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
    temperature.step(gradient: gradient())
    #expect(temperature.value == before)
  }

  @Test func `a learned α follows Adam on log α`() {
    let temperature = LearnedTemperature(.learned(initial: 1), settings)
    var (logarithm, first, second) = (0.0, 0.0, 0.0)
    for n in 1...20 {
      let gradient = sin(Double(n))
      temperature.step(gradient: gradient)
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
    temperature.step(gradient: 2)
    // Adam's first step is the rate, whatever the gradient
    #expect(abs(log(temperature.value) + 0.5) < 1e-7)
  }

  @Test func `its schedule counts its own steps, or the updates that it is told`() {
    var halving = AdamSettings(learningRate: 0.5)
    halving.schedule = .linear(final: 0, updates: 10)
    let (own, told) = (
      LearnedTemperature(.learned(initial: 1), halving), LearnedTemperature(.learned(initial: 1), halving)
    )
    own.step(gradient: 2)
    told.step(gradient: 2, atUpdate: 5)
    // Adam's first step is the rate: at the first update the whole of it, at the fifth what is left
    #expect(abs(log(own.value) + halving.rate(atUpdate: 1)) < 1e-7)
    #expect(abs(log(told.value) + halving.rate(atUpdate: 5)) < 1e-7 && halving.rate(atUpdate: 5) < 0.31)
  }

  @Test func `read again it goes on with the same bits, from log α in full`() throws {
    let first = LearnedTemperature(.learned(initial: 0.7), settings)
    for n in 0..<5 { first.step(gradient: Double(n) - 1.5) }
    let state = StateCoder.write { coder in
      try first.codeParameters(&coder)
      try first.codeProgress(&coder)
    }
    let second = LearnedTemperature(.learned(initial: 1), settings)
    try StateCoder.read(state, from: state.finder()) { coder in
      try second.codeParameters(&coder)
      try second.codeProgress(&coder)
    }
    for _ in 0..<5 {
      #expect(first.value == second.value)
      first.step(gradient: 0.3)
      second.step(gradient: 0.3)
    }
  }
}
