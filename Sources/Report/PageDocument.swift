// PageDocument.swift — the frame of a page: head, style, script, and the figures as data.

/// A self-contained page of HTML. A live page sends requests to its own server only.
struct PageDocument {
  var title: String
  /// Markup, from the heading to the links.
  var header: String
  /// Markup, the sections.
  var main: String
  var figures: [Figure] = []
  /// The state of the runs that a live page shows; nil: the page is not live.
  var liveVersion: String?

  var html: String {
    let connection = liveVersion == nil ? "" : "; connect-src 'self'"
    let version = liveVersion.map { " data-version=\"\($0.escaped)\"" } ?? ""
    // without scripts the page is loaded again
    let reload = liveVersion == nil ? "" : "\n<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>"
    let live = liveVersion == nil ? "" : "\n<p id=\"live\" class=\"live\">Live</p>"
    return """
      <!DOCTYPE html>
      <html lang="en"\(version)>
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\(connection)">
      <title>\(title.escaped)</title>
      <link rel="icon" href="data:,">\(reload)
      <style>
      \(PageStyle.page)
      </style>
      </head>
      <body>
      <a class="skip" href="#content">To the content</a>
      <header>
      \(header)\(live)
      </header>
      <main id="content">
      \(main)</main>
      <footer><p>Long curves are shown as means of neighbouring rows; the CSV files in the folder of a run have every row. Intervals: 95 %
      percentiles of a stratified bootstrap over seeds (Agarwal et al. 2021). Charts: arrow keys, Home and End move along a
      chart that has the focus.</p></footer>
      <script type="application/json" id="figures">\(HTML.data(figures))</script>
      <script>
      \(PageScript.text(isLive: liveVersion != nil))
      </script>
      </body>
      </html>

      """
  }
}
