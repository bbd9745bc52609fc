// MuJoCoTasks.swift — which tasks MuJoCo simulates.

import Environments

/// The tasks with robots in MuJoCo: Gymnasium's, version 5. Listing them needs no library, making one does.
public enum MuJoCoTasks {
  public static let entries: [EnvironmentEntry] = [
    Ant.entry,
    HalfCheetah.entry,
    Hopper.entry,
    Humanoid.entry,
    HumanoidStandup.entry,
    InvertedDoublePendulum.entry,
    InvertedPendulum.entry,
    Pusher.entry,
    Reacher.entry,
    Swimmer.entry,
    Walker2d.entry,
  ]

  /// The simulator's version, as it says itself, for the record of a run.
  ///
  /// - Throws: `MuJoCoUnavailable` when there is no library.
  public static func simulatorVersion() throws(MuJoCoUnavailable) -> String {
    try MuJoCoLibrary.shared.get().version
  }
}
