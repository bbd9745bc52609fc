// Processor.swift — what this processor can do, and how fast.

import Intrinsics
import Platform
import Synchronization
import Vector
import Vector512

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Which of the compiled kernels run.
package enum InstructionSet: String, Sendable {
  /// AVX2 and FMA on x86-64; NEON on arm64.
  case baseline
  /// AVX-512 (F, VL, DQ, BW).
  case wide
}

/// The processor is too old for the kernels.
public struct UnsupportedProcessor: Error, CustomStringConvertible {
  public let description =
    "this processor has no AVX2 and FMA, which every kernel needs: run on an x86-64 processor of 2013 or later, or arm64"
}

/// The processor that this process runs on: its name, its instruction sets, its speed.
public enum Processor {
  /// The instruction set in use: the widest that the processor has.
  ///
  /// The environment variable `OFFPOLICY_KERNELS=baseline` chooses the narrower one, which gives the same bits.
  package static let instructionSet: InstructionSet = {
    #if arch(x86_64)
      let wanted = getenv("OFFPOLICY_KERNELS").map { String(cString: $0) }
      let wide = ["avx512f", "avx512vl", "avx512dq", "avx512bw"].allSatisfy(features.contains)
      return wide && wanted != InstructionSet.baseline.rawValue ? .wide : .baseline
    #else
      return .baseline
    #endif
  }()

  /// Whether the processor has a matrix unit (AMX) and the system lends it; `OFFPOLICY_KERNELS=wide` leaves it out.
  public static let hasMatrixUnit: Bool = {
    let wanted = getenv("OFFPOLICY_KERNELS").map { String(cString: $0) }
    return instructionSet == .wide && wanted != InstructionSet.wide.rawValue
      && ["amx_tile", "amx_bf16"].allSatisfy(features.contains) && allowMatrixUnit()
  }()

  /// Whether large products run on the matrix unit: from start where there is one.
  ///
  /// It adds in another order than vectors do, so it gives other bits, as exact.
  public static var usesMatrixUnit: Bool { matrixUnit.load(ordering: .relaxed) }

  /// Chooses for the whole process. Call it before the first update, never between two of one run.
  ///
  /// - Parameter wanted: true for the matrix unit, false for vectors.
  /// - Returns: whether the choice was possible: false where the unit is wanted and the processor has none.
  @discardableResult
  public static func useMatrixUnit(_ wanted: Bool) -> Bool {
    matrixUnit.store(wanted && hasMatrixUnit, ordering: .relaxed)
    return usesMatrixUnit == wanted
  }

  private static let matrixUnit = Atomic(hasMatrixUnit)

  /// The name that the processor gives itself.
  public static let name: String = {
    #if os(Linux)
      field("model name") ?? "unknown"
    #else
      "Apple silicon"
    #endif
  }()

  /// Call once at start: a clear error rather than an illegal instruction.
  public static func check() throws {
    #if arch(x86_64) && os(Linux)
      guard features.isEmpty || (features.contains("avx2") && features.contains("fma")) else {
        throw UnsupportedProcessor()
      }
    #endif
  }

  /// Logical processors that are online, at least 1. The process may be allowed fewer.
  public static let coreCount: Int = {
    max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }()

  /// What `Kernels` runs on, for run files: instruction set and processor.
  public static var summary: String {
    "\(name), \(usesMatrixUnit ? "AVX-512 and AMX" : instructionSet == .wide ? "AVX-512" : baselineName)"
  }

  private static var baselineName: String {
    #if arch(x86_64)
      "AVX2"
    #else
      "NEON"
    #endif
  }

  /// Floating-point operations per second of a loop that touches only registers, summed over all threads.
  ///
  /// - Parameters:
  ///   - workers: the threads that run the loop, all at once.
  ///   - seconds: the least time to measure for, in s.
  public static func measurePeak(workers: WorkerPool, seconds: Double = 0.2) -> Double {
    let operations = Block(count: workers.count * panelWidth)
    let start = ContinuousClock.now
    var elapsed = 0.0
    var total = 0.0
    repeat {
      workers.forEachWorker { worker in
        var sink: Float = 0
        let done =
          instructionSet == .wide
          ? Vector512.peakLoop(rounds: 400_000, sink: &sink) : Vector.peakLoop(rounds: 400_000, sink: &sink)
        operations[worker * panelWidth] = Float(done) + (sink.isNaN ? 1 : 0)
      }
      for worker in 0..<workers.count { total += Double(operations[worker * panelWidth]) }
      let duration = (ContinuousClock.now - start).components
      elapsed = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    } while elapsed < seconds
    return total / elapsed
  }

  private static let features: Set<String> = Set(
    (field("flags") ?? "").split(separator: " ").map(String.init))

  /// The value of the first line of /proc/cpuinfo that begins with a name; nil where there is no such line or file.
  private static func field(_ name: String) -> String? {
    guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let start = line {
      let text = String(cString: start)
      guard text.hasPrefix(name), let colon = text.firstIndex(of: ":") else { continue }
      let value = text[text.index(after: colon)...]
      return String(value.drop { $0 == " " }.prefix { $0 != "\n" })
    }
    return nil
  }
}
