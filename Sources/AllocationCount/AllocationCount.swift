// AllocationCount.swift — how often this program asks for memory, so that the benchmark can show that an update does not.
//
// A program's own malloc comes before the C library's, for every library in it. These count and pass the call on. Only
// the executable links them, by the linker settings in Package.swift: a package that uses the library keeps its own.

#if os(Linux) && !DEBUG && canImport(Glibc)
  import Synchronization

  private let calls = Atomic<Int>(0)

  /// Calls of malloc, calloc, realloc and their aligned kin so far.
  public func allocationCount() -> Int? { calls.load(ordering: .relaxed) }

  @_silgen_name("__libc_malloc") private func libcMalloc(_ size: Int) -> UnsafeMutableRawPointer?
  @_silgen_name("__libc_calloc") private func libcCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer?
  @_silgen_name("__libc_realloc") private func libcRealloc(_ old: UnsafeMutableRawPointer?, _ size: Int)
    -> UnsafeMutableRawPointer?
  @_silgen_name("__libc_memalign") private func libcMemalign(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer?

  @_cdecl("offpolicy_malloc")
  public func countedMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
    calls.add(1, ordering: .relaxed)
    return libcMalloc(size)
  }

  @_cdecl("offpolicy_calloc")
  public func countedCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
    calls.add(1, ordering: .relaxed)
    return libcCalloc(count, size)
  }

  @_cdecl("offpolicy_realloc")
  public func countedRealloc(_ old: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
    calls.add(1, ordering: .relaxed)
    return libcRealloc(old, size)
  }

  @_cdecl("offpolicy_aligned_alloc")
  public func countedAlignedAlloc(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer? {
    calls.add(1, ordering: .relaxed)
    return libcMemalign(alignment, size)
  }

  @_cdecl("offpolicy_posix_memalign")
  public func countedPosixMemalign(
    _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
  ) -> Int32 {
    calls.add(1, ordering: .relaxed)
    guard let memory = libcMemalign(alignment, size) else { return 12 }  // ENOMEM
    result.pointee = memory
    return 0
  }
#else
  /// Allocations are not counted on this system.
  public func allocationCount() -> Int? { nil }
#endif
