"""What is asked of every page: the widths it must fit, targets large enough to press, text that stands out."""

from __future__ import annotations

from tests.services.chromium import LAPTOP, PHONE

NARROW_TO_WIDE = (320, 700), PHONE, (768, 1024), LAPTOP

SMALL_TARGETS = """[...document.querySelectorAll(
  'button, .button, .tool, .chip, .facet a, .sorts a, summary, input:not([type=hidden]):not([type=checkbox]), select')]
  .filter(e => e.offsetParent && e.getBoundingClientRect().height < 40).map(e => e.outerHTML.slice(0, 100))"""
"""Elements to press that are lower than 40 px."""

FAINT_TEXT = """(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => { for (let e = element; e; e = e.parentElement) {
    const colour = parse(getComputedStyle(e).backgroundColor); if (colour.length < 4 || colour[3] > 0) return colour; }
    return parse(getComputedStyle(document.body).backgroundColor); };
  return [...document.body.querySelectorAll('*')]
    .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)]; })
    .filter(([ratio]) => ratio < 4.5);
})()"""
"""Elements whose text has less contrast with its ground than 4.5 to 1 (WCAG 2.2 AA), with the ratio."""

UNLABELLED = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter(e => !e.labels?.length && !e.getAttribute('aria-label')).map(e => e.outerHTML.slice(0, 100))"""
"""Fields without a label."""
