import Foundation
import Platform
import Testing

@Suite struct DiskFileTests {
  let folder: String
  init() throws {
    folder = NSTemporaryDirectory() + "/offpolicy-disk-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  func contents(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: "\(folder)/\(name)").map(Array.init)
  }

  @Test func `bytes are written where they belong, and a file can be cut off and filled up`() throws {
    let file = try DiskFile("\(folder)/a")
    try file.write([1, 2, 3, 4].span, at: 0)
    try file.write([9].span, at: 2)
    #expect(contents("a") == [1, 2, 9, 4])
    #expect(try file.size() == 4)
    try file.truncate(to: 1)
    try file.truncate(to: 3)
    try file.synchronize()
    #expect(contents("a") == [1, 0, 0])
  }

  @Test func `reading back tells a file that holds something else, or less`() throws {
    let file = try DiskFile("\(folder)/a")
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    try file.write(bytes.span, at: 3)
    try file.verify(bytes.span, at: 3)
    try file.write([bytes[150_000] ^ 1].span, at: 150_003)
    let error = #expect(throws: DiskError.self) { try file.verify(bytes.span, at: 3) }
    #expect(error?.call == "reading back what was written")
    try file.truncate(to: 100)
    #expect(throws: DiskError.self) { try file.verify(bytes.span, at: 3) }
  }

  @Test func `a file is locked by one holder at a time, until that one closes it`() throws {
    var first: DiskFile? = try DiskFile("\(folder)/a")
    let second = try DiskFile("\(folder)/a")
    #expect(first?.lock() == true && !second.lock())
    first = nil
    #expect(second.lock())
  }

  @Test func `a file is replaced whole, and the old one kept where that is asked for`() throws {
    try DiskFile.replace("\(folder)/a", with: [1, 2].span)
    try DiskFile.replace("\(folder)/a", with: [3].span, keeping: "\(folder)/old")
    #expect(contents("a") == [3] && contents("old") == [1, 2])
    try DiskFile.replace("\(folder)/a", with: [4].span, keeping: "\(folder)/old")
    #expect(contents("a") == [4] && contents("old") == [3])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a", "old"])
  }

  @Test func `a replacement that fails leaves the old file and no other`() throws {
    try DiskFile.replace("\(folder)/a", with: [1, 2].span)
    // a folder where the new bytes should go
    try FileManager.default.createDirectory(atPath: "\(folder)/a.new/x", withIntermediateDirectories: true)
    let error = #expect(throws: DiskError.self) { try Folder(folder).replace("a", with: [3].span) }
    #expect(error?.call == "open" && error?.path == "\(folder)/a.new" && contents("a") == [1, 2])
    #expect(error?.description == "\(folder)/a.new: open failed: Is a directory")
    // and one at the name itself
    try FileManager.default.createDirectory(atPath: "\(folder)/b/x", withIntermediateDirectories: true)
    #expect(throws: DiskError.self) { try DiskFile.replace("\(folder)/b", with: [3].span) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a", "a.new", "b"])
  }

  @Test
  func `of many that replace one file at the same moment each succeeds, and the file is always one of them whole`()
    async throws
  {
    let path = "\(folder)/a"
    func bytes(_ value: Int) -> [UInt8] { [UInt8](repeating: UInt8(value), count: 100_000) }
    try DiskFile.replace(path, with: bytes(0).span)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for value in 1...4 {
        group.addTask { for _ in 0..<25 { try DiskFile.replace(path, with: bytes(value).span) } }
      }
      group.addTask {
        for _ in 0..<200 {
          let found = FileManager.default.contents(atPath: path).map(Array.init) ?? []
          #expect(found.count == 100_000 && Set(found).count == 1)
        }
      }
      try await group.waitForAll()
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
  }

  @Test func `a folder is not made below one that is missing`() throws {
    let error = #expect(throws: DiskError.self) { try Folder.make("\(folder)/c/d") }
    #expect(error?.reason == "no such file or folder; check the path")
  }

  @Test func `a write past the largest file that is allowed is an error that tells the reason`() throws {
    // /dev/full refuses every write as a full disk does
    #if os(Linux)
      let file = try DiskFile("/dev/full")
      let error = #expect(throws: DiskError.self) { try file.write([1].span, at: 0) }
      #expect(error?.description == "/dev/full: write failed: the disk is full; free some space")
    #endif
  }

  @Test func `the room on a disk is that of the nearest folder that exists`() throws {
    let here = try #require(DiskSpace.available(at: folder))
    let below = try #require(DiskSpace.available(at: "\(folder)/not/there/yet"))
    #expect(here > 0 && abs(here - below) < 1 << 30)
    #expect(DiskSpace.available(at: "not/there/either") != nil)
  }

  @Test func `what does not fit on the disk is refused with both numbers`() throws {
    try DiskSpace.check(10, for: "a run", at: "runs/a", available: 10, hint: "h")
    try DiskSpace.check(10, for: "a run", at: "runs/a", available: nil, hint: "h")
    let error = #expect(throws: InsufficientDisk.self) {
      try DiskSpace.check(2_500_000, for: "a run of 9 steps", at: "runs/a", available: 1_000_000, hint: "run less")
    }
    #expect(
      error?.description
        == "a run of 9 steps needs up to 2.5 MB on the disk of runs/a, which has 1 MB left: free some space, choose "
        + "another folder, or run less")
  }
}
