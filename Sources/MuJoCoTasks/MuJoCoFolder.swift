// MuJoCoFolder.swift — where the simulator's library and the robots' models are.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// MuJoCo cannot be used: its library or a model is missing or not the pinned one, or a model has not what was asked for.
public struct MuJoCoUnavailable: Error, RemediableError, CustomStringConvertible {
  public var description: String
  package var remedies: [Remedy]

  init(_ description: String, remedies: [Remedy] = []) { (self.description, self.remedies) = (description, remedies) }
}

/// A place with the library and the models: a folder that `Scripts/fetch-dependencies` filled, or packages of Python.
struct MuJoCoFolder: Sendable, Equatable {
  let path: String
  let library: String
  /// The folder of the models.
  let models: String
  /// What to do about a library, or models, that are there but not as they should be.
  let repair: String
  let modelRepair: String
  /// What else helps then.
  let remedies: [Remedy]

  func model(_ name: String) -> String { "\(models)/\(name).xml" }

  /// A folder with the library in `lib/` and the robots in `models/`. A complete one would not be fetched again.
  ///
  /// - Parameter isUsers: it is the one that all programs of a user share.
  init(path: String, isUsers: Bool = false) {
    self.path = path
    library = "\(path)/lib/\(Self.libraryName)"
    models = "\(path)/models"
    repair = isUsers ? "fetch it again" : "move \(path) away, then run Scripts/fetch-dependencies"
    modelRepair = repair
    remedies = isUsers ? [.fetchMuJoCo] : []
  }

  /// Python packages: MuJoCo's wheel has the library, Gymnasium's has the robots.
  ///
  /// - Parameter models: the folder of Gymnasium's models; nil: these packages have no Gymnasium.
  init(_ packages: PythonPackages, models: String?) {
    path = packages.path
    library = "\(path)/mujoco/\(Self.wheelLibraryName)"
    self.models = models ?? packages.models
    let reinstalling = "--force-reinstall"  // another program's flag
    repair = "\(packages.install) \(reinstalling) mujoco==\(MuJoCoLibrary.pinnedVersion)"
    modelRepair = "\(packages.install) gymnasium==\(MuJoCoPins.gymnasium)"
    remedies = [.fetchMuJoCo]
  }

  #if os(macOS)
    static let libraryName = "libmujoco.dylib"
    static let wheelLibraryName = "libmujoco.\(MuJoCoLibrary.pinnedVersion).dylib"
  #else
    static let libraryName = "libmujoco.so"
    static let wheelLibraryName = "libmujoco.so.\(MuJoCoLibrary.pinnedVersion)"
  #endif

  /// The variable that names the folder, if it is not where it is looked for.
  static let variable = "OFFPOLICY_MUJOCO"
  static let remedy = "run Scripts/fetch-dependencies (./offpolicy does so by itself)"

  /// Finds the library:
  /// 1. in the folder that `OFFPOLICY_MUJOCO` names, and then nowhere else;
  /// 2. in `.deps/mujoco` beside the program or above it, there in a package's checkout of this one too;
  /// 3. in the user's own folder, `usersFolder`;
  /// 4. in the packages of an installed Python. Only its digest makes a library of this kind the right one: where none is
  ///    pinned, there is no such search.
  ///
  /// - Parameters:
  ///   - starts: where the second search begins.
  ///   - system: where the system's own Pythons are installed.
  /// - Throws: `MuJoCoUnavailable`, which says where it looked.
  static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment, from starts: [String] = Self.starts(),
    system: [String] = PythonPackages.systemPrefixes
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
        for place in [".deps/mujoco", "checkouts/swift-offpolicy/.deps/mujoco"] {
          let folder = MuJoCoFolder(path: "\(ancestor)/\(place)")
          if folder.holdsLibrary { return folder }
        }
      }
    }
    let own = usersFolder(environment)
    if let folder = own.map({ MuJoCoFolder(path: $0, isUsers: true) }), folder.holdsLibrary { return folder }
    if MuJoCoPins.library != nil, let folder = inPython(environment, system: system) { return folder }
    let places = starts.isEmpty ? "no folder to look in" : starts.joined(separator: ", ") + " or above"
    throw MuJoCoUnavailable(
      "MuJoCo is missing: no .deps/mujoco/lib/\(libraryName) in \(places)\(own.map { ", none in \($0)" } ?? ""), and no "
        + "installed Python has mujoco \(MuJoCoLibrary.pinnedVersion); \(remedy), or set \(variable)",
      remedies: [.fetchMuJoCo])
  }

  /// Where the search begins: the program's own folder. The current folder is none: anybody may have put a library there.
  static func starts() -> [String] {
    guard let executable = ExecutablePath.current, let slash = executable.lastIndex(of: "/") else { return [] }
    return [String(executable[..<slash])]
  }

  /// The folder of a user's that all programs of theirs share: `swift-offpolicy/mujoco` where the system keeps data of
  /// programs; nil without a home folder.
  static func usersFolder(_ environment: [String: String]) -> String? {
    // a relative path is to be ignored (XDG Base Directory Specification)
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return "\(data)/swift-offpolicy/mujoco" }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    #if os(macOS)
      return "\(home)/Library/Application Support/swift-offpolicy/mujoco"
    #else
      return "\(home)/.local/share/swift-offpolicy/mujoco"
    #endif
  }

  /// The first of the installed Pythons that has MuJoCo, with the models of the first that has Gymnasium: itself if it has.
  private static func inPython(_ environment: [String: String], system: [String]) -> MuJoCoFolder? {
    let all = PythonPackages.installed(environment, system: system)
    for packages in all {
      guard MuJoCoFolder(packages, models: nil).holdsLibrary else { continue }
      let models = ([packages] + all).map(\.models).first { FileManager.default.fileExists(atPath: $0) }
      return MuJoCoFolder(packages, models: models)
    }
    return nil
  }

  private var holdsLibrary: Bool { FileManager.default.fileExists(atPath: library) }

  /// `path` and the folders that it is in, without a slash at the end: `/a/b`, `/a`, ``.
  private static func ancestors(of path: String) -> [String] {
    let names = path.split(separator: "/")
    return (0...names.count).reversed().map { names[..<$0].map { "/" + $0 }.joined() }
  }
}
