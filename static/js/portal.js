/* Shortcuts and small comforts. Every task works without this file. */
"use strict";

(() => {
  const KEY = "portal.shortcuts";
  const help = document.getElementById("shortcuts");
  const toggle = document.querySelector("[data-shortcuts-toggle]");
  let goUntil = 0;

  /* A browser may refuse storage; the shortcuts then keep their default, which is on. */
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  let isOn = stored() !== "off";

  const showState = () => {
    if (toggle) toggle.textContent = isOn ? toggle.dataset.on : toggle.dataset.off;
  };

  const openHelp = () => {
    if (help && !help.open) help.showModal();
  };

  const isTyping = (target) =>
    target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

  const rowLinks = () => [...document.querySelectorAll("[data-rows] tr a.row-link, [data-rows] li a.row-link")];

  const moveRow = (step) => {
    const links = rowLinks();
    if (!links.length) return;
    const row = document.activeElement.closest("[data-rows] tr, [data-rows] li");
    const here = links.findIndex((link) => row && row.contains(link));
    const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
    links[Math.min(Math.max(next, 0), links.length - 1)].focus();
  };

  const go = (letter) => {
    const link = document.querySelector(`.sidebar [data-go="${CSS.escape(letter)}"]`);
    if (link) link.click();
    return link !== null;
  };

  const act = (event) => {
    const key = event.key;
    if (event.timeStamp < goUntil) {
      goUntil = 0;
      return go(key);
    }
    if (key === "g") {
      goUntil = event.timeStamp + 1500;
      return true;
    }
    if (key === "/") {
      const search = document.querySelector("main [data-search]") || document.querySelector("[data-find]");
      if (search) search.focus();
      return search !== null;
    }
    if (key === "j" || key === "k") {
      moveRow(key === "j" ? 1 : -1);
      return true;
    }
    if (key === "?") {
      openHelp();
      return true;
    }
    return false;
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("[data-menu][open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      }
      return;
    }
    if (!isOn || event.ctrlKey || event.altKey || event.metaKey || event.repeat && event.key === "g") return;
    if (isTyping(event.target) || (help && help.open)) return;
    if (act(event)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (event.target.closest("[data-open-help]")) openHelp();
  });

  for (const button of document.querySelectorAll("[data-open-help]")) button.hidden = false;

  if (toggle) {
    showState();
    toggle.addEventListener("click", () => {
      isOn = !isOn;
      try {
        localStorage.setItem(KEY, isOn ? "on" : "off");
      } catch {
        /* kept for this page only */
      }
      showState();
    });
  }

  /* What is to be pasted elsewhere is copied by a button; without scripts it is selected by hand. */
  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      source.focus();
      source.select();
      try {
        await navigator.clipboard.writeText(source.value);
        button.textContent = button.dataset.done;
      } catch {
        /* no access to the clipboard: the text is selected, ready for the keyboard */
      }
    });
  }

  const summary = document.querySelector("[data-focus-first]");
  if (summary) summary.focus();

  /* A page that nobody looks at asks nothing of the server, and nothing is replaced under the keyboard's focus. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const isPoll = event.target.hasAttribute("data-poll");
    if (isPoll && (document.hidden || event.target.contains(document.activeElement))) event.preventDefault();
  });
})();
