import Testing

@testable import Offline

@Suite struct StudentTTests {
  // R 4: qt(0.975, df), qt(0.9, df)
  @Test(arguments: [
    (0.975, 1, 12.706204736), (0.975, 2, 4.302652730), (0.975, 4, 2.776445105), (0.975, 9, 2.262157163),
    (0.975, 29, 2.045229642), (0.975, 99, 1.984216952), (0.975, 9999, 1.960201264), (0.9, 5, 1.475884049),
    (0.5, 7, 0.0),
  ])
  func `quantiles are those of the tables`(share: Double, degrees: Int, expected: Double) {
    #expect(abs(StudentT.quantile(share, degrees: degrees) - expected) < 1e-8)
  }

  @Test(arguments: [(0.5, 0.5723649429), (1.0, 0), (4.5, 2.4537365708), (10.0, 12.8018274801), (50.0, 144.5657439464)])
  func `the logarithm of the gamma function is that of the tables`(x: Double, expected: Double) {
    #expect(abs(StudentT.logGamma(x) - expected) < 1e-9)
  }
}
