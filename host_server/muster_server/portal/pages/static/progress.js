// Asks again how far something has come. Without it the page loads itself again.
"use strict";

const EVERY_MS = 1500;

async function look() {
  const place = document.getElementById("progress");
  if (!place || !place.dataset.running) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const news = page.getElementById("progress");
      if (news) {
        place.replaceWith(document.adoptNode(news)); // this server's own page
        localise(news);
      }
    }
  } catch (error) {
    // The connection is away for a moment: ask again.
  }
  setTimeout(look, EVERY_MS);
}
setTimeout(look, EVERY_MS);
