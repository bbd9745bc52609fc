// Signals.swift — listens for signals that ask to stop, so that a run can save itself and print how to resume it.

import Foundation
import OffPolicy

/// The first signal that asked to stop: SIGINT (Ctrl-C), SIGTERM, SIGHUP, or SIGPIPE, when the reader of the output is gone. A
/// second Ctrl-C ends the process at once.
struct StopSignal {
  /// The signal's number, or 0.
  var number: Int32 { StopRequest.number }
  var wasReceived: Bool { number != 0 }

  /// Called before there is work to save: until `listen`, a signal ends the process at once.
  static func prepare() { StopRequest.endAtQuit() }

  static func listen(_ message: String = "stopping: saving the run …") -> StopSignal {
    StopRequest.listen("\n" + message + "\n")
    return StopSignal()
  }
}
