// Answers.swift — how a C function answers: a number, and for its thread a sentence or some bytes.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a thread's last call left.
final class Answer {
  var error = ""
  var bytes = Data()

  /// This thread's own.
  static var current: Answer {
    if let pointer = pthread_getspecific(key) { return Unmanaged<Answer>.fromOpaque(pointer).takeUnretainedValue() }
    let answer = Answer()
    pthread_setspecific(key, Unmanaged.passRetained(answer).toOpaque())
    return answer
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    #if canImport(Darwin)
      pthread_key_create(&key) { Unmanaged<Answer>.fromOpaque($0).release() }
    #else
      pthread_key_create(&key) { $0.map { Unmanaged<Answer>.fromOpaque($0).release() } }
    #endif
    return key
  }()
}

/// A call that does not fit. Its text goes to whoever called.
struct Refusal: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Runs a call: its number, or −1 and the error's text for `offpolicy_error`.
func answering(_ body: () throws -> Int64) -> Int64 {
  do {
    return try body()
  } catch {
    Answer.current.error = "\(error)"
    return -1
  }
}

/// Leaves bytes for `offpolicy_result`.
func leave(_ bytes: Data) -> Int64 {
  Answer.current.bytes = bytes
  return Int64(bytes.count)
}

func leave(_ text: String) -> Int64 { leave(Data(text.utf8)) }

/// Copies as much as there is room for; the whole count.
func copy(_ bytes: Data, to target: UnsafeMutablePointer<UInt8>?, capacity: Int64) -> Int64 {
  if let target, capacity > 0 { bytes.copyBytes(to: target, count: min(bytes.count, Int(capacity))) }
  return Int64(bytes.count)
}

@_cdecl("offpolicy_version")
public func version() -> Int64 { 1 }

@_cdecl("offpolicy_error")
public func error(_ text: UnsafeMutablePointer<UInt8>?, _ capacity: Int64) -> Int64 {
  copy(Data(Answer.current.error.utf8), to: text, capacity: capacity)
}

@_cdecl("offpolicy_result")
public func result(_ bytes: UnsafeMutablePointer<UInt8>?, _ capacity: Int64) -> Int64 {
  copy(Answer.current.bytes, to: bytes, capacity: capacity)
}
