// Signals.swift — Ctrl-C and SIGTERM ask a run to stop; it saves itself and says how to go on.

import Dispatch
import Foundation
import Synchronization

/// Remembers the first signal that asked to stop. A second Ctrl-C ends the process at once.
final class StopSignal: @unchecked Sendable {
  private let first = Atomic<Int32>(0)
  // kept alive; only touched in `listen`
  private var sources: [any DispatchSourceSignal] = []

  /// The signal's number, or 0.
  var number: Int32 { first.load(ordering: .relaxed) }
  var wasReceived: Bool { number != 0 }

  static func listen(_ message: String = "stopping: saving the run …") -> StopSignal {
    let stop = StopSignal()
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        let (exchanged, _) = stop.first.compareExchange(expected: 0, desired: number, ordering: .relaxed)
        if exchanged {
          Output.note("\n" + message)
        } else {
          signal(number, SIG_DFL)
          raise(number)
        }
      }
      source.resume()
      stop.sources.append(source)
    }
    return stop
  }
}
