// PageServer.swift — an HTTP server for the browsers of this machine, on one thread.

import Platform

/// An HTTP server on 127.0.0.1.
public final class PageServer {
  private let listener: LoopbackListener
  private var visitors: [Visitor] = []

  /// Connections at once: a browser opens six at most.
  private static let mostVisitors = 32
  /// Who sends or takes nothing for this long is let go.
  private static let patience = Duration.seconds(10)

  /// A connection, and how far its one request is.
  private struct Visitor {
    let connection: LoopbackConnection
    var received: [UInt8] = []
    /// What is sent; nil while the request is not whole.
    var answer: [UInt8]?
    var sent = 0
    var deadline = ContinuousClock.now + PageServer.patience
  }

  /// Opens the port.
  ///
  /// - Parameter port: nil: any free one.
  /// - Throws: `ReportError` if the port is taken or not allowed.
  public init(port: Int? = nil) throws {
    do { listener = try LoopbackListener(port: UInt16(port ?? 0)) } catch {
      let what = error.port == 0 ? "no port can be listened on" : "port \(error.port) cannot be listened on"
      throw ReportError(
        "\(what): \(error.reason)" + (error.port == 0 ? "" : "; choose another port, or none to get a free one"))
    }
  }

  /// The address of the page.
  public var address: String { "http://127.0.0.1:\(listener.port)/" }

  /// Serves a page until `isOver` returns true.
  ///
  /// - Parameter isOver: asked several times a second.
  public func serve(_ page: LivePage, until isOver: () -> Bool) {
    while !isOver() {
      listener.wait(
        reading: visitors.filter { $0.answer == nil }.map(\.connection),
        writing: visitors.filter { $0.answer != nil }.map(\.connection), milliseconds: 200)
      while let connection = listener.accept() {
        // the oldest has waited longest for nothing
        if visitors.count == Self.mostVisitors { visitors.removeFirst() }
        visitors.append(Visitor(connection: connection))
      }
      visitors = visitors.compactMap { attended($0, page) }
    }
    visitors = []
  }

  /// Reads and writes what can be now.
  ///
  /// - Returns: nil where nothing is left to do.
  private func attended(_ visitor: Visitor, _ page: LivePage) -> Visitor? {
    var visitor = visitor
    if visitor.answer == nil {
      let room = HTTPRequest.longestHead - visitor.received.count
      switch visitor.connection.receive(into: &visitor.received, atMost: max(1, room)) {
      case .closed: return nil
      case .later: break
      case .moved: visitor.answer = answer(to: visitor.received, page)
      }
    }
    if let answer = visitor.answer {
      sending: while visitor.sent < answer.count {
        switch visitor.connection.send(answer, from: visitor.sent) {
        case .closed: return nil
        case .later: break sending
        case .moved(let count):
          visitor.sent += count
          visitor.deadline = ContinuousClock.now + Self.patience
        }
      }
      if visitor.sent == answer.count {
        visitor.connection.finishSending()
        return nil
      }
    }
    return ContinuousClock.now < visitor.deadline ? visitor : nil
  }

  /// - Returns: nil while the request is not whole.
  private func answer(to bytes: [UInt8], _ page: LivePage) -> [UInt8]? {
    switch HTTPRequest.read(bytes) {
    case .partial: nil
    case .whole(let request): response(to: request, page).encoded(hasBody: request.method != "HEAD")
    case .malformed: HTTPResponse.text(400, "this is no request of a browser").encoded()
    case .tooLong: HTTPResponse.text(431, "this request is longer than any of a browser").encoded()
    }
  }

  func response(to request: HTTPRequest, _ page: LivePage) -> HTTPResponse {
    // a page from elsewhere whose name leads to this machine shall not read the run: its requests say that name
    guard isOwn(host: request.host) else {
      return .text(403, "this page is for \(address) on this machine alone")
    }
    guard ["GET", "HEAD"].contains(request.method) else {
      var response = HTTPResponse.text(405, "there is nothing to change here")
      response.fields = ["Allow: GET, HEAD"]
      return response
    }
    switch request.path {
    case "/": return .html(page.html)
    case "/state": return .json(page.state)
    default: return .text(404, "there are / and /state")
    }
  }

  private func isOwn(host: String) -> Bool {
    let names = ["127.0.0.1", "localhost"]
    return names.contains { host == "\($0):\(listener.port)" || listener.port == 80 && host == $0 }
  }
}
