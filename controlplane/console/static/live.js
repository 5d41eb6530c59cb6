// Says so when the page is no longer live: stale numbers must not look like health.
(() => {
  const banner = document.getElementById("connection");
  const stream = document.getElementById("stream");
  const SILENT = 25000; // the server sends at least every 10 s
  let last = new Date(); // of the data on the page
  let heard = Date.now(); // a hidden page hears nothing, and that is no fault

  const tell = (text) => {
    banner.textContent = text;
    banner.hidden = text === "";
  };
  const asOf = () => "You see data as of " + last.toLocaleTimeString() + ".";
  const lost = () => tell("Connection lost. " + asOf() + " Towpath is being tried again.");

  document.addEventListener("htmx:sse:after:message", () => {
    last = new Date();
    heard = Date.now();
    tell("");
  });
  document.addEventListener("htmx:sse:error", (event) => {
    const out = event.detail && event.detail.status === 401;
    if (out) tell("You are signed out. " + asOf() + " Reload the page to sign in.");
    else lost();
  });
  document.addEventListener("htmx:error", lost);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) heard = Date.now();
  });
  setInterval(() => {
    if (document.hidden || Date.now() - heard < SILENT) return;
    if (banner.hidden) lost();
    // htmx comes back by itself once it was connected; where the first connection failed, it does not.
    stream.dispatchEvent(new Event("again"));
  }, 5000);
})();
