// CArguments.swift — what came through a pointer, checked before anybody uses it.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The most bytes of JSON that are read.
private let largestText: Int64 = 1 << 24
/// The most values in one array.
private let largestCount = 1 << 40

func data(_ bytes: UnsafePointer<UInt8>?, _ length: Int64, limit: Int64 = 1 << 40) throws -> Data {
  guard let bytes else { throw Refusal("expected bytes, got a null pointer") }
  guard length >= 0, length <= limit else { throw Refusal("expected 0 to \(limit) bytes, got \(length)") }
  return Data(bytes: bytes, count: Int(length))
}

func json(_ bytes: UnsafePointer<UInt8>?, _ length: Int64) throws -> Data {
  try data(bytes, length, limit: largestText)
}

func text(_ bytes: UnsafePointer<UInt8>?, _ length: Int64) throws -> String {
  String(decoding: try data(bytes, length, limit: 4096), as: UTF8.self)
}

/// Numbers that are read: as many as expected, at an address that they can have.
func numbers<T>(
  _ pointer: UnsafePointer<T>?, _ count: Int64, expected: Int, _ what: @autoclosure () -> String
) throws -> UnsafeBufferPointer<T> {
  guard count == Int64(expected) else { throw Refusal("expected \(expected) values of \(what()), got \(count)") }
  guard let pointer else { throw Refusal("expected \(what()), got a null pointer") }
  guard UInt(bitPattern: pointer) % UInt(MemoryLayout<T>.alignment) == 0 else {
    throw Refusal("\(what()) begins at an address that is no multiple of \(MemoryLayout<T>.alignment)")
  }
  return UnsafeBufferPointer(start: pointer, count: expected)
}

/// Room for numbers.
func room<T>(
  _ pointer: UnsafeMutablePointer<T>?, _ count: Int64, expected: Int, _ what: @autoclosure () -> String
) throws -> UnsafeMutableBufferPointer<T> {
  let checked = try numbers(pointer.map { UnsafePointer($0) }, count, expected: expected, what())
  return UnsafeMutableBufferPointer(mutating: checked)
}

/// Rows times values, where that is a size that an array can have.
func product(_ rows: Int64, _ columns: Int) throws -> Int {
  guard rows >= 0, rows <= Int64(largestCount / max(1, columns)) else {
    throw Refusal("expected a number of rows from 0, got \(rows)")
  }
  return Int(rows) * columns
}

/// Throws at the first value that is not finite.
func checkFinite(_ values: UnsafeBufferPointer<Float>, _ what: @autoclosure () -> String) throws {
  for i in values.indices where !values[i].isFinite {
    throw Refusal("\(what())[\(i)] is \(values[i]); expected finite numbers")
  }
}

/// Whether a value is the index of one of some choices.
func isChoice(_ value: Float, of choices: Int) -> Bool {
  value == value.rounded() && (0..<Float(choices)).contains(value)
}

/// Throws at the first action that is no index of a choice; real-valued actions (`choices` nil) pass.
func checkChoices(_ actions: UnsafeBufferPointer<Float>, of choices: Int?) throws {
  guard let choices else { return }
  for i in actions.indices where !isChoice(actions[i], of: choices) {
    throw Refusal("action \(i) is \(actions[i]); expected an index from 0 to \(choices - 1)")
  }
}
