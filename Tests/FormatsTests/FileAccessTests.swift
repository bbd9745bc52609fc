import Formats
import Foundation
import Testing

@Suite struct FileAccessTests {
  let folder: String
  init() throws {
    folder = NSTemporaryDirectory() + "/offpolicy-access-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  @Test func `a file has the size of its bytes, and a missing one has none`() throws {
    try Data(count: 1661).write(to: URL(fileURLWithPath: "\(folder)/a"))
    #expect(FileAccess.size(of: "\(folder)/a") == 1661)
    #expect(FileAccess.size(of: "\(folder)/b") == nil)
  }

  @Test func `a folder and a link to one are folders, files and missing ones are not`() throws {
    try Data().write(to: URL(fileURLWithPath: "\(folder)/a"))
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: folder)
    #expect(FileAccess.isFolder(folder) && FileAccess.isFolder("\(folder)/link"))
    #expect(!FileAccess.isFolder("\(folder)/a") && !FileAccess.isFolder("\(folder)/b"))
    #expect(
      FileAccess.isRegular("\(folder)/a") && !FileAccess.isRegular(folder) && !FileAccess.isRegular("\(folder)/b"))
    mkfifo("\(folder)/pipe", 0o644)
    #expect(!FileAccess.isRegular("\(folder)/pipe"))
  }
}
