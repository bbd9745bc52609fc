// PageStyle.swift — the style sheet of the page and its charts, light and dark. Text has a contrast of at least 4.5, lines of 3.

import Pictures

enum PageStyle {
  private static let light =
    "--paper:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#545d68;--rule:#d5dae0;--link:#0b57a4;--good:#17692f;--bad:#a02617;"
    + "--s0:#0b62a4;--s1:#b5470b;--s2:#1b7a3d;--s3:#7a35c9;--s4:#a3195b;--s5:#00696f;--s6:#6b5900;--s7:#3d4450"
  private static let dark =
    "--paper:#14171b;--card:#1d2127;--ink:#e8ebef;--soft:#a6afba;--rule:#3a424c;--link:#7cbcff;--good:#6fd68d;--bad:#ff9a87;"
    + "--s0:#6db3f2;--s1:#ff9d5c;--s2:#62d48a;--s3:#c8a2ff;--s4:#ff8fc0;--s5:#4fd6dd;--s6:#e0c95a;--s7:#b8c0cc"

  /// Colours and classes of the parts of a chart, for the page and for SVG files.
  static let chart =
    ":root{color-scheme:light dark;\(light)}@media (prefers-color-scheme:dark){:root{\(dark)}}"
    + "svg{font:12px system-ui,sans-serif}.paper{fill:var(--paper)}.title{fill:var(--ink);font-size:16px;font-weight:600}"
    + ".tick,.label{fill:var(--soft)}.grid{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}"
    + ".line{fill:none;stroke-linejoin:round}.thin{stroke-width:1;stroke-opacity:.45}.bold{stroke-width:2.4}"
    + ".reference{stroke:var(--soft)!important;stroke-width:1.2;stroke-dasharray:2 4}.band{stroke:none!important;fill-opacity:.18}"
    + (0..<8).map { ".s\($0){stroke:var(--s\($0))}.band.s\($0),.dot.s\($0){fill:var(--s\($0))}" }.joined()
    // dashes tell lines apart without their colours
    + (1..<4).map { group in
      let dash = dashes[group].map(\.coordinate).joined(separator: " ")
      return ".bold.s\(group),.bold.s\(group + 4){stroke-dasharray:\(dash)}"
    }.joined()

  /// Lengths of dashes and gaps in turn, for groups 0 to 3; groups 4 to 7 have the same again.
  static let dashes: [[Double]] = [[], [9, 4], [3, 3], [11, 3, 3, 3]]

  /// A colour of the light page: `ink`, `s0` …
  static func colour(_ name: String) -> Colour {
    for declaration in light.split(separator: ";") {
      let parts = declaration.split(separator: ":")
      guard parts.count == 2, parts[0] == "--" + name else { continue }
      var digits = String(parts[1].dropFirst())
      if digits.count == 3 { digits = digits.map { "\($0)\($0)" }.joined() }
      if let number = UInt32(digits, radix: 16) { return Colour(number) }
    }
    preconditionFailure("the page has no colour \(name)")
  }

  static let page = """
    \(chart)
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
    header,main,footer{max-width:1180px;margin:0 auto;padding:0 20px}
    header{padding-top:28px}
    h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4rem}
    h2{font-size:1.3rem;margin:2.4rem 0 .6rem;border-bottom:1px solid var(--rule);padding-bottom:.3rem}
    h3{font-size:1.02rem;margin:0 0 .2rem}
    p{margin:.3rem 0 .8rem;max-width:75ch}
    a{color:var(--link)}
    .verdict{font-size:1.12rem}
    .live{font-size:.92rem;color:var(--soft);margin:.9rem 0 0}
    .live::before{content:"";display:inline-block;width:.62em;height:.62em;border-radius:50%;margin-right:.5em;background:var(--soft)}
    .live[data-phase=live]::before{background:var(--good)}
    .live[data-phase=lost]::before,.live[data-phase=gone]::before{background:var(--bad)}
    .skip{position:absolute;left:-9999px}.skip:focus{left:12px;top:12px;background:var(--card);padding:8px 12px;z-index:9}
    nav ul{list-style:none;margin:1rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem}
    .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:1.2rem 0}
    .cards div{background:var(--card);border-radius:8px;padding:10px 14px}
    .cards dt{color:var(--soft);font-size:.85rem}.cards dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,500px),1fr));gap:22px}
    figure{margin:0;background:var(--card);border-radius:10px;padding:14px 14px 10px;min-width:0;--paper:var(--card)}
    figcaption p,.note{color:var(--soft);font-size:.88rem;margin:.1rem 0 .5rem}
    .chart{position:relative;overflow-x:auto}
    .chart svg{display:block;width:100%;height:auto;touch-action:pan-y}
    .chart svg:focus-visible,a:focus-visible,summary:focus-visible,button:focus-visible,input:focus-visible{outline:2px solid var(--link);outline-offset:2px}
    .legend{list-style:none;margin:.4rem 0;padding:0;display:flex;flex-wrap:wrap;gap:.15rem 1rem;font-size:.85rem}
    .legend svg{width:28px;height:10px;vertical-align:middle;margin-right:6px}
    .tools{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center;font-size:.85rem;color:var(--soft);margin:.3rem 0}
    .tools label{display:flex;align-items:center;gap:.4rem;min-height:28px}
    .tools input[type=range]{width:96px;accent-color:var(--link)}
    button{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--soft);border-radius:6px;padding:3px 10px;min-height:28px;cursor:pointer}
    .tip{position:absolute;pointer-events:none;background:var(--ink);color:var(--paper);border-radius:6px;padding:6px 9px;font-size:12px;line-height:1.4;max-width:270px;z-index:3;white-space:pre-line}
    .cursor{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
    .scroll{overflow-x:auto;margin:.6rem 0 1.2rem;background:linear-gradient(90deg,transparent,var(--paper) 50%) right/32px 100% no-repeat local,linear-gradient(270deg,var(--soft),transparent) right/5px 100% no-repeat scroll}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    figure table{min-width:min(100%,26rem)}
    caption{text-align:left;color:var(--soft);padding-bottom:4px;max-width:calc(100vw - 40px)}
    th,td{text-align:left;vertical-align:top;padding:4px 14px 4px 0;border-bottom:1px solid var(--rule);overflow-wrap:normal}
    td.n,th.n{text-align:right;white-space:nowrap}
    td.wide{min-width:16ch}
    details{margin:.3rem 0}summary{cursor:pointer;font-size:.88rem;color:var(--link);min-height:28px}
    code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.88rem}
    pre{background:var(--card);border-radius:8px;padding:10px 14px;white-space:pre-wrap}
    .good{color:var(--good)}.bad{color:var(--bad)}
    .findings li{margin:.25rem 0;max-width:85ch}
    .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    footer{color:var(--soft);font-size:.85rem;padding:2rem 20px 3rem}
    @media (max-width:600px){header,main{padding-left:14px;padding-right:14px}h1{font-size:1.35rem}figure{padding:12px 10px 8px}td:not(.n){min-width:22ch}}
    @media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
    @media print{.tools,nav,.skip{display:none}figure{break-inside:avoid}}
    """
}
