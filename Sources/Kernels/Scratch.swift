// Scratch.swift — temporary memory of each thread, for a kernel's intermediate results.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

enum Scratch {
  /// At least `count` uninitialised bytes, aligned to a cache line. This thread's next call reuses them.
  ///
  /// They are kept until the thread ends, and allocated anew only where a call asks for more than any before it.
  static func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    if let old = pthread_getspecific(key) {
      if old.load(as: Int.self) >= count { return old + header }
      free(old)
    }
    let size = (header + count + header - 1) / header * header
    guard let new = aligned_alloc(header, size) else { preconditionFailure("no memory for \(count) bytes of scratch") }
    new.storeBytes(of: size - header, as: Int.self)
    let status = pthread_setspecific(key, new)
    precondition(status == 0, "pthread_setspecific failed with \(status)")
    return new + header
  }

  /// The size stands before the bytes, on a cache line of its own.
  private static let header = 64

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { free($0) }
    precondition(status == 0, "pthread_key_create failed with \(status)")
    return key
  }()
}
