// SpawnedProcess.swift — another program beside this one: a pipe each way, and memory that both see.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A process that cannot be started, or that no longer answers.
package struct ProcessFault: Error, CustomStringConvertible {
  package let description: String
}

/// A program that answers commands. Its descriptors 3 and 4 are the pipes, 5 the memory; it ends when the first one closes.
///
/// It is started anew, not forked: a copy of a process with threads may hang. It is in a process group of its own, so that
/// Ctrl-C in a terminal reaches this process alone.
@safe
package final class SpawnedProcess: @unchecked Sendable {
  private let identifier: pid_t
  private let commands: Int32
  private let answers: Int32
  private let memoryFile: Int32
  /// What both processes see; nil before `share`.
  private var memory: UnsafeMutableRawBufferPointer?
  private var status: Int32?

  /// - Parameters:
  ///   - arguments: the program's path, and what it is given.
  ///   - environment: variables beside those of this process.
  package init(_ arguments: [String], environment: [String: String]) throws(ProcessFault) {
    var (command, answer): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard pipe(&command) == 0, pipe(&answer) == 0 else {
      throw ProcessFault(description: "no pipe can be made: \(String(cString: strerror(errno)))")
    }
    memoryFile = Self.unnamedFile()
    guard memoryFile >= 0 else {
      throw ProcessFault(description: "no shared memory can be made: \(String(cString: strerror(errno)))")
    }
    for descriptor in [command[1], answer[0], memoryFile] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    // moved out of the way of 3, 4 and 5 first
    let child = [command[0], answer[1], memoryFile].map { fcntl($0, F_DUPFD_CLOEXEC, 64) }

    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
      for descriptor in child + [command[0], answer[1]] { close(descriptor) }
    }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    // what an environment prints is not what a command prints
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
    for (number, descriptor) in zip([3, 4, 5] as [Int32], child) {
      posix_spawn_file_actions_adddup2(&actions, descriptor, number)
    }
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))

    let words = arguments.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = []
    var place = environ
    while let variable = place.pointee {
      let name = String(cString: variable).prefix { $0 != "=" }
      if environment[String(name)] == nil { variables.append(strdup(variable)) }
      place += 1
    }
    variables += environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for word in words + variables { free(word) } }
    var started = pid_t()
    let code = posix_spawnp(&started, arguments[0], &actions, &attributes, words, variables)
    (identifier, commands, answers) = (started, command[1], answer[0])
    guard code == 0 else {
      status = 0
      throw ProcessFault(description: "\(arguments[0]) cannot be started: \(String(cString: strerror(code)))")
    }
    _ = signal(SIGPIPE, SIG_IGN)
  }

  deinit {
    close(commands)
    close(answers)
    close(memoryFile)
    if let memory { munmap(memory.baseAddress, memory.count) }
    guard status == nil else { return }
    // it ends by itself when it finds its pipe closed, unless it hangs
    for _ in 0..<200 {
      if waitpid(identifier, &waited, WNOHANG) != 0 { return }
      usleep(5_000)
    }
    kill(identifier, SIGKILL)
    waitpid(identifier, &waited, 0)
  }

  private var waited: Int32 = 0

  /// Makes memory of some bytes, zero at first, that both see. Once.
  package func share(bytes: Int) throws(ProcessFault) {
    guard ftruncate(memoryFile, off_t(bytes)) == 0,
      let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memoryFile, 0), address != MAP_FAILED
    else { throw ProcessFault(description: "no \(bytes) bytes of shared memory: \(String(cString: strerror(errno)))") }
    memory = UnsafeMutableRawBufferPointer(start: address, count: bytes)
  }

  /// Reads a number of the shared memory.
  ///
  /// - Precondition: the place is within it.
  package func number<T: BitwiseCopyable>(at place: Int, as type: T.Type) -> T {
    guard let memory, place >= 0, place + MemoryLayout<T>.size <= memory.count else {
      preconditionFailure("byte \(place) of \(memory?.count ?? 0) bytes of shared memory")
    }
    return memory.loadUnaligned(fromByteOffset: place, as: type)
  }

  /// Writes a number of the shared memory.
  ///
  /// - Precondition: the place is within it.
  package func set<T: BitwiseCopyable>(_ number: T, at place: Int) {
    guard let memory, place >= 0, place + MemoryLayout<T>.size <= memory.count else {
      preconditionFailure("byte \(place) of \(memory?.count ?? 0) bytes of shared memory")
    }
    memory.storeBytes(of: number, toByteOffset: place, as: T.self)
  }

  package func send(_ bytes: [UInt8]) throws(ProcessFault) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { write(commands, $0.baseAddress! + done, bytes.count - done) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw fault("no longer takes commands") }
      done += count
    }
  }

  /// Waits for some bytes.
  ///
  /// - Parameter seconds: how long nothing may come; then the process is ended.
  package func receive(_ count: Int, within seconds: Double) throws(ProcessFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      var ready = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
      let found = poll(&ready, 1, Int32(min(seconds * 1000, 2e9)))
      if found < 0 && errno == EINTR { continue }
      guard found > 0 else {
        kill(identifier, SIGKILL)
        throw fault("did not answer within \(seconds) s")
      }
      let part = bytes.withUnsafeMutableBytes { read(answers, $0.baseAddress! + done, count - done) }
      if part < 0 && errno == EINTR { continue }
      guard part > 0 else { throw fault("ended") }
      done += part
    }
    return bytes
  }

  /// What happened to it, in words.
  private func fault(_ what: String) -> ProcessFault {
    if status == nil {
      // it closes its pipes a moment before it is gone
      for _ in 0..<100 {
        if waitpid(identifier, &waited, WNOHANG) == identifier {
          status = waited
          break
        }
        usleep(10_000)
      }
    }
    let number = (status ?? 0) & 0x7f
    let how =
      status == nil
      ? "" : number == 0 ? ", with exit code \((status ?? 0) >> 8 & 0xff)" : ", killed by signal \(number)"
    return ProcessFault(description: "the process \(identifier) \(what)\(how)")
  }

  /// A file without a name, in memory where the system has a folder for that.
  private static func unnamedFile() -> Int32 {
    for folder in ["/dev/shm", "/tmp"] {
      var path = Array("\(folder)/offpolicy-XXXXXX".utf8CString)
      let file = mkstemp(&path)
      if file >= 0 {
        unlink(path)
        return file
      }
    }
    return -1
  }
}
