// OffPolicy.swift — the library as one import.

@_exported import Algorithms
@_exported import Environments
@_exported import Export
@_exported import Film
@_exported import Formats
@_exported import Kernels
@_exported import MuJoCoTasks
@_exported import Networks
@_exported import Offline
@_exported import Pictures
@_exported import Platform
@_exported import PythonBridge
@_exported import Replay
@_exported import Training

extension EnvironmentRegistry {
  /// Every environment that the package brings: the built-in ones and MuJoCo's.
  public static let standard = EnvironmentRegistry(builtIn.entries + MuJoCoTasks.entries)
}

/// The program's own version.
public let programVersion = "0.1.0"
