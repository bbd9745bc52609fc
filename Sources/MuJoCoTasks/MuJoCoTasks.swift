// MuJoCoTasks.swift — which environments MuJoCo simulates.

import Environments

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The environments with robots in MuJoCo: Gymnasium's, version 5. Listing them needs no library, making one does.
public enum MuJoCoTasks {
  /// All of them.
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

  /// The file of the simulator's library that this process has opened.
  ///
  /// - Throws: `MuJoCoUnavailable` when there is no library.
  public static func libraryPath() throws(MuJoCoUnavailable) -> String {
    try MuJoCoLibrary.shared.get().folder.library
  }

  /// What is wrong with the models beside that library, a line each; nothing where all are those that were published.
  ///
  /// - Throws: `MuJoCoUnavailable` when there is no library.
  public static func damagedModels() throws(MuJoCoUnavailable) -> [String] {
    let folder = try MuJoCoLibrary.shared.get().folder
    guard FileManager.default.fileExists(atPath: folder.models) else {
      return ["the models are missing: there is no \(folder.models); \(folder.modelRepair)"]
    }
    return MuJoCoPins.models.sorted { $0.key < $1.key }.compactMap { name, pinned in
      do throws(MuJoCoUnavailable) {
        try MuJoCoPins.check(folder.model(name), is: pinned)
        return nil
      } catch { return "\(error)" }
    }
  }
}
