// Handles.swift — what the numbers stand for that other languages hold.

import OffPolicy
import Synchronization

/// Something behind a handle. One thread at a time has it.
class Handle: @unchecked Sendable {
  private let isBusy = Atomic(false)

  /// Runs a call on it, or refuses one while another thread is in it.
  func exclusively(_ number: Int64, _ body: () throws -> Int64) throws -> Int64 {
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
      throw Refusal("handle \(number) is in use by another thread; give each thread a learner of its own")
    }
    defer { isBusy.store(false, ordering: .releasing) }
    return try body()
  }
}

/// All handles by number. Numbers are never used again.
enum Handles {
  private struct Table {
    var handles: [Int64: Handle] = [:]
    var last: Int64 = 0
  }

  private static let table = Mutex(Table())

  static func add(_ handle: Handle) -> Int64 {
    table.withLock {
      $0.last += 1
      $0.handles[$0.last] = handle
      return $0.last
    }
  }

  /// Runs a call on a handle of a kind.
  static func with<Kind: Handle>(
    _ number: Int64, _ what: String, as kind: Kind.Type = Kind.self, _ body: (Kind) throws -> Int64
  ) -> Int64 {
    answering {
      guard let handle = table.withLock({ $0.handles[number] }) else {
        throw Refusal("there is no handle \(number): it was closed, or never made")
      }
      guard let handle = handle as? Kind else { throw Refusal("handle \(number) is no \(what)") }
      return try handle.exclusively(number) { try body(handle) }
    }
  }

  static func close(_ number: Int64) -> Int64 {
    with(number, "handle", as: Handle.self) { _ in
      // freed after this call: it holds the handle until then
      _ = table.withLock { $0.handles.removeValue(forKey: number) }
      return 0
    }
  }
}

@_cdecl("offpolicy_close")
public func close(_ handle: Int64) -> Int64 { Handles.close(handle) }
