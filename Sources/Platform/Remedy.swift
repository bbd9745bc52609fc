// Remedy.swift — what a caller can change after an error, in the library's own terms.

/// What a caller can change to get past an error, beside what the error's description says.
///
/// The library knows no commands and no flags. A program that has them turns remedies into lines to type.
package enum Remedy: Sendable, Equatable {
  /// A hyperparameter and a value for it, which may be a placeholder such as N.
  case hyperparameter(String, value: String)
  /// Another folder for the run.
  case runFolder
  /// Going on with the run in a folder.
  case resume(String)
  /// Naming the environment of data.
  case environment
  /// Saying how the time-outs of data are read; `fromNextObservations` where the data have what that needs.
  case timeouts(fromNextObservations: Bool)
  /// Saying the layout of data to write.
  case layout
  /// A list of all algorithms with their hyperparameters, and of all environments; "them" or "all environments".
  case list(shows: String)
  /// A list of one environment's options.
  case listOptions(environment: String)
  /// Fetching MuJoCo's library and the robots' models.
  case fetchMuJoCo
  /// Holding the environment itself against its contract; nil: the one of the run.
  case checkEnvironment(String?)
}

/// An error that knows what a caller can change.
package protocol RemediableError: Error {
  var remedies: [Remedy] { get }
}
