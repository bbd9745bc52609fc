// FetchMuJoCo.swift — `offpolicy fetch-mujoco`: MuJoCo's library and the robots' models, for programs outside a checkout.

import ArgumentParser
import Foundation
import OffPolicy

struct FetchMuJoCo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch-mujoco",
    abstract: "Download MuJoCo and the models of its environments, once for all programs of a user.",
    discussion: """
      Both come from published Python wheels, and their digests are pinned. Nothing is installed; 30 MB, one folder. It needs \
      bash, Python 3 with pip, and a network.
      """)

  @Option(
    help: ArgumentHelp(
      "The folder to fill; OFFPOLICY_MUJOCO must then name it. Default: the user's own, in which every program looks.",
      valueName: "folder"))
  var into: String?

  func run() throws {
    if into?.isEmpty == true { throw ArgumentMismatch("--into is empty: give a path") }
    guard let folder = into.map({ URL(fileURLWithPath: $0).standardizedFileURL.path }) ?? MuJoCoTasks.usersFolder else {
      throw ArgumentMismatch("there is no home folder (HOME is not set): say with --into where MuJoCo goes")
    }
    if MuJoCoTasks.isComplete(folder) { return Output.note("MuJoCo is in \(folder) already") }
    throw RunDirectoryError("MuJoCo cannot be fetched: \(MuJoCoTasks.fetch(into: folder))")
  }
}
