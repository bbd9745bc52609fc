// PageScript.swift — the script of the page: charts that fit the window, with tooltips, a logarithmic axis and smoothing.
//
// Without it the page shows static charts, and the numbers as tables. It sends no request, except for LiveScript on a live
// page.

enum PageScript {
  /// - Parameter isLive: the page keeps itself up to date.
  static func text(isLive: Bool) -> String { drawing + interaction + (isLive ? LiveScript.text : "") + "})();" }

  /// From a figure's data to the elements of a chart of any width.
  private static let drawing = #"""
    "use strict";
    (() => {
    const data = JSON.parse(document.getElementById("figures").textContent);
    const NS = "http://www.w3.org/2000/svg";
    const short = v => {
      if (v === null || Number.isNaN(v)) return "–";
      const t = Math.abs(v) >= 1e3 && Math.abs(v) < 1e15 ? Math.round(v).toLocaleString("en-US") : String(Number(v.toPrecision(4)));
      return t.replace("-", "−");
    };
    // beside an axis neighbours may differ in a late digit
    const label = v => {
      const seven = Number(v.toPrecision(7));
      const t = Math.abs(v) >= 1e3 && Math.abs(v) < 1e15 ? seven.toLocaleString("en-US", {maximumFractionDigits: 6}) : String(seven);
      return t.replace("-", "−");
    };
    const element = (name, attributes, text) => {
      const e = document.createElementNS(NS, name);
      for (const key in attributes) e.setAttribute(key, attributes[key]);
      if (text !== undefined) e.textContent = text;
      return e;
    };
    function axis(low, high, start, end, log) {
      let a = log ? Math.log10(low) : low, b = log ? Math.log10(high) : high;
      if (b - a < 1e-9 * Math.max(1, Math.abs(b))) { a -= 0.5; b += 0.5; }
      const margin = start > end ? 0.04 * (b - a) : 0;
      a -= margin; b += margin;
      const round = (from, to) => {
        const rough = (to - from) / 5, unit = 10 ** Math.floor(Math.log10(rough));
        const step = [1, 2, 2.5, 5, 10].find(k => k * unit >= rough * 0.999) * unit, out = [];
        for (let k = Math.ceil(from / step); k * step <= to + 1e-9 * step && out.length < 12; k++) out.push(k * step);
        return out;
      };
      let ticks;
      if (log && Math.floor(b) - Math.ceil(a) >= 1) {
        const every = Math.ceil((Math.floor(b) - Math.ceil(a) + 1) / 6);
        ticks = [];
        for (let k = Math.ceil(a); k <= Math.floor(b); k += every) ticks.push(10 ** k);
      } else ticks = log ? round(10 ** a, 10 ** b) : round(a, b);
      return {ticks, place: v => start + ((log ? Math.log10(v) : v) - a) / (b - a) * (end - start)};
    }
    // exponential moving average, without the pull of its first value
    function smoothed(line, weight) {
      if (!weight || line.kind === "reference") return line;
      let sum = 0, size = 0;
      const y = line.y.map(v => {
        sum = weight * sum + (1 - weight) * v;
        size = weight * size + (1 - weight);
        return sum / size;
      });
      return {...line, y, low: undefined, high: undefined};
    }
    function draw(state) {
      const {figure, svg} = state, width = Math.max(280, state.box.clientWidth), height = width < 420 ? 250 : 300;
      const left = 68, right = 12, top = 10, bottom = 44;
      const lines = figure.series.map(line => smoothed(line, state.smooth));
      const log = state.log && figure.positive;
      let xs = [], ys = [];
      for (const line of lines) {
        xs = xs.concat(line.x);
        ys = ys.concat(line.y);
        if (line.low && !log) ys = ys.concat(line.low, line.high);
      }
      xs = xs.filter(v => v !== null); ys = ys.filter(v => v !== null && (!log || v > 0));
      const min = v => v.reduce((a, b) => Math.min(a, b), Infinity), max = v => v.reduce((a, b) => Math.max(a, b), -Infinity);
      const x = axis(min(xs), max(xs), left, width - right, false);
      const y = axis(min(ys), max(ys), height - bottom, top, log);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.style.height = height + "px";
      for (const e of [...svg.children]) if (e.tagName !== "title" && e.tagName !== "desc") e.remove();
      const put = (name, attributes, text) => svg.appendChild(element(name, attributes, text));
      for (const tick of y.ticks) {
        const at = y.place(tick).toFixed(1);
        put("line", {class: "grid", x1: left, x2: width - right, y1: at, y2: at});
        put("text", {class: "tick", "text-anchor": "end", "dominant-baseline": "middle", x: left - 6, y: at}, label(tick));
      }
      const every = width < 420 ? 2 : 1;
      x.ticks.forEach((tick, k) => {
        if (k % every === 0) put("text", {class: "tick", "text-anchor": "middle", x: Math.min(x.place(tick), width - 2 - 3.8 * label(tick).length).toFixed(1), y: height - bottom + 16}, label(tick));
      });
      put("line", {class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom});
      put("text", {class: "label", "text-anchor": "middle", x: (left + width - right) / 2, y: height - 8}, figure.x);
      put("text", {class: "label", "text-anchor": "middle", transform: `translate(12 ${(top + height - bottom) / 2}) rotate(-90)`}, figure.y);
      for (const line of lines) {
        if (!line.low) continue;
        const known = line.x.map((v, k) => k).filter(k => line.low[k] !== null && (!log || line.low[k] > 0));
        if (known.length < 2) continue;
        const path = known.map(k => x.place(line.x[k]).toFixed(1) + " " + y.place(line.high[k]).toFixed(1))
          .concat(known.reverse().map(k => x.place(line.x[k]).toFixed(1) + " " + y.place(line.low[k]).toFixed(1)));
        put("path", {class: `band s${line.group % 8}`, d: "M" + path.join("L") + "Z"});
      }
      for (const kind of ["reference", "thin", "bold"]) for (const line of lines) {
        if (line.kind !== kind || !line.x.length) continue;
        if (line.x.length === 1) {
          put("circle", {class: `dot s${line.group % 8}`, cx: x.place(line.x[0]), cy: y.place(line.y[0]), r: 3.5});
          continue;
        }
        put("path", {class: `line ${kind} s${line.group % 8}`,
          d: "M" + line.x.map((v, k) => x.place(v).toFixed(1) + " " + y.place(line.y[k]).toFixed(1)).join("L")});
      }
      state.drawn = {lines, x, y, width, height, top, bottom, left};
      if (state.at !== null) point(state);
    }

    """#

  /// Tooltip, keys and controls of every chart.
  private static let interaction = #"""
    function nearest(values, v) {
      let best = 0;
      values.forEach((w, k) => { if (Math.abs(w - v) < Math.abs(values[best] - v)) best = k; });
      return best;
    }
    function places(state) {
      const main = state.drawn.lines.filter(line => line.kind !== "reference" && line.x.length);
      const bold = main.filter(line => line.kind === "bold");
      return [...new Set((bold.length ? bold : main).flatMap(line => line.x))].sort((a, b) => a - b);
    }
    function point(state) {
      const {svg, tip, figure} = state, {lines, x, width, height, top, bottom} = state.drawn;
      for (const e of svg.querySelectorAll(".cursor,.mark")) e.remove();
      const at = state.at, rows = [];
      svg.appendChild(element("line", {class: "cursor", x1: x.place(at), x2: x.place(at), y1: top, y2: height - bottom}));
      for (const line of lines) {
        if (line.kind === "reference" || !line.x.length || at < line.x[0] || at > line.x[line.x.length - 1]) continue;
        const k = nearest(line.x, at);
        const band = line.low && line.low[k] !== null ? ` [${short(line.low[k])}, ${short(line.high[k])}]` : "";
        rows.push({bold: line.kind === "bold", text: `${line.name}: ${short(line.y[k])}${band}`});
        if (line.kind === "bold")
          svg.appendChild(element("circle", {class: `mark dot s${line.group % 8}`, cx: x.place(line.x[k]), cy: state.drawn.y.place(line.y[k]), r: 4}));
      }
      rows.sort((a, b) => b.bold - a.bold);
      const shown = rows.slice(0, 9).map(row => row.text);
      if (rows.length > 9) shown.push(`and ${rows.length - 9} more`);
      tip.textContent = [`${figure.x}: ${short(at)}`, ...shown].join("\n");
      tip.hidden = false;
      const place = x.place(at) / width * state.box.clientWidth;
      const right = place > state.box.clientWidth / 2;
      tip.style.left = right ? "" : Math.min(place + 10, state.box.clientWidth - 120) + "px";
      tip.style.right = right ? Math.max(0, state.box.clientWidth - place + 10) + "px" : "";
      tip.style.top = "6px";
      return tip.textContent;
    }
    function hide(state) {
      state.at = null;
      state.tip.hidden = true;
      for (const e of state.svg.querySelectorAll(".cursor,.mark")) e.remove();
    }
    function csv(figure) {
      const quoted = t => /[",\n]/.test(t) ? '"' + t.replaceAll('"', '""') + '"' : t, empty = v => v === null || v === undefined ? "" : v;
      const rows = ["series,kind,x,y,low,high"];
      for (const line of figure.series) line.x.forEach((v, k) =>
        rows.push([quoted(line.name), line.kind, v, empty(line.y[k]), line.low ? empty(line.low[k]) : "", line.high ? empty(line.high[k]) : ""].join(",")));
      return rows.join("\n") + "\n";
    }
    const states = new Map();
    // makes a figure's chart one to move along, with its controls
    function begin(figure) {
      const place = document.getElementById(figure.id), box = place.querySelector(".chart"), svg = box.querySelector("svg");
      const tip = document.createElement("div"), spoken = document.createElement("div");
      tip.className = "tip"; tip.hidden = true; tip.setAttribute("aria-hidden", "true");
      spoken.className = "unseen"; spoken.setAttribute("aria-live", "polite");
      box.append(tip); place.append(spoken);
      const state = {figure, place, box, svg, tip, log: figure.log, smooth: 0, at: null};
      states.set(figure.id, state);
      svg.setAttribute("tabindex", "0");
      const tools = document.createElement("div");
      tools.className = "tools";
      const control = (text, input) => {
        const e = document.createElement("label");
        e.append(text, input);
        tools.append(e);
      };
      const range = document.createElement("input");
      Object.assign(range, {type: "range", min: 0, max: 0.98, step: 0.02, value: 0});
      range.setAttribute("aria-label", "Smoothing of " + figure.title);
      range.addEventListener("input", () => { state.smooth = Number(range.value); draw(state); });
      control("Smoothing", range);
      if (figure.positive) {
        const check = document.createElement("input");
        Object.assign(check, {type: "checkbox", checked: figure.log});
        check.setAttribute("aria-label", "Logarithmic axis of " + figure.title);
        check.addEventListener("change", () => { state.log = check.checked; draw(state); });
        control("Log axis", check);
      }
      const save = document.createElement("button");
      save.type = "button"; save.textContent = "CSV"; save.setAttribute("aria-label", "Save " + figure.title + " as CSV");
      save.addEventListener("click", () => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([csv(state.figure)], {type: "text/csv"}));
        link.download = figure.id + ".csv";
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      });
      tools.append(save);
      box.after(tools);
      const move = event => {
        const frame = svg.getBoundingClientRect(), all = places(state), {x, width} = state.drawn;
        const at = (event.clientX - frame.left) / frame.width * width;
        state.at = all[nearest(all.map(v => x.place(v)), at)];
        point(state);
      };
      svg.addEventListener("pointermove", move);
      svg.addEventListener("pointerdown", move);
      svg.addEventListener("pointerleave", () => { if (document.activeElement !== svg) hide(state); });
      svg.addEventListener("blur", () => hide(state));
      svg.addEventListener("keydown", event => {
        const all = places(state), now = state.at === null ? -1 : nearest(all, state.at), end = all.length - 1;
        const next = {ArrowRight: Math.min(end, now + 1), ArrowLeft: Math.max(0, now < 0 ? end : now - 1), Home: 0, End: end}[event.key];
        if (event.key === "Escape") return hide(state);
        if (next === undefined) return;
        event.preventDefault();
        state.at = all[next];
        spoken.textContent = point(state);
      });
      draw(state);
      let before = box.clientWidth;
      new ResizeObserver(() => {
        if (box.clientWidth !== before) { before = box.clientWidth; draw(state); }
      }).observe(box);
    }
    data.forEach(begin);

    """#
}
