// LoopbackListener.swift — a socket for programs of this machine alone: it listens on 127.0.0.1 and nowhere else.
//
// Nothing waits in a call but `wait`, so that one thread serves everybody and notices a stop request at once.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A port that cannot be listened on.
package struct LoopbackError: Error, Sendable, Equatable {
  /// 0: any free one.
  package let port: UInt16
  /// The system's number of the error.
  package let code: Int32

  /// Another program listens there.
  package var isTaken: Bool { code == EADDRINUSE }

  /// What the system said, in words.
  package var reason: String {
    switch code {
    case EADDRINUSE: "another program has it"
    case EACCES, EPERM: "the system keeps it for its own programs"
    case EMFILE, ENFILE: "too many files are open"
    default: String(cString: strerror(code))
    }
  }
}

/// What became of reading or writing without waiting.
package enum LoopbackProgress: Sendable, Equatable {
  /// So many bytes went through, at least one.
  case moved(Int)
  /// Nothing can be moved now.
  case later
  /// The other side is gone.
  case closed
}

/// A listening socket on 127.0.0.1. It is closed when nobody holds it any more.
@safe
package final class LoopbackListener {
  private let descriptor: Int32
  /// The port that it listens on.
  package let port: UInt16

  /// - Parameter port: 0: any free one.
  package init(port: UInt16) throws(LoopbackError) { (descriptor, self.port) = try Self.open(port) }

  deinit { close(descriptor) }

  private static func open(_ port: UInt16) throws(LoopbackError) -> (descriptor: Int32, port: UInt16) {
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let descriptor = socket(AF_INET, kind, 0)
    guard descriptor >= 0 else { throw LoopbackError(port: port, code: errno) }
    makeNonBlocking(descriptor)
    // a port whose last connections are still being forgotten can be had again; one that is listened on cannot
    set(descriptor, SO_REUSEADDR)
    var address = sockaddr_in()
    #if canImport(Darwin)
      address.sin_len = UInt8(MemoryLayout<sockaddr_in>.size)
    #endif
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    // the calls read or write the `size` bytes of `address` and no others
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
        guard bind(descriptor, address, size) == 0, systemListen(descriptor, 16) == 0 else { return -1 }
        return getsockname(descriptor, address, &size)
      }
    }
    guard status == 0 else {
      let code = errno
      close(descriptor)
      throw LoopbackError(port: port, code: code)
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// The next connection; nil where nobody asks for one.
  package func accept() -> LoopbackConnection? {
    let accepted = systemAccept(descriptor)
    return accepted >= 0 ? LoopbackConnection(accepted) : nil
  }

  /// Waits until something can be done, a signal comes, or the time is over.
  ///
  /// - Parameter milliseconds: at most this long.
  package func wait(
    reading: [LoopbackConnection], writing: [LoopbackConnection], milliseconds: Int32
  ) {
    var entries = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    entries += reading.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    entries += writing.map { pollfd(fd: $0.descriptor, events: Int16(POLLOUT), revents: 0) }
    _ = entries.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), milliseconds) }
  }
}

/// A connection of another program of this machine. It is closed when nobody holds it any more.
@safe
package final class LoopbackConnection {
  fileprivate let descriptor: Int32

  fileprivate init(_ descriptor: Int32) {
    self.descriptor = descriptor
    makeNonBlocking(descriptor)
    #if canImport(Darwin)
      set(descriptor, SO_NOSIGPIPE)
    #endif
  }

  deinit { close(descriptor) }

  /// Appends what has come to `bytes`, at most `count` bytes.
  package func receive(into bytes: inout [UInt8], atMost count: Int) -> LoopbackProgress {
    var buffer = [UInt8](repeating: 0, count: max(1, count))
    let received = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    guard received > 0 else { return received < 0 && isTemporary(errno) ? .later : .closed }
    bytes.append(contentsOf: buffer[..<received])
    return .moved(received)
  }

  /// Sends bytes from the place `start` on, as many as the system takes now.
  package func send(_ bytes: [UInt8], from start: Int) -> LoopbackProgress {
    precondition(start < bytes.count, "there is no byte \(start) in \(bytes.count)")
    #if canImport(Darwin)
      let flags: Int32 = 0
    #else
      // a reader that is gone is no reason to stop
      let flags = Int32(MSG_NOSIGNAL)
    #endif
    let sent = bytes.withUnsafeBytes { bytes in
      systemSend(descriptor, bytes.baseAddress! + start, bytes.count - start, flags)
    }
    guard sent > 0 else { return sent < 0 && isTemporary(errno) ? .later : .closed }
    return .moved(sent)
  }

  /// Says that nothing more will be sent.
  package func finishSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }
}

private func isTemporary(_ code: Int32) -> Bool { code == EAGAIN || code == EWOULDBLOCK || code == EINTR }

/// No child process inherits it, and no call waits for it.
private func makeNonBlocking(_ descriptor: Int32) {
  _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

private func set(_ descriptor: Int32, _ option: Int32) {
  var isOn: Int32 = 1
  _ = setsockopt(descriptor, SOL_SOCKET, option, &isOn, socklen_t(MemoryLayout<Int32>.size))
}

// methods here have the names of these C functions

private func systemListen(_ descriptor: Int32, _ waiting: Int32) -> Int32 { listen(descriptor, waiting) }

private func systemAccept(_ descriptor: Int32) -> Int32 { accept(descriptor, nil, nil) }

private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
  send(descriptor, bytes, count, flags)
}
