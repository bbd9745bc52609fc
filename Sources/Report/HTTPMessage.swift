// HTTPMessage.swift — the requests and responses of HTTP/1.1 that a read-only page needs (RFC 9112).

/// The head of a request. A body is not read: nothing here takes one.
struct HTTPRequest: Equatable {
  let method: String
  /// The path, without what follows a question mark.
  let path: String
  /// Whom the sender believes to talk to, in lower case.
  let host: String

  /// What a head may have, in bytes; browsers send less than a tenth of it.
  static let longestHead = 16_384

  /// What there is of a request.
  enum Reading: Equatable {
    case whole(HTTPRequest)
    /// The head is not complete yet.
    case partial
    /// Not a request of HTTP/1.
    case malformed
    case tooLong
  }

  /// Reads the head of a request from what has come so far.
  static func read(_ bytes: [UInt8]) -> Reading {
    guard let end = endOfHead(bytes) else { return bytes.count < longestHead ? .partial : .tooLong }
    guard end <= longestHead else { return .tooLong }
    // every byte of a head is ASCII; others are no reason to stop before the line that has them is looked at
    let lines = String(decoding: bytes[..<end], as: UTF8.self)
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/"), !words[0].isEmpty else {
      return .malformed
    }
    var host: String?
    for line in lines.dropFirst() where !line.isEmpty {
      guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return .malformed }
      guard line[..<colon].lowercased() == "host" else { continue }
      // two hosts may be read as either
      guard host == nil else { return .malformed }
      host = line[line.index(after: colon)...].lowercased().filter { $0 != " " && $0 != "\t" }
    }
    guard let host else { return .malformed }
    let path = words[1].prefix { $0 != "?" }
    return .whole(HTTPRequest(method: String(words[0]), path: String(path), host: host))
  }

  /// The place after the empty line that ends a head.
  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    let feed = UInt8(ascii: "\n"), carriage = UInt8(ascii: "\r")
    var start = 0
    while let at = bytes[start...].firstIndex(of: feed) {
      let line = bytes[start..<at]
      if line.isEmpty || line.elementsEqual([carriage]) { return at + 1 }
      start = at + 1
    }
    return nil
  }
}

/// An answer, with its body.
struct HTTPResponse: Equatable {
  var status: Int
  var type = "text/plain; charset=utf-8"
  var body: [UInt8] = []
  /// Further header lines.
  var fields: [String] = []

  static func text(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(status: status, body: Array((text + "\n").utf8))
  }

  static func html(_ text: String) -> HTTPResponse {
    HTTPResponse(status: 200, type: "text/html; charset=utf-8", body: Array(text.utf8))
  }

  static func json(_ text: String) -> HTTPResponse {
    HTTPResponse(status: 200, type: "application/json", body: Array(text.utf8))
  }

  /// The bytes to send.
  ///
  /// - Parameter hasBody: false for an answer to HEAD, which tells the length alone.
  func encoded(hasBody: Bool = true) -> [UInt8] {
    let reasons = [
      200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
      431: "Request Header Fields Too Large", 503: "Service Unavailable",
    ]
    let lines =
      [
        "HTTP/1.1 \(status) \(reasons[status] ?? "Error")", "Content-Type: \(type)", "Content-Length: \(body.count)",
        // what a run tells is for this page alone, and what is shown is always what is
        "Connection: close", "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY",
        "Cross-Origin-Resource-Policy: same-origin", "Referrer-Policy: no-referrer",
      ] + fields
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (hasBody ? body : [])
  }
}
