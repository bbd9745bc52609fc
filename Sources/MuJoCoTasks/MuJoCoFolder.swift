// MuJoCoFolder.swift — where the simulator's library and the robots' models are.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// MuJoCo cannot be used: its library or a model is missing or not the pinned one, or a model has not what was asked for.
public struct MuJoCoUnavailable: Error, CustomStringConvertible {
  public var description: String

  init(_ description: String) { self.description = description }
}

/// A folder that `Scripts/fetch-dependencies` filled: `lib/` with the library, `models/` with the robots.
struct MuJoCoFolder: Sendable, Equatable {
  let path: String

  var library: String { "\(path)/lib/\(Self.libraryName)" }
  func model(_ name: String) -> String { "\(path)/models/\(name).xml" }

  #if os(macOS)
    static let libraryName = "libmujoco.dylib"
  #else
    static let libraryName = "libmujoco.so"
  #endif

  /// The variable that names the folder, if it is not where it is looked for.
  static let variable = "OFFPOLICY_MUJOCO"
  static let remedy = "run Scripts/fetch-dependencies (./offpolicy does so by itself)"
  /// What to do about a folder that is there but not as it should be; a complete one would not be fetched again.
  var repair: String { "move \(path) away, then run Scripts/fetch-dependencies" }

  /// Finds the folder: the one that `OFFPOLICY_MUJOCO` names, else `.deps/mujoco` beside the program or above it.
  ///
  /// - Throws: `MuJoCoUnavailable`, which says where it looked.
  static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment, from starts: [String] = Self.starts()
  ) throws(MuJoCoUnavailable) -> MuJoCoFolder {
    if let path = environment[variable], !path.isEmpty {
      let folder = MuJoCoFolder(path: path)
      guard folder.holdsLibrary else {
        throw MuJoCoUnavailable(
          "MuJoCo is missing: \(variable) is \(path), but there is no \(folder.library); \(remedy)")
      }
      return folder
    }
    for start in starts {
      for ancestor in ancestors(of: start) {
        let folder = MuJoCoFolder(path: "\(ancestor)/.deps/mujoco")
        if folder.holdsLibrary { return folder }
      }
    }
    let places = starts.isEmpty ? "no folder to look in" : starts.joined(separator: ", ") + " or above"
    throw MuJoCoUnavailable(
      "MuJoCo is missing: no .deps/mujoco/lib/\(libraryName) in \(places); \(remedy), or set \(variable)")
  }

  /// Where the search begins: the program's own folder. The current folder is none: anybody may have put a library there.
  static func starts() -> [String] {
    guard let executable = ExecutablePath.current, let slash = executable.lastIndex(of: "/") else { return [] }
    return [String(executable[..<slash])]
  }

  private var holdsLibrary: Bool { FileManager.default.fileExists(atPath: library) }

  /// `path` and the folders that it is in, without a slash at the end: `/a/b`, `/a`, ``.
  private static func ancestors(of path: String) -> [String] {
    let names = path.split(separator: "/")
    return (0...names.count).reversed().map { names[..<$0].map { "/" + $0 }.joined() }
  }
}
