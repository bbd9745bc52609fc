import Foundation
import Platform
import Testing

@Suite struct FolderTests {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "/offpolicy-folder-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func contents(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map(Array.init) }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
  }

  @Test func `what is written stays in the folder that was opened, whatever takes its name`() throws {
    let folder = try Folder.make("\(path)/a")
    try FileManager.default.moveItem(atPath: "\(path)/a", toPath: "\(path)/b")
    let other = try Folder.make("\(path)/a")
    try folder.replace("x", with: [1].span)
    try DiskFile(in: folder, "y", .new).write([2].span, at: 0)
    #expect(contents("\(path)/b/x") == [1] && contents("\(path)/b/y") == [2])
    #expect(other.names().isEmpty && folder.names().sorted() == ["x", "y"])
    #expect(!folder.isAtItsPath && other.isAtItsPath)
    #expect(folder.currentPath.map { URL(fileURLWithPath: $0).lastPathComponent } == "b")
  }

  @Test func `a folder that was removed has no place, and takes no file`() throws {
    let folder = try Folder.make("\(path)/a")
    try FileManager.default.removeItem(atPath: "\(path)/a")
    #expect(folder.currentPath == nil)
    let error = #expect(throws: DiskError.self) { try folder.replace("x", with: [1].span) }
    #expect(error?.isMissing == true)
  }

  @Test func `every name in a folder is told, however many there are and however long they are`() throws {
    let names = (1...255).map { String(repeating: "n", count: $0) } + (0..<300).map { "ä\($0)" }
    for name in names { try Data().write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
    #expect(try Folder(path).names().sorted() == names.sorted())
  }

  @Test func `of two that make one folder, the second is refused`() throws {
    _ = try Folder.make("\(path)/a")
    let error = #expect(throws: DiskError.self) { try Folder.make("\(path)/a") }
    #expect(error?.isTaken == true)
  }

  @Test func `a folder is locked by one holder at a time, whatever becomes of the files in it`() throws {
    var first: Folder? = try Folder(path)
    let second = try Folder(path)
    #expect(first?.lock() == true && !second.lock())
    first = nil
    #expect(second.lock())
  }

  @Test func `no link is written through`() throws {
    try Data([7]).write(to: URL(fileURLWithPath: "\(path)/precious"))
    let folder = try Folder.make("\(path)/a")
    for name in ["a/log", "a/state.new", "a/state"] { try link(name, to: "\(path)/precious") }
    let error = #expect(throws: DiskError.self) { try DiskFile(in: folder, "log", .existingOrNew) }
    #expect(error?.reason == "it is a symbolic link; remove the link")
    try folder.replace("state", with: [1].span)
    #expect(contents("\(path)/precious") == [7])
    #expect(contents("\(path)/a/state") == [1] && folder.mark("state")?.isRegular == true)
    #expect(folder.names().sorted() == ["log", "state"])
    // what is only read may lie elsewhere
    #expect(try folder.contents("log").bytes == [7])
  }

  @Test func `a folder to write into is made where it is missing, and is no link`() throws {
    let folder = try Folder(path)
    let made = try folder.makeFolder("in")
    #expect(folder.holds(made, as: "in"))
    _ = try folder.makeFolder("in")
    try link("elsewhere", to: NSTemporaryDirectory())
    #expect(throws: DiskError.self) { try folder.makeFolder("elsewhere") }
    try FileManager.default.moveItem(atPath: "\(path)/in", toPath: "\(path)/out")
    #expect(!folder.holds(made, as: "in"))
  }

  @Test func `a mark tells a file that was written to, or replaced`() throws {
    let folder = try Folder(path)
    let file = try DiskFile(in: folder, "a", .new)
    try file.write([1, 2].span, at: 0)
    let mark = try #require(file.mark)
    #expect(folder.mark("a") == mark && mark.size == 2 && mark.isRegular)
    try Data([1, 2]).write(to: URL(fileURLWithPath: "\(path)/b"))
    try folder.rename("b", to: "a")
    #expect(folder.mark("a").map { $0.isSameFile(as: mark) } == false)
    try folder.remove("a")
    #expect(folder.mark("a") == nil)
  }

  @Test func `what is no regular file is neither read nor written`() throws {
    let folder = try Folder(path)
    #expect(mkfifo("\(path)/pipe", 0o600) == 0)
    let written = #expect(throws: DiskError.self) { try DiskFile(in: folder, "pipe", .existing) }
    let read = #expect(throws: DiskError.self) { try folder.contents("pipe") }
    #expect(written?.reason == "it is no regular file; remove it" && read?.reason == written?.reason)
  }
}
