// LiveScript.swift — the script of a live page: asks the server for changes and puts them into the page.
//
// What the reader has set stays: the place on the page, the focus, what is unfolded, smoothing, axes and the place on a chart.

enum LiveScript {
  /// Stands within the function of PageScript, after it.
  static let text = #"""
    let version = document.documentElement.dataset.version, phase = "";
    const line = document.getElementById("live"), spoken = document.createElement("div");
    spoken.className = "unseen"; spoken.setAttribute("aria-live", "polite");
    document.body.append(spoken);
    // shown all the time, spoken when it becomes another thing
    function tell(now, text) {
      if (line.textContent !== text) line.textContent = text;
      line.dataset.phase = now;
      if (now !== phase && phase !== "") spoken.textContent = text;
      phase = now;
    }
    const since = seconds => seconds < 90 ? Math.round(seconds) + " seconds" : seconds < 5400 ? Math.round(seconds / 60) + " minutes"
      : seconds < 129600 ? Math.round(seconds / 3600) + " hours" : Math.round(seconds / 86400) + " days";
    function describe(state) {
      const age = state.secondsSinceWritten;
      if (state.problem) tell("lost", "The last state is shown: " + state.problem);
      else if (state.isOver) tell("over", "All steps are taken. The page follows if training goes on.");
      else if (age === undefined || age < 20) tell("live", "Live");
      else tell("still", `Live. Nothing was written for ${since(age)}.`);
    }
    // what the script itself has put onto the page
    const isOwn = node => node.nodeType === 1 && node.matches(".tools,.tip,.unseen,#live");
    const key = node => node.nodeType === 1 ? node.id || node.getAttribute("aria-labelledby") || "" : "";
    const alike = (one, other) => one.nodeName === other.nodeName && key(one) === key(other);
    // makes a part of the page like the new one, and keeps every element that is still there
    function adopt(from, to) {
      if (from.matches(".chart > svg")) {
        // drawn from the data
        for (const part of ["title", "desc"]) from.querySelector(part).textContent = to.querySelector(part).textContent;
        return;
      }
      for (const {name, value} of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
      for (const {name} of [...from.attributes]) if (name !== "open" && !to.hasAttribute(name)) from.removeAttribute(name);
      let at = from.firstChild;
      const skip = node => {
        while (node && isOwn(node)) node = node.nextSibling;
        return node;
      };
      const drop = until => {
        while (at !== until) {
          const gone = at;
          at = at.nextSibling;
          if (!isOwn(gone)) gone.remove();
        }
      };
      for (const next of [...to.childNodes]) {
        if (isOwn(next)) continue;
        let same = skip(at);
        const place = same;
        // looked for further on: parts before it may be gone, but none that has a name goes for one that has none
        while (same && next.nodeType === 1 && !alike(same, next) && (key(next) || !key(same))) same = skip(same.nextSibling);
        if (!same || !alike(same, next)) {
          from.insertBefore(document.importNode(next, true), place);
          continue;
        }
        drop(same);
        if (same.nodeType === 1) adopt(same, next); else if (same.data !== next.data) same.data = next.data;
        at = same.nextSibling;
      }
      drop(null);
    }
    function take(next) {
      version = document.documentElement.dataset.version = next.documentElement.dataset.version;
      document.title = next.title;
      for (const part of ["header", "main"]) adopt(document.querySelector(part), next.querySelector(part));
      for (const figure of JSON.parse(next.getElementById("figures").textContent)) {
        const state = states.get(figure.id);
        if (state && state.place.isConnected) {
          state.figure = figure;
          draw(state);
        } else begin(figure);
      }
    }
    let timer = 0;
    const ask = async () => (await fetch("state", {cache: "no-store"})).json();
    async function look() {
      let pause = 2000;
      try {
        let state = await ask();
        if (state.version !== version) {
          const start = performance.now();
          const text = await (await fetch("./", {cache: "no-store"})).text();
          take(new DOMParser().parseFromString(text, "text/html"));
          // a long page of many runs is not asked for all the time
          pause = Math.min(30000, Math.max(pause, 10 * (performance.now() - start)));
          // what became of the page is known only now
          state = await ask();
        }
        describe(state);
      } catch {
        tell("gone", "The program that served this page does not answer: this is the last state that it told.");
        pause = 5000;
      }
      timer = document.hidden ? 0 : setTimeout(look, pause);
    }
    document.addEventListener("visibilitychange", () => { if (!document.hidden && !timer) timer = setTimeout(look, 0); });
    look();

    """#
}
