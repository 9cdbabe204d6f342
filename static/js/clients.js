/* A client is looked up while somebody types: a combobox with a list (WAI-ARIA). Without this file the server looks up
   what was typed, and offers what it found. */
"use strict";

(() => {
  const WAIT = 150; /* milliseconds after the last letter */

  const enrich = (input) => {
    const list = document.createElement("ul");
    const status = document.createElement("p");
    const frame = document.createElement("div");
    let active = -1;
    let asked = null;
    let timer = 0;

    frame.className = "combobox";
    list.className = "combobox-list";
    list.id = `${input.id}_list`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0].textContent);
    list.hidden = true;
    status.className = "field-hint";
    status.setAttribute("role", "status");
    input.before(frame);
    frame.append(input, list);
    frame.after(status);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    const point = (place) => {
      active = place;
      [...list.children].forEach((option, number) => {
        option.setAttribute("aria-selected", String(number === place));
      });
      const option = list.children[place];
      if (option) {
        input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else {
        input.removeAttribute("aria-activedescendant");
      }
    };

    const close = () => {
      clearTimeout(timer);
      if (asked) asked.abort();
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      point(-1);
    };

    const choose = (option) => {
      input.value = option.textContent;
      status.textContent = "";
      close();
    };

    const show = (found) => {
      list.replaceChildren(
        ...found.clients.map((client, number) => {
          const option = document.createElement("li");
          option.id = `${list.id}_${number}`;
          option.setAttribute("role", "option");
          option.textContent = client;
          return option;
        }),
      );
      status.textContent = found.status;
      list.hidden = found.clients.length === 0;
      input.setAttribute("aria-expanded", String(!list.hidden));
      point(-1);
    };

    const ask = async () => {
      if (asked) asked.abort();
      asked = new AbortController();
      const address = new URL(input.dataset.clients, location.href);
      address.searchParams.set("q", input.value);
      try {
        const answer = await fetch(address, { signal: asked.signal, headers: { Accept: "application/json" } });
        if (answer.ok && !answer.redirected) show(await answer.json());
      } catch {
        /* given up for a later letter, or no contact: what is typed is looked up when the form is sent */
      }
    };

    const later = () => {
      clearTimeout(timer);
      if (input.value.trim()) {
        timer = setTimeout(ask, WAIT);
      } else {
        status.textContent = "";
        close();
      }
    };

    const move = (step) => {
      if (list.hidden) {
        ask();
        return;
      }
      const count = list.children.length;
      point(active < 0 && step < 0 ? count - 1 : (active + step + count) % count);
    };

    input.addEventListener("input", later);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter" && active >= 0) {
        choose(list.children[active]);
      } else if (event.key === "Escape" && !list.hidden) {
        close();
      } else {
        return;
      }
      event.preventDefault();
    });
    list.addEventListener("mousedown", (event) => event.preventDefault()); /* the focus stays in the field */
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) choose(option);
    });
  };

  for (const input of document.querySelectorAll("[data-clients]")) enrich(input);
})();
