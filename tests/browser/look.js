// What is wrong with the page that is open, in sentences. One argument: how many findings of a kind are told.
(most) => {
  const width = window.innerWidth;
  const slack = 1.5; // of rounding, in pixels
  const found = new Map();
  const tell = (kind, text) => {
    const known = found.get(kind) ?? new Set();
    found.set(kind, known.add(text));
  };
  const name = (element) => {
    const label = element.tagName.toLowerCase() + (element.id ? "#" + element.id : "")
      + [...element.classList].map((one) => "." + one).join("");
    const words = (element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${label}>` + (words ? ` '${words}'` : "");
  };
  const style = (element) => getComputedStyle(element);
  const scrolls = (element) => /auto|scroll/.test(style(element).overflowX);
  const cuts = (value) => value === "hidden" || value === "clip";
  const isHidden = (element) => {
    const box = element.getBoundingClientRect();
    return box.width <= 1 || box.height <= 1 || !element.checkVisibility({ visibilityProperty: true });
  };
  const around = function* (element) {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) yield box;
  };
  const isForReaders = (element) => [element, ...around(element)].some((box) => {
    const { width, height } = box.getBoundingClientRect();
    return width <= 1 && height <= 1 && cuts(style(box).overflowX); // text for screen readers only
  });
  const ownText = (element) => [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());

  if (!document.body?.innerText.trim() && !document.querySelector("img, svg")) tell("empty", "nothing is shown");
  if (document.documentElement.scrollWidth > width) {
    tell("page", `the page is ${document.documentElement.scrollWidth} px wide`);
  }
  for (const link of document.querySelectorAll("link[href]")) {
    if (/pre|dns|icon|stylesheet|manifest/.test(link.rel) && !/^(data:|#)/.test(link.getAttribute("href"))) {
      tell("link", `<link rel="${link.rel}"> asks for ${link.href}`);
    }
  }
  for (const image of document.images) {
    if (!image.complete || image.naturalWidth === 0) {
      tell("image", `an image did not load: ${(image.currentSrc || image.src || "no src").slice(0, 80)}`);
    }
  }
  for (const element of document.body?.querySelectorAll("*") ?? []) {
    if (element.ownerSVGElement || isHidden(element) || isForReaders(element)) continue;
    const box = element.getBoundingClientRect();
    const inScrollBox = [...around(element)].some(scrolls);
    if (!inScrollBox && box.right > width + slack) {
      tell("wide", `${name(element)} reaches to ${Math.round(box.right)} px`);
    }
    if (!inScrollBox && box.left < -slack) tell("wide", `${name(element)} begins at ${Math.round(box.left)} px`);
    const look = style(element);
    const text = (element.textContent ?? "").trim();
    const across = cuts(look.overflowX) && element.scrollWidth > element.clientWidth + slack;
    const down = cuts(look.overflowY) && element.scrollHeight > element.clientHeight + slack;
    if (text && element.clientWidth > 0 && !element.title && (across || down)) {
      tell("clipped", `the text of ${name(element)} is cut off`);
    }
    if (look.display === "inline" || scrolls(element)) continue;
    const edge = box.right - parseFloat(look.borderRightWidth);
    for (const inner of [element, ...element.querySelectorAll(":scope > *")]) {
      if (inner !== element && style(inner).display !== "inline") continue;
      for (const node of ownText(inner)) {
        const range = document.createRange();
        range.selectNodeContents(node);
        if ([...range.getClientRects()].some((line) => line.right > edge + slack) && !(across && element.title)) {
          tell("beyond", `the text of ${name(inner)} runs out of its box`);
        }
      }
    }
  }
  return [...found.values()].flatMap((texts) => {
    const all = [...texts];
    return all.length > most ? [...all.slice(0, most), `... and ${all.length - most} more like the last`] : all;
  });
}
