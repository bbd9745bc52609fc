// AllocationCount.swift — how many objects the Swift runtime makes, for the benchmark that shows that an update makes none.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Counts allocations of Swift objects (classes, arrays, boxes, closures) and of the kernels' blocks.
///
/// The runtime calls its allocator through a variable that instruments may replace; where that is not to be had, only
/// blocks are counted.
package enum AllocationCount {
  private typealias Allocate = @convention(c) (UnsafeRawPointer?, Int, Int) -> UnsafeMutableRawPointer?

  private static let count = Atomic<Int>(0)
  private static let original = Atomic<UInt>(0)  // a function's address

  package static func note() { count.add(1, ordering: .relaxed) }

  /// Starts counting and returns the count so far.
  package static func begin() -> Int {
    if original.load(ordering: .relaxed) == 0,
      let process = dlopen(nil, RTLD_NOW),
      let hook = dlsym(process, "_swift_allocObject"),
      let flag = dlsym(process, "_swift_enableSwizzlingOfAllocationAndRefCountingForInstruments_")
    {
      let variable = hook.assumingMemoryBound(to: UnsafeRawPointer?.self)
      original.store(UInt(bitPattern: variable.pointee), ordering: .relaxed)
      let counting: Allocate = { metadata, size, alignment in
        AllocationCount.note()
        let next = unsafeBitCast(AllocationCount.original.load(ordering: .relaxed), to: Allocate.self)
        return next(metadata, size, alignment)
      }
      variable.pointee = unsafeBitCast(counting, to: UnsafeRawPointer.self)
      flag.assumingMemoryBound(to: Bool.self).pointee = true
    }
    return count.load(ordering: .relaxed)
  }

  /// The count so far.
  package static func end() -> Int { count.load(ordering: .relaxed) }
}
