// ReportPage.swift — runs as one page of HTML that needs nothing else: verdict, figures, comparison, settings.

import Algorithms
import Formats
import Platform
import Training

/// A report on runs of one environment.
public struct ReportPage: Sendable {
  public let groups: [RunGroup]
  private let runs: [RunData]
  /// A film to show on the page; nil: none.
  public var film: EmbeddedFilm?
  /// The state of the runs that a live page shows; nil: the page is not live.
  var liveVersion: String?
  private let threshold: Double?
  private let hyperparameters: [String: AlgorithmEntry]
  private let commands: [String]

  /// - Parameters:
  ///   - threshold: the mean return at which the environment counts as solved.
  ///   - algorithms: the algorithms whose hyperparameters are explained.
  ///   - commands: for each run the command that repeats it; may be empty.
  /// - Throws: `ReportError` for runs that cannot be shown together.
  public init(
    _ runs: [RunData], threshold: Double? = nil, algorithms: [AlgorithmEntry] = [], commands: [String] = []
  ) throws {
    guard !runs.isEmpty else { throw ReportError("there is no run to report on") }
    try Self.checkTogether(runs.map { ($0.path, $0.run.environment) })
    if let empty = runs.first(where: \.isEmpty) {
      throw ReportError("\(empty.path) has no episode, no evaluation and no update yet: there is nothing to show")
    }
    (self.runs, self.threshold, self.commands) = (runs, threshold, commands)
    groups = RunGroups.of(runs)
    hyperparameters = Dictionary(algorithms.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// - Throws: `ReportError` for runs of different environments.
  static func checkTogether(_ runs: [(path: String, environment: String)]) throws {
    guard let first = runs.first, let other = runs.first(where: { $0.environment != first.environment }) else { return }
    throw ReportError(
      "\(first.path) learned in \(first.environment), \(other.path) in \(other.environment): returns of different "
        + "environments cannot be compared; make a report for each")
  }

  /// A film that the page holds itself.
  public struct EmbeddedFilm: Sendable {
    /// A data URL of a GIF.
    public let address: String
    /// What it shows, in a sentence.
    public let words: String

    public init(address: String, words: String) { (self.address, self.words) = (address, words) }
  }

  /// The run with the best evaluation: its best policy is the one to film. Nil where nothing was evaluated.
  public var bestRun: RunData? {
    runs.filter { $0.inspection.bestReturn != nil }.max { first, second in
      (first.inspection.bestReturn ?? 0) < (second.inspection.bestReturn ?? 0)
    }
  }

  var sections: [FigureSection] { Figures(groups, threshold: threshold).sections }

  /// A figure as picture files of the same name.
  public struct Picture: Sendable {
    /// The file name without its extension.
    public let name: String
    private let chart: StaticChart

    fileprivate init(_ figure: Figure) { (name, chart) = (figure.id, StaticChart(figure)) }

    /// The text of an SVG file, light and dark.
    public var svg: String { chart.file }
    /// The bytes of a PNG file, light.
    public var png: [UInt8] { chart.png }
  }

  /// Every figure that the page shows.
  public var pictures: [Picture] {
    let comparison = runs.count > 1 ? [Comparison(groups, threshold: threshold).profile] : []
    return (sections.flatMap(\.figures) + comparison.filter { !$0.isEmpty }).map(Picture.init)
  }

  private var title: String {
    let task = runs[0].run.environment
    let labels = groups.prefix(4).map(\.label).joined(separator: ", ") + (groups.count > 4 ? ", …" : "")
    return task.isEmpty ? labels : "\(labels) on \(task)"
  }

  public var html: String {
    let sections = sections
    let comparison = runs.count > 1 ? Comparison(groups, threshold: threshold) : nil
    var figures = sections.flatMap(\.figures)
    if let profile = comparison?.profile, !profile.isEmpty { figures.append(profile) }
    let verdict = Verdict(groups, threshold: threshold)
    var links = sections.map { ($0.id, $0.title) }
    if comparison != nil { links.insert(("comparison", "Comparison"), at: 1) }
    if film != nil { links.append(("film", "Film")) }
    links += [("settings", "Settings"), ("again", "Repeat the runs")]

    let header = """
      <h1>\(title.escaped)</h1>
      <p class="verdict">\(verdict.sentences.joined(separator: " ").escaped)</p>
      \(cards)<nav aria-label="Parts of the page"><ul>\(links.map { "<li><a href=\"#\($0.0)\">\($0.1)</a></li>" }.joined())</ul></nav>
      """
    var text = ""
    for section in sections {
      text += "<section aria-labelledby=\"\(section.id)\"><h2 id=\"\(section.id)\">\(section.title)</h2>\n"
      if section.id == "health" { text += findings }
      if section.id == "learning" && runs.allSatisfy({ $0.evaluations.count == 0 }) {
        text += "<p class=\"note\">There are no evaluations: these are the returns of training episodes alone.</p>\n"
      }
      text += "<div class=\"figures\">\n" + section.figures.map(HTML.figure).joined() + "</div></section>\n"
      if section.id == "learning", let comparison { text += table(comparison) }
    }
    if let film {
      // closed at first: what moves begins when somebody asks for it
      let picture = element("img", ["src": film.address, "alt": film.words, "loading": "lazy"])
      text += "<section aria-labelledby=\"film\"><h2 id=\"film\">Film</h2>\n"
      text += "<details><summary>\(film.words.escaped)</summary>\(picture)</details></section>\n"
    }
    text += SettingsSection(runs: runs, groups: groups, entries: hyperparameters, commands: commands).html
    return PageDocument(title: title, header: header, main: text, figures: figures, liveVersion: liveVersion).html
  }

  private var cards: String {
    let steps = runs.map(\.lastStep).max() ?? 0
    var items = [
      ("Runs", groups.count == 1 ? "\(runs.count)" : "\(runs.count) in \(groups.count) settings"),
      ("Steps", Int(clampingWhole: steps).grouped),
      ("Episodes", runs.reduce(0) { $0.clampedSum(Int(clampingWhole: $1.episodes["episode"].last ?? 0)) }.grouped),
      ("Training time", clockText(runs.reduce(0) { $0 + $1.seconds })),
    ]
    if let best = groups.flatMap(\.bestReturns).max() { items.append(("Best evaluation", best.short)) }
    let pause = runs.map { $0.inspection.pauses }
    if pause.contains(where: { $0.count > 0 }) {
      let share = pause.reduce(0) { $0 + $1.total } / max(1e-9, runs.reduce(0) { $0 + $1.seconds })
      items.append(("Waited for checkpoints", "\((100 * share).digits(2)) %"))
    }
    return HTML.cards(items)
  }

  /// The health findings, run by run.
  private var findings: String {
    var text = ""
    for run in runs where run.inspection.health.status != "ok" {
      text += runs.count > 1 ? "<h3>\(run.name.escaped)</h3>" : ""
      text += HTML.list(run.inspection.health.findings, style: "findings bad")
    }
    let faults = runs.reduce(0) { $0 + $1.inspection.simulatorFaults }
    if faults > 0 { text += "<p>The simulator broke off \(faults.grouped) episodes.</p>\n" }
    return text.isEmpty ? "<p class=\"good\">No findings.</p>\n" : text
  }

  private func table(_ comparison: Comparison) -> String {
    var text = "<section aria-labelledby=\"comparison\"><h2 id=\"comparison\">Comparison</h2>\n"
    guard !comparison.rows.isEmpty else { return text + "<p>No run has an evaluation to compare.</p></section>\n" }
    let hasGap = comparison.rows.contains { $0.optimalityGap != nil }
    text += HTML.table(
      caption: "Last evaluation of each run",
      ["setting", "runs", "mean ± sd", "median", "IQM [95 % interval]", "best"] + (hasGap ? ["below solved"] : []),
      comparison.rows.map { row in
        [
          row.label, "\(row.count)",
          row.mean.text(deviation: row.deviation), row.median.short,
          row.interquartileMean.short
            + (row.interval.low.isNaN ? "" : " [\(row.interval.low.short), \(row.interval.high.short)]"),
          row.best.short,
        ] + (hasGap ? [row.optimalityGap?.short ?? "–"] : [])
      }, numeric: Set(1...6))
    if comparison.rows.contains(where: { (2..<5).contains($0.count) }) {
      text += "<p class=\"note\">Intervals from fewer than five seeds are too narrow: run more seeds.</p>\n"
    }
    if !comparison.improvements.isEmpty {
      text += HTML.table(
        caption: "Probability that a run of one setting ends higher than a run of another",
        ["setting", "against", "probability [95 % interval]"],
        comparison.improvements.map { pair in
          [
            pair.first, pair.second,
            pair.probability.digits(3)
              + (pair.interval.low.isNaN ? "" : " [\(pair.interval.low.digits(3)), \(pair.interval.high.digits(3))]"),
          ]
        }, numeric: [2])
    }
    text += HTML.table(
      caption: "Settings in which the runs differ", ["setting"] + groups.map(\.label),
      RunGroups.differences(groups).map { [$0.name] + $0.values })
    if !comparison.profile.isEmpty {
      text += "<div class=\"figures\">\n\(HTML.figure(comparison.profile))</div>"
    }
    return text + "</section>\n"
  }
}
