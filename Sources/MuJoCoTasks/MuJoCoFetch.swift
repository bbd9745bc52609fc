// MuJoCoFetch.swift — how a program outside a checkout gets the library and the models: the checkout's own script, carried along.

import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension MuJoCoTasks {
  /// The folder of a user's in which every program looks; nil without a home folder.
  public static var usersFolder: String? { MuJoCoFolder.usersFolder(ProcessInfo.processInfo.environment) }

  /// Whether a folder has the library and all models, each with its pinned digest.
  package static func isComplete(_ folder: String) -> Bool {
    let folder = MuJoCoFolder(path: folder)
    guard let pinned = MuJoCoPins.library else { return false }
    do throws(MuJoCoUnavailable) {
      try MuJoCoPins.check(folder.library, is: pinned)
      for (name, digest) in MuJoCoPins.models { try MuJoCoPins.check(folder.model(name), is: digest) }
      return true
    } catch { return false }
  }

  /// Fills a folder with the library and the models of the published wheels, whose digests are pinned, by a script that takes
  /// this process's place. It needs bash, and Python 3 with pip.
  ///
  /// - Parameter folder: it appears whole or not at all; one that is there is replaced.
  /// - Returns: why the script cannot be started.
  package static func fetch(into folder: String) -> String {
    let script = String(decoding: PackageResources.fetch_dependencies, as: UTF8.self)
    var fault = ""
    for bash in ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"] {
      let into = "--into"  // another program's flag
      fault = ProcessReplacement.run([bash, "-c", script, "fetch-dependencies", into, folder]).description
    }
    return fault
  }
}
