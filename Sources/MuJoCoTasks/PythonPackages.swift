// PythonPackages.swift — where installed Pythons keep their packages, found without running any of them.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A folder of packages, such as `/usr/lib/python3/dist-packages`.
struct PythonPackages: Sendable, Equatable {
  let path: String
  /// Where that Python is installed, such as `/usr` or the folder of a virtual environment.
  let prefix: String

  /// Gymnasium's models of the robots.
  var models: String { "\(path)/gymnasium/envs/mujoco/assets" }

  /// The command that installs a package there; a version is to be added.
  var install: String { "run \(prefix)/bin/python3 -m pip install" }

  /// Where systems install Python.
  static let systemPrefixes = ["/usr/local", "/usr"]

  /// The folders of packages of: the interpreter that `OFFPOLICY_PYTHON` names, an active virtual or Conda environment, the
  /// Pythons on the `PATH`, the user's own packages, and the system's. Relative paths are none of them.
  static func installed(_ environment: [String: String], system: [String] = systemPrefixes) -> [PythonPackages] {
    var prefixes: [String] = []
    if let interpreter = environment["OFFPOLICY_PYTHON"] { prefixes += prefix(ofFolder: folder(of: interpreter)) }
    prefixes += ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap { environment[$0] }
    for folder in (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    where FileManager.default.isExecutableFile(atPath: "\(folder)/python3") {
      prefixes += prefix(ofFolder: folder)
    }
    if let home = environment["HOME"] { prefixes.append("\(home)/.local") }
    prefixes += system
    var found: [PythonPackages] = []
    for prefix in prefixes where prefix.hasPrefix("/") {
      for packages in folders(of: prefix) where !found.contains(where: { $0.path == packages.path }) {
        found.append(packages)
      }
    }
    return found
  }

  /// `lib/python3.12/site-packages` and the like.
  private static func folders(of prefix: String) -> [PythonPackages] {
    ["lib", "lib64"].flatMap { library in
      let versions = (try? FileManager.default.contentsOfDirectory(atPath: "\(prefix)/\(library)")) ?? []
      return versions.filter { $0.hasPrefix("python3") }.sorted().flatMap { version in
        ["site-packages", "dist-packages"].map { "\(prefix)/\(library)/\(version)/\($0)" }
      }
    }
    .filter { FileManager.default.fileExists(atPath: $0) }.map { PythonPackages(path: $0, prefix: prefix) }
  }

  private static func folder(of file: String) -> String {
    file.lastIndex(of: "/").map { String(file[..<$0]) } ?? ""
  }

  /// `/usr` of `/usr/bin`; nothing for a folder of another name.
  private static func prefix(ofFolder path: String) -> [String] {
    path.hasSuffix("/bin") && path.count > 4 ? [String(path.dropLast(4))] : []
  }
}
