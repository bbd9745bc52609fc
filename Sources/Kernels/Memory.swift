// Memory.swift — how much memory there is, asked before it is taken.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// There is not enough memory for something that must be in memory.
public struct InsufficientMemory: Error, CustomStringConvertible {
  public let description: String
}

public enum Memory {
  /// Throws when `bytes` more do not fit into what the machine, or the limit of the process's control group, has left.
  public static func check(_ bytes: Int, for purpose: String, hint: String) throws {
    guard let available else { return }
    if bytes > available {
      throw InsufficientMemory(
        description:
          "\(purpose) needs \(text(bytes)), but only \(text(available)) are available: make it smaller with \(hint)")
    }
  }

  /// Bytes that may still be taken; nil where the system does not say.
  public static var available: Int? {
    #if os(Linux)
      let machine = firstNumber(in: "/proc/meminfo", after: "MemAvailable:").map { $0 * 1024 }
      let limit = firstNumber(in: "/sys/fs/cgroup/memory.max", after: "")
      let used = firstNumber(in: "/sys/fs/cgroup/memory.current", after: "")
      let group = limit.flatMap { limit in used.map { max(0, limit - $0) } }
      return [machine, group].compactMap { $0 }.min()
    #else
      return nil
    #endif
  }

  private static func text(_ bytes: Int) -> String {
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
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 256)
    while fgets(&buffer, Int32(buffer.count), file) != nil {
      let line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard line.hasPrefix(label) else { continue }
      return Int(line.dropFirst(label.count).drop { $0 == " " }.prefix { $0.isNumber })
    }
    return nil
  }
}
