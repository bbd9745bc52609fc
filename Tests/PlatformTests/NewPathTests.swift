import Foundation
import Platform
import Testing

@Suite struct NewPathTests {
  let folder: String
  init() throws {
    folder = NSTemporaryDirectory() + "/offpolicy-new-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  func put(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }
  func text(_ name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }

  @Test func `a path that is taken, or in a folder that is missing, is refused before the work`() throws {
    try put("old", "a")
    try NewPath("\(folder)/b").check()
    try NewPath("b").check()
    let taken = #expect(throws: DiskError.self) { try NewPath("\(folder)/a").check() }
    #expect(taken?.isTaken == true)
    let missing = #expect(throws: DiskError.self) { try NewPath("\(folder)/none/b").check() }
    #expect(missing?.isMissing == true && missing?.path == "\(folder)/none")
    let file = #expect(throws: DiskError.self) { try NewPath("\(folder)/a/b").check() }
    #expect(file?.isNoFolder == true)
    // a link to nothing is something, too
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "\(folder)/none")
    #expect(throws: DiskError.self) { try NewPath("\(folder)/link").check() }
  }

  @Test func `what is written appears whole, and what else is there stays`() throws {
    for name in ["a.partial", "a.partial-1"] { try put("precious", name) }
    try NewPath("\(folder)/a").writeWhole { partial in
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/a"))
      try Data("new".utf8).write(to: URL(fileURLWithPath: partial))
    }
    #expect(try text("a") == "new" && text("a.partial") == "precious" && text("a.partial-1") == "precious")
    #expect(names == ["a", "a.partial", "a.partial-1"])
  }

  @Test func `what appeared in the meantime is not written over`() throws {
    for isFolder in [false, true] {
      let name = isFolder ? "folder" : "file"
      let error = #expect(throws: DiskError.self) {
        try NewPath("\(folder)/\(name)").writeWhole { partial in
          if isFolder { try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: false) }
          try Data("new".utf8).write(to: URL(fileURLWithPath: isFolder ? partial + "/x" : partial))
          try put("theirs", name)
        }
      }
      #expect(error?.path == "\(folder)/\(name)")
      #expect(try text(name) == "theirs")
    }
    #expect(names == ["file", "folder"])
  }

  @Test func `work that fails leaves nothing`() throws {
    struct Failure: Error {}
    #expect(throws: Failure.self) {
      try NewPath("\(folder)/a").writeWhole { partial in
        try FileManager.default.createDirectory(atPath: partial + "/in", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: partial + "/in/x"))
        throw Failure()
      }
    }
    #expect(names.isEmpty)
  }
}
