import Foundation
import Platform
import Testing

@Suite struct MemoryTests {
  @Test func `the machine says how much memory is left`() throws {
    #if os(Linux)
      let available = try #require(Memory.available)
      #expect(available > 1_000_000)
    #endif
  }

  @Test func `what fits is not refused`() throws {
    try Memory.check(1000, for: "a small thing", hint: "nothing")
  }

  @Test func `what cannot fit is refused with both numbers and what to do`() throws {
    #if os(Linux)
      let error = #expect(throws: InsufficientMemory.self) {
        try Memory.check(.max, for: "a replay buffer of 9 transitions", hint: "a lower bufferCapacity")
      }
      let text = try #require(error?.description)
      #expect(text.hasPrefix("a replay buffer of 9 transitions needs 9.2 EB, but only "))
      #expect(text.hasSuffix(" are available: make it smaller with a lower bufferCapacity"))
      #expect(text.contains(/only [0-9.]+ [kMGT]?B are/))
    #endif
  }
}

#if os(Linux)
  /// Files as the kernel shows them, in a folder.
  @Suite struct ControlGroupTests {
    let root: String
    init() throws {
      root = NSTemporaryDirectory() + "/offpolicy-memory-\(UUID().uuidString)"
      try write("proc/meminfo", "MemTotal: 64 kB\nMemAvailable:   50000 kB\n")
    }

    func write(_ path: String, _ text: String) throws {
      let url = URL(fileURLWithPath: "\(root)/\(path)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }

    @Test func `without a group the machine counts`() throws {
      #expect(Memory.available(root: root) == 51_200_000)
    }

    @Test func `pages of files that nobody used lately are not taken`() throws {
      try write("proc/self/cgroup", "0::/a/b\n")
      try write("sys/fs/cgroup/a/b/memory.max", "20000000\n")
      try write("sys/fs/cgroup/a/b/memory.current", "19000000\n")
      try write("sys/fs/cgroup/a/b/memory.stat", "anon 3\nfile 17000000\nactive_file 1000000\ninactive_file 16000000\n")
      #expect(Memory.available(root: root) == 17_000_000)
    }

    @Test func `the tightest of the groups above counts, and one without a limit does not`() throws {
      try write("proc/self/cgroup", "0::/a/b\n")
      try write("sys/fs/cgroup/a/b/memory.max", "max\n")
      try write("sys/fs/cgroup/a/b/memory.current", "5\n")
      try write("sys/fs/cgroup/a/memory.max", "9000\n")
      try write("sys/fs/cgroup/a/memory.current", "5000\n")
      #expect(Memory.available(root: root) == 4000)
    }

    @Test func `a container that does not see its own name finds its group at the top`() throws {
      try write("proc/self/cgroup", "0::/elsewhere\n")
      try write("sys/fs/cgroup/memory.max", "30000\n")
      try write("sys/fs/cgroup/memory.current", "10000\n")
      #expect(Memory.available(root: root) == 20_000)
    }

    @Test func `groups of the first version count too`() throws {
      try write("proc/self/cgroup", "5:cpuset:/\n4:memory:/job/1\n0::/\n")
      try write("sys/fs/cgroup/memory/job/1/memory.limit_in_bytes", "8000000\n")
      try write("sys/fs/cgroup/memory/job/1/memory.usage_in_bytes", "7000000\n")
      try write("sys/fs/cgroup/memory/job/1/memory.stat", "inactive_file 1\ntotal_inactive_file 2000000\n")
      try write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
      try write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n")
      #expect(Memory.available(root: root) == 3_000_000)
    }
  }
#endif
