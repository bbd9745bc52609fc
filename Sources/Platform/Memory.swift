// Memory.swift — available memory, checked before it is allocated.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// There is not enough memory for something that must be in memory.
public struct InsufficientMemory: Error, RemediableError, CustomStringConvertible {
  /// What is needed and what is free, and what to do, in one line.
  public let description: String
  package let remedies: [Remedy]
}

/// Free memory of the machine or of the process's control group, asked before a run takes it.
public enum Memory {
  /// Throws when `bytes` more do not fit into what the machine, or the limit of the process's control group, has left.
  ///
  /// - Parameter hint: what to change, as the end of the sentence "… are available: make it smaller with".
  public static func check(_ bytes: Int, for purpose: String, hint: String) throws {
    try check(bytes, for: purpose, hint: hint, remedies: [])
  }

  package static func check(_ bytes: Int, for purpose: String, hint: String, remedies: [Remedy]) throws {
    guard let available else { return }
    if bytes > available {
      throw InsufficientMemory(
        description:
          "\(purpose) needs \(text(bytes)), but only \(text(available)) are available: make it smaller with \(hint)",
        remedies: remedies)
    }
  }

  /// Bytes that may still be taken; nil where the system does not say.
  public static var available: Int? { available(root: "") }

  /// - Parameter root: the folder that holds `proc` and `sys`.
  package static func available(root: String) -> Int? {
    #if os(Linux)
      let machine = firstNumber(in: "\(root)/proc/meminfo", after: "MemAvailable:").map { $0 * 1024 }
      return ([machine, addressSpaceLeft(root: root)] + controlGroups(root: root).map(left)).compactMap { $0 }.min()
    #else
      return nil
    #endif
  }

  /// What the limit of the process's address space (`ulimit -v`) leaves; nil where there is none.
  private static func addressSpaceLeft(root: String) -> Int? {
    let columns = lines(of: "\(root)/proc/self/limits").first { $0.hasPrefix("Max address space") }?.split(
      separator: " ")
    guard let columns, columns.count > 3, let limit = Int(columns[3]) else { return nil }
    let used = firstNumber(in: "\(root)/proc/self/status", after: "VmSize:").map { $0 * 1024 } ?? 0
    return max(0, limit - used)
  }

  /// A control group's files.
  private struct ControlGroup {
    let limit: String
    let usage: String
    let statistics: String
    /// The line of the statistics that counts file pages which nobody used lately.
    let inactiveFiles: String
  }

  /// What a group has left. Pages of files that nobody used lately count as used, but are given up when memory is needed.
  private static func left(_ group: ControlGroup) -> Int? {
    guard let limit = firstNumber(in: group.limit, after: ""), let used = firstNumber(in: group.usage, after: "")
    else { return nil }
    let inactive = firstNumber(in: group.statistics, after: group.inactiveFiles) ?? 0
    return max(0, limit - max(0, used - inactive))
  }

  /// The groups that this process is in, and those above them: each has a limit of its own. A container may not see the
  /// names that its processes are listed under; then the topmost folder is its own group.
  private static func controlGroups(root: String) -> [ControlGroup] {
    var groups: [ControlGroup] = []
    for line in lines(of: "\(root)/proc/self/cgroup") + ["0::/", "0:memory:/"] {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains("memory") else { continue }
      let names = parts[2].split(separator: "/")
      for depth in 0...names.count {
        let path = names[..<depth].map { "/" + $0 }.joined()
        if parts[1].isEmpty {
          let folder = "\(root)/sys/fs/cgroup\(path)"
          groups.append(
            ControlGroup(
              limit: "\(folder)/memory.max", usage: "\(folder)/memory.current", statistics: "\(folder)/memory.stat",
              inactiveFiles: "inactive_file "))
        } else {
          let folder = "\(root)/sys/fs/cgroup/memory\(path)"
          groups.append(
            ControlGroup(
              limit: "\(folder)/memory.limit_in_bytes", usage: "\(folder)/memory.usage_in_bytes",
              statistics: "\(folder)/memory.stat", inactiveFiles: "total_inactive_file "))
        }
      }
    }
    return groups
  }

  package static func text(_ bytes: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1000 && unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    let rounded = (value * 10).rounded() / 10
    return "\(rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)") \(units[unit])"
  }

  private static func firstNumber(in path: String, after label: String) -> Int? {
    guard let line = lines(of: path).first(where: { $0.hasPrefix(label) }) else { return nil }
    return Int(line.dropFirst(label.count).drop { $0 == " " || $0 == "\t" }.prefix { $0.isNumber })
  }

  private static func lines(of path: String) -> [String] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var lines: [String] = []
    var buffer = [CChar](repeating: 0, count: 4096)
    while fgets(&buffer, Int32(buffer.count), file) != nil {
      lines.append(
        String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    return lines
  }
}
