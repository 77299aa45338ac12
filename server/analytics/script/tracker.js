/* Tells Adwright what happens on a website: views, engagement, goals, payments. Served minified as /js/p.js.

   <script defer data-website-id="admx_…" src="https://ads.example.com/js/p.js"></script>
   data-api         where events go, when not to /e beside the script
   data-cookieless  nothing is stored here; the server tells visitors apart for a day
   data-consent     up to 50 events wait for adwright("consent", true); until then nothing is stored or sent
   data-domain      the cookie is for this domain and its subdomains: example.com
   data-hash        what follows # is a page of its own */
(function () {
  var w = window, d = document, h = history, script = d.currentScript, set = script ? script.dataset : {};
  var site = set.websiteId, early = w.adwright;
  if (!site || early && early.visitor) return; // loaded twice
  var url = set.api || new URL("/e", script.src).href, held = "consent" in set, waiting = [], tasks = {};
  var page, view, referrer = d.referrer, since, engaged, depth, told;

  function stored(value) { // the opt-out; some browsers throw at the mere mention of storage
    try {
      if (value !== undefined) value ? localStorage._adw = value : localStorage.removeItem("_adw");
      return localStorage._adw;
    } catch (e) {}
  }

  function uuid() { // version 7: it carries the time, so that a repeated event is known by it alone
    var bytes = crypto.getRandomValues(new Uint8Array(10)), hex = Date.now().toString(16).padStart(12, 0);
    bytes[0] = bytes[0] & 15 | 112;
    bytes[2] = bytes[2] & 63 | 128;
    bytes.forEach(function (byte) { hex += (byte + 256).toString(16).slice(1); });
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  function cookie(value, age) {
    d.cookie = "_adw=" + value + ";path=/;samesite=lax;max-age=" + age + (set.domain ? ";domain=" + set.domain : "") +
      (location.protocol > "http:" ? ";secure" : "");
  }

  function who() { // visitor and session; a session ends after 30 minutes without events
    if ("cookieless" in set) return ["", ""];
    var now = Date.now(), found = (/(?:^|; )_adw=([^;]+)/.exec(d.cookie) || [, ""])[1].split(".");
    if (!found[1] || !(now - found[2] < 18e5)) found = [found[0] || uuid(), uuid()];
    cookie(found[0] + "." + found[1] + "." + now, 31536e3);
    return found;
  }

  function post(event, tries) {
    function again() {
      if (tries < 6) setTimeout(post, 1e3 << tries, event, tries + 1);
    }
    var body = JSON.stringify(event);
    if ("keepalive" in Request.prototype)
      fetch(url, { method: "POST", body: body, keepalive: true, credentials: "omit" }).then(function (answer) {
        if (answer.status > 499) again();
      }, again);
    else if (!navigator.sendBeacon(url, body)) again();
  }

  function send(kind, more) {
    if (stored()) return;
    var event = Object.assign({
      w: site, k: kind, i: uuid(), t: Date.now(), u: page, r: referrer, h: d.title, l: navigator.language, x: screen.width
    }, more);
    if (held) waiting.length < 50 && waiting.push(event);
    else identified(event);
  }

  function identified(event) {
    var ids = who();
    event.v = ids[0];
    event.s = ids[1];
    post(event, 0);
  }

  function look() { // counts the time the page is in sight, and how deep it was seen
    var now = Date.now(), root = d.documentElement;
    if (since) engaged += now - since;
    since = d.visibilityState == "visible" && d.hasFocus() && now;
    depth = Math.max(depth, Math.min(100, Math.round((scrollY + innerHeight) / root.scrollHeight * 100)));
  }

  function leave() {
    look();
    if (!view || engaged < 1e3 && depth <= told) return;
    send("engagement", { g: view, e: engaged, d: told = depth });
    engaged = 0;
  }

  function arrive(again) {
    var now = location.href;
    if (!("hash" in set)) now = now.split("#")[0];
    if (now == page && again !== 1) return;
    if (page) {
      leave();
      referrer = page;
    }
    page = now;
    engaged = depth = told = since = 0;
    look();
    told = depth;
    send("pageview", { i: view = uuid() });
  }

  function goal(name, props, value) {
    send("custom", { n: name, p: props, a: value });
  }

  function marked(element) { // data-goal="signup" data-goal-plan="pro" data-goal-value="9.5"
    var props = {}, data = element.dataset, value;
    for (var key in data) if (/^goal[A-Z]/.test(key)) props[key[4].toLowerCase() + key.slice(5)] = data[key];
    if (props.value) value = +props.value;
    delete props.value;
    goal(data.goal, props, value);
  }

  function clicked(event) {
    var target = event.target, closest = target.closest && target.closest.bind(target), link, element;
    if (!closest || event.type == "auxclick" && event.button != 1) return;
    if ((element = closest("[data-goal]:not(form)"))) marked(element);
    if (!(link = closest("a[href]")) || !/^http/.test(link.protocol)) return;
    if (link.host != location.host) goal("outbound", { url: link.href });
    else if (/\.(pdf|zip|docx?|xlsx?|pptx?|csv|dmg|exe|pkg|apk|mp[34]|gz)$/i.test(link.pathname)) goal("download", { url: link.href });
  }

  tasks.goal = goal;
  tasks.pageview = function () { arrive(1); };
  tasks.payment = function (p) {
    send("payment", { a: p.amount, c: p.currency, o: p.transaction_id, y: p.kind });
  };
  tasks.identify = function (id, traits) { send("identify", { m: id, q: traits }); };
  tasks.consent = function (given) {
    held = !given;
    var events = waiting;
    waiting = [];
    if (given) events.forEach(identified);
    else cookie("", 0);
  };
  tasks.optOut = function () {
    stored(1);
    waiting = [];
    cookie("", 0);
  };
  tasks.optIn = function () { stored(""); };

  function run(given) {
    var task = tasks[given[0]];
    if (task) task.apply(null, [].slice.call(given, 1));
  }

  function start() {
    ["pushState", "replaceState"].forEach(function (name) {
      var change = h[name];
      h[name] = function () {
        change.apply(h, arguments);
        setTimeout(arrive); // by then the page has its new title
      };
    });
    w.addEventListener("popstate", arrive);
    if ("hash" in set) w.addEventListener("hashchange", arrive);
    w.addEventListener("pageshow", function (event) { if (event.persisted) arrive(1); });
    w.addEventListener("pagehide", leave);
    w.addEventListener("focus", look);
    w.addEventListener("blur", look);
    w.addEventListener("scroll", look, { passive: true });
    d.addEventListener("visibilitychange", function () { d.visibilityState == "hidden" ? leave() : look(); });
    d.addEventListener("click", clicked, true);
    d.addEventListener("auxclick", clicked, true);
    d.addEventListener("submit", function (event) { if (event.target.matches("[data-goal]")) marked(event.target); }, true);
    arrive();
    (early && early.q || []).forEach(run); // what was called before we were loaded, after the first view
    w.adwright = function () { run(arguments); };
    w.adwright.visitor = function () { return held || stored() ? "" : who()[0]; };
  }

  if (d.prerendering) d.addEventListener("prerenderingchange", start, { once: true });
  else start();
})();
