"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const remembered = () => { try { return localStorage.getItem("nnxc-theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("nnxc-theme", theme); } catch { /* no storage, no memory */ } };
  const show = (theme) => {
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
    button.querySelector("span").textContent = theme;
  };
  let theme = themes.includes(remembered()) ? remembered() : "system";
  show(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    remember(theme);
    show(theme);
  });

  const form = document.getElementById("filters");
  if (!form) return;
  const go = (step) => {
    const findings = [...document.querySelectorAll(".nnxc-finding")].filter((item) => item.checkVisibility());
    const at = findings.indexOf(document.activeElement.closest(".nnxc-finding"));
    const next = findings[at < 0 && step < 0 ? findings.length - 1 : at + step];
    if (!next) return;
    next.tabIndex = -1;
    next.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const act = { "/": () => form.elements.text.focus(), n: () => go(1), p: () => go(-1) }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  const candidates = [...document.querySelectorAll(".nnxc-candidate")];
  const wanted = (name) => (form.elements[name] ? form.elements[name].value : "");
  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const filter = () => {
    const text = wanted("text").trim().toLowerCase();
    const verdict = wanted("verdict"), level = wanted("level"), status = wanted("status");
    const narrowed = Boolean(text || level || status);
    const count = { candidate: 0, finding: 0, check: 0 };
    for (const section of candidates) {
      const named = section.dataset.name.toLowerCase().includes(text);
      const fits = (item) => (!level || item.dataset.level === level) && (!status || item.dataset.status === status)
        && (named || item.textContent.toLowerCase().includes(text));
      const ofVerdict = !verdict || section.dataset.verdict === verdict;
      const shown = [...section.querySelectorAll("[data-status]")].filter((item) => {
        item.hidden = !fits(item) && ![...item.querySelectorAll("[data-status]")].some(fits);
        return !item.hidden && ofVerdict;
      });
      for (const folded of section.querySelectorAll(".nnxc-follows")) folded.open = narrowed;
      const checks = section.querySelector(".nnxc-checks");
      checks.hidden = !checks.querySelector("tr[data-status]:not([hidden])");
      if (!("was" in checks.dataset)) checks.dataset.was = checks.open ? "open" : "";
      checks.open = narrowed || checks.dataset.was === "open";
      section.hidden = !ofVerdict || (narrowed && !shown.length);
      const row = document.querySelector(`tr[data-of="${section.id}"]`);
      if (row) row.hidden = section.hidden;
      if (section.hidden) continue;
      count.candidate += 1;
      for (const item of shown) count[item.tagName === "ARTICLE" ? "finding" : "check"] += 1;
    }
    const of = candidates.length > 1 ? ` of ${plural(count.candidate, "candidate")}` : "";
    form.elements.shown.value = `${plural(count.finding, "finding")} and ${plural(count.check, "check")}${of}`;
  };
  for (const event of ["input", "change"]) form.addEventListener(event, filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
