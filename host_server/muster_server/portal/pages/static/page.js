// Small comforts of all pages; each page works without them.
"use strict";

// Times as this reader's clock shows them.
const page = document.documentElement.lang;
// As the reader writes dates, if the page is in their language.
const language = navigator.language.startsWith(page) ? navigator.language : page;
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const isThisYear = at.getFullYear() === new Date().getFullYear();
    time.textContent = at.toLocaleString(language, {
      ...(isThisYear ? {} : { year: "numeric" }), month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    });
  }
}
localise(document);

// A secret that came in the fragment goes into its field, and out of the address.
const fragment = decodeURIComponent(location.hash.slice(1));
const field = document.querySelector("[data-fragment]");
if (fragment && field) {
  field.value = fragment;
  history.replaceState(null, "", location.pathname + location.search);
  const next = document.querySelector("[data-after-fragment]");
  if (next) next.focus();
}

// While somebody signs in, the fragment stays with the browser and goes on with the redirect.
for (const carried of document.querySelectorAll("form[data-carries-fragment]")) {
  carried.action += location.hash;
}

// What belongs to one choice is shown with that choice alone.
const shownWith = document.querySelectorAll("[data-shown-with]");
function choose() {
  for (const part of shownWith) {
    const [name, value] = part.dataset.shownWith.split("=");
    const chosen = document.querySelector(`input[name="${name}"]:checked`);
    part.hidden = !chosen || chosen.value !== value;
  }
}
if (shownWith.length) {
  document.addEventListener("change", choose);
  choose();
}

// Passwords can be looked at while they are typed.
for (const button of document.querySelectorAll("[data-reveals]")) {
  const input = document.getElementById(button.dataset.reveals);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
}
