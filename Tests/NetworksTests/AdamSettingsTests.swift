import Foundation
import Networks
import Testing

@Suite struct AdamSettingsTests {
  @Test func `a constant rate is the rate itself, to the bit`() {
    let settings = AdamSettings(learningRate: 3e-4)
    for n in [1, 2, 1_000_000] { #expect(settings.rate(atUpdate: n) == Double(3e-4 as Float)) }
  }

  @Test(arguments: [0, 0.1, 1])
  func `a linear rate is the line from the first update to its end, and stays there`(final: Double) {
    let schedule = LearningRateSchedule.linear(final: final, updates: 8)
    // PyTorch's LinearLR: a step is taken before the rate has moved at all
    #expect(schedule.factor(atUpdate: 1) == 1)
    for n in 1...8 { #expect(abs(schedule.factor(atUpdate: n) - (1 + (final - 1) * Double(n - 1) / 8)) < 1e-15) }
    for n in [9, 10, 1000] { #expect(abs(schedule.factor(atUpdate: n) - final) < 1e-15) }
  }

  @Test(arguments: [0, 0.1, 1])
  func `a cosine rate falls as half a cosine, and stays at its end`(final: Double) {
    let schedule = LearningRateSchedule.cosine(final: final, updates: 8)
    #expect(abs(schedule.factor(atUpdate: 1) - 1) < 1e-15)
    #expect(abs(schedule.factor(atUpdate: 5) - (1 + final) / 2) < 1e-15, "half of the way in the middle")
    let eighth = final + (1 - final) * (1 + (2 + 2.0.squareRoot()).squareRoot() / 2) / 2  // cos π/8
    #expect(abs(schedule.factor(atUpdate: 2) - eighth) < 1e-15)
    for n in 1...8 { #expect(schedule.factor(atUpdate: n) >= schedule.factor(atUpdate: n + 1)) }
    for n in [9, 10, 1000] { #expect(abs(schedule.factor(atUpdate: n) - final) < 1e-15) }
  }

  @Test func `a schedule without a number of updates takes the run's, and one with a number keeps it`() {
    #expect(LearningRateSchedule.linear(final: 0.5, updates: nil).over(updates: 7) == .linear(final: 0.5, updates: 7))
    #expect(LearningRateSchedule.cosine(final: 0.5, updates: nil).over(updates: 7) == .cosine(final: 0.5, updates: 7))
    #expect(LearningRateSchedule.linear(final: 0.5, updates: 3).over(updates: 7) == .linear(final: 0.5, updates: 3))
    #expect(LearningRateSchedule.constant.over(updates: 7) == .constant)
    // until then the rate stays; of a run without updates nothing is divided by zero
    #expect(LearningRateSchedule.linear(final: 0, updates: nil).factor(atUpdate: 100) == 1)
    #expect(LearningRateSchedule.linear(final: 0, updates: 0).factor(atUpdate: 1) == 1)
  }

  @Test func `gradients are scaled only where their norm is above its bound`() {
    var settings = AdamSettings(learningRate: 1e-3)
    #expect(settings.clipping(ofNorm: 1e9) == 1)
    settings.maximumGradientNorm = 2
    #expect(settings.clipping(ofNorm: 0) == 1 && settings.clipping(ofNorm: 1.9) == 1)
    #expect(settings.clipping(ofNorm: 8) == Float(2 / (8 + 1e-6)))
    #expect(settings.clipping(ofNorm: .infinity).isNaN && settings.clipping(ofNorm: .nan).isNaN)
  }
}
