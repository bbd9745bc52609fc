import Testing

@testable import Report

@Suite struct HTTPMessageTests {
  private func read(_ text: String) -> HTTPRequest.Reading { HTTPRequest.read(Array(text.utf8)) }

  @Test func `a request says its method, its path and whom it is for`() {
    let request = HTTPRequest(method: "GET", path: "/state", host: "localhost:8000")
    for text in [
      "GET /state HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
      "GET /state?x=1 HTTP/1.1\r\nACCEPT: */*\r\nhost:LOCALHOST:8000\r\n\r\n",
      "GET /state HTTP/1.0\nHost: \t localhost:8000 \n\nrest",
    ] { #expect(read(text) == .whole(request), "\(text)") }
  }

  @Test func `a head that has not come whole is waited for`() {
    let whole = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    let bytes = Array(whole.utf8)
    for count in bytes.indices { #expect(HTTPRequest.read(Array(bytes[..<count])) == .partial) }
    #expect(read(whole) == .whole(HTTPRequest(method: "GET", path: "/", host: "a")))
  }

  @Test func `what is no request is told from what is too long`() {
    for text in [
      "\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://elsewhere/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\n: a\r\n\r\n",
    ] { #expect(read(text) == .malformed, "\(text)") }
    #expect(HTTPRequest.read([0xff, 0xfe, 0x0a, 0x0a]) == .malformed)
    let long = "GET / HTTP/1.1\r\nHost: a\r\nx: " + String(repeating: "x", count: HTTPRequest.longestHead)
    #expect(read(long) == .tooLong && read(long + "\r\n\r\n") == .tooLong)
  }

  @Test func `an answer tells its length, is kept nowhere, and has no body for HEAD`() {
    let response = HTTPResponse.text(404, "größer")
    let whole = String(decoding: response.encoded(), as: UTF8.self)
    #expect(whole.hasPrefix("HTTP/1.1 404 Not Found\r\n") && whole.hasSuffix("\r\n\r\ngrößer\n"))
    for field in ["Content-Length: 9", "Connection: close", "Cache-Control: no-store", "X-Frame-Options: DENY"] {
      #expect(whole.contains("\r\n\(field)\r\n"))
    }
    let head = String(decoding: response.encoded(hasBody: false), as: UTF8.self)
    #expect(head == String(whole.dropLast(7)))
  }
}
