/* Choosing many people: groups and "all" tick the boxes, a name narrows the list, the count follows. Without this file
   the server does all of it when the form is sent. */
"use strict";

(() => {
  const form = document.querySelector("[data-picking]");
  if (!form) return;
  const rows = [...form.querySelectorAll("[data-pick-row]")].map((label) => ({
    label,
    box: label.querySelector("input"),
    name: label.querySelector("[data-pick-name]").textContent.toLocaleLowerCase(),
    groups: label.querySelector("input").dataset.groups.split(" "),
  }));
  const all = form.querySelector("[data-pick-all]");
  const groups = [...form.querySelectorAll("[data-pick-group]")];
  const search = form.querySelector("[data-filter]");
  const picked = form.querySelector("[data-picked]");
  const elsewhere = picked.dataset.elsewhere.split(",").filter(Boolean).length;

  /* A box for many never stays ticked over somebody who is not: the server would take him along. */
  const sync = () => {
    if (all && rows.some((row) => !row.box.checked)) all.checked = false;
    for (const group of groups) {
      if (rows.some((row) => row.groups.includes(group.value) && !row.box.checked)) group.checked = false;
    }
    const here = all && all.checked ? Number(all.dataset.pickAll) : rows.filter((row) => row.box.checked).length;
    picked.textContent = String(elsewhere + here);
  };

  const tick = (box, isMeant) => {
    for (const row of rows) {
      if (!row.label.hidden && isMeant(row)) row.box.checked = box.checked;
    }
    sync();
  };

  form.addEventListener("change", (event) => {
    const box = event.target;
    if (box === all) tick(all, () => true);
    else if (groups.includes(box)) tick(box, (row) => row.groups.includes(box.value));
    else sync();
  });

  if (search) {
    search.parentElement.querySelector("button").hidden = true;
    search.addEventListener("input", () => {
      const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) row.label.hidden = !words.every((word) => row.name.includes(word));
    });
    /* Enter leaves the field instead of sending the form. */
    search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const first = rows.find((row) => !row.label.hidden);
      if (first) first.box.focus();
    });
  }
  window.addEventListener("pageshow", sync);
  sync();
})();
