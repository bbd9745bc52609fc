// Signals.swift — a signal that asks to stop lets a run save itself and say how to go on.

import Foundation
import OffPolicy

/// The first signal that asked to stop: Ctrl-C, SIGTERM, SIGHUP, or a reader of the output that went away. A second Ctrl-C
/// ends the process at once.
struct StopSignal {
  /// The signal's number, or 0.
  var number: Int32 { StopRequest.number }
  var wasReceived: Bool { number != 0 }

  /// Before there is work: what ends the process does so at once.
  static func prepare() { StopRequest.endAtQuit() }

  static func listen(_ message: String = "stopping: saving the run …") -> StopSignal {
    StopRequest.listen("\n" + message + "\n")
    return StopSignal()
  }
}
