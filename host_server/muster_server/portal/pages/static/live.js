// Follows a device by server-sent events. Without it the page loads itself again.
"use strict";

const place = document.getElementById("live");
if (place && window.EventSource) {
  const source = new EventSource(place.dataset.stream);
  const away = document.getElementById("away");
  source.addEventListener("change", (event) => {
    const news = JSON.parse(event.data);
    place.innerHTML = news.html; // made and escaped by this server's own template
    localise(place);
    if (news.is_over) source.close();
  });
  source.addEventListener("open", () => { away.hidden = true; });
  source.addEventListener("error", () => {
    away.hidden = false;
    // A browser connects again by itself, but not after an answer that is no stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
  });
}
