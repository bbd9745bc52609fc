// Denormals.swift — whether a thread computes with numbers below the normal ones, or takes them for 0.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Moments of dead units decay into denormal numbers, on which some processors compute fifty times slower. They are
// flushed to zero inside phases and updates only: a simulator stepped between them must not notice.

/// What the mode was.
@discardableResult
func flushDenormals() -> fenv_t {
  var environment = fenv_t()
  fegetenv(&environment)
  let saved = environment
  setFlush(&environment)
  fesetenv(&environment)
  return saved
}

/// Back to the ordinary mode; what the mode was.
func keepDenormals() -> fenv_t {
  var environment = fenv_t()
  fegetenv(&environment)
  let saved = environment
  clearFlush(&environment)
  fesetenv(&environment)
  return saved
}

private func clearFlush(_ environment: inout fenv_t) {
  #if arch(x86_64)
    environment.__mxcsr &= ~0x8040
  #elseif arch(arm64)
    environment.__fpcr &= ~(1 << 24)
  #endif
}

func restoreMode(_ saved: fenv_t) {
  var saved = saved
  fesetenv(&saved)
}

private func setFlush(_ environment: inout fenv_t) {
  #if arch(x86_64)
    environment.__mxcsr |= 0x8040
  #elseif arch(arm64)
    environment.__fpcr |= 1 << 24
  #endif
}
