// RunClock.swift — seconds of training, and the system's words for errors.

import Formats
import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Seconds of a run's training, those of earlier processes included.
final class RunClock {
  /// Seconds of training before this process took over.
  var earlier = 0.0
  private let opened = ContinuousClock.now

  var seconds: Double { earlier + (ContinuousClock.now - opened).inSeconds }
}

/// The system's words for an error.
func reason(_ error: any Error) -> String {
  if let error = error as? RunDirectoryError { return error.description }
  if error is CocoaError { return FileAccess.reason(of: error) }
  if let error = error as? DiskError { return error.reason }
  switch error {
  case DecodingError.keyNotFound, DecodingError.valueNotFound:
    return "The operation could not be completed. The data is missing."
  case is DecodingError, is EncodingError:
    return "The operation could not be completed. The data isn’t in the correct format."
  default: return "\(error)".split(separator: "\n").joined(separator: " ")
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
