import OffPolicy
import Testing

@testable import Offline

@Suite struct BootstrapTests {
  @Test func `the interval holds the true mean about as often as it says`() {
    var stream = RandomStream(seed: 1, purpose: "test")
    let noise = Block(count: 40)
    var held = 0
    for trial in 0..<400 {
      stream.fillNormal(noise)
      if Estimate(of: noise.values.map(Double.init), resamples: 400, seed: UInt64(trial)).contains(0) { held += 1 }
    }
    // 0.95 of 400 is 380; percentile intervals of 40 values hold a little less, and 3 standard errors are 13
    #expect((360...395).contains(held), "\(held) of 400")
  }

  @Test func `the same values and seed give the same interval, equal values none`() {
    let values = [1.0, 4, 2, 8, 5, 7]
    #expect(Estimate(of: values, seed: 3) == Estimate(of: values, seed: 3))
    let same = Estimate(of: [2, 2, 2])
    #expect(same.low == 2 && same.high == 2 && same.mean == 2 && same.count == 3)
    let estimate = Estimate(of: values)
    #expect(estimate.mean == 4.5 && estimate.low < 4.5 && estimate.high > 4.5)
  }
}
