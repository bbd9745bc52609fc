import Foundation
import Kernels
import Platform
import Testing

@Suite struct ProcessorTests {
  @Test func `a processor that runs these tests is not refused`() throws {
    try Processor.check()
    #expect(Processor.coreCount >= 1)
    #expect(!Processor.name.isEmpty)
    #expect(Processor.summary.hasPrefix(Processor.name + ", "))
  }

  @Test func `the narrow kernels run where the environment says so`() {
    if ProcessInfo.processInfo.environment["OFFPOLICY_KERNELS"] == "baseline" {
      #expect(Processor.instructionSet == .baseline)
    }
    #expect(Processor.summary.contains("AVX-512") == (Processor.instructionSet == .wide))
  }

  @Test func `the matrix unit is used where there is one, and named`() {
    #expect(Processor.usesMatrixUnit == Processor.hasMatrixUnit)
    #expect(Processor.summary.contains("AMX") == Processor.usesMatrixUnit)
    if let kernels = ProcessInfo.processInfo.environment["OFFPOLICY_KERNELS"], ["baseline", "wide"].contains(kernels) {
      #expect(!Processor.hasMatrixUnit)
    }
  }

  // from a slow virtual core to a fast one with two wide units, times the workers
  @Test(arguments: [1, 2])
  func `the peak is what a processor can do, and not what a loop without work would`(count: Int) {
    let peak = Processor.measurePeak(workers: WorkerPool(count: count), seconds: 0.05)
    #expect(peak > 1e9)
    #expect(peak < 4e11 * Double(count))
  }
}
