"""The look of the web page, on top of the report's; and a page without NiceGUI, for the login."""

from __future__ import annotations

from markupsafe import Markup

from relwise.report.markup import tag
from relwise.report.style import COLOURS, CONTENT

LOOK = """
.rw, .rw * { box-sizing: border-box; }
body { background: var(--ground) !important; color: var(--ink); margin: 0; font-size: 1rem;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
.nicegui-content, .login { display: block !important; max-width: 62rem; margin: 0 auto;
  padding: 0 1rem 3rem !important; }
.rw .bar-top { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: baseline; padding: .9rem 0 .7rem;
  border-bottom: 1px solid var(--rule); margin-bottom: 1.2rem; }
.rw .bar-top strong { font-size: 1.05rem; }
.rw .bar-top nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; flex: 1; }
.rw .bar-top a[aria-current] { color: var(--ink); font-weight: 650; text-decoration: none; }
.rw label { display: block; font-weight: 600; font-size: .9rem; margin-bottom: .2rem; }
.rw input, .rw select, .rw button { font: inherit; color: var(--ink); background: var(--raised);
  border: 1px solid var(--muted); border-radius: 6px; padding: .45rem .7rem; max-width: 100%; min-height: 2.5rem; }
.rw input { width: 100%; }
.rw button { cursor: pointer; }
.rw button:hover { border-color: var(--accent); }
.rw button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: var(--ground); }
.rw .fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr)); gap: .8rem;
  margin: .8rem 0; align-items: end; }
.rw .fields select { width: 100%; }
.rw .plain { list-style: none; padding: 0; max-width: none; }
.rw .hits li { padding: .45rem 0; border-bottom: 1px solid var(--rule); }
.rw .chip { display: inline-block; font-size: .78rem; color: var(--muted); border: 1px solid var(--rule);
  border-radius: 4px; padding: 0 .4rem; margin-left: .4rem; }
.rw a, .rw h1, .rw .chip, .rw .name, .rw dd, .rw td, .rw th, .rw option { unicode-bidi: isolate; }
.rw .marked { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; justify-content: space-between; }
.rw .marked .what { display: flex; flex-wrap: wrap; gap: .2rem .5rem; min-width: 0; }
.rw .marked .chip { margin-left: 0; }
.rw dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .6rem 0; font-size: .925rem; }
.rw dt { color: var(--muted); } .rw dd { margin: 0; overflow-wrap: anywhere; }
.rw .prediction { border-bottom: 1px solid var(--rule); padding: .7rem 0; }
.rw .row-line { display: grid; grid-template-columns: minmax(0, 1fr) 11rem auto; gap: .3rem 1rem; align-items: center; }
.rw .what { overflow-wrap: anywhere; } .rw .what .muted { font-size: .875rem; }
.rw .chance { display: flex; align-items: center; gap: .6rem; font-variant-numeric: tabular-nums; }
.rw .chance > span:first-child { flex: 1; height: .6rem; border-radius: 3px; background: var(--rule);
  overflow: hidden; }
.rw .chance > span:first-child > span { display: block; height: 100%; background: var(--accent); }
.rw .chance > span:last-child { min-width: 3.6rem; text-align: right; }
.rw .actions { display: flex; gap: .4rem; flex-wrap: wrap; }
.rw .actions button { padding: .25rem .6rem; min-height: 2.2rem; font-size: .9rem; }
.rw .why { margin: .7rem 0 .3rem; padding: .2rem 1rem .8rem; background: var(--raised); border-radius: 8px;
  --ground: var(--raised); }
.rw .why .halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
  gap: 0 1.5rem; }
.rw .why .halves > * { min-width: 0; }
.rw .why h4 { font-size: .9rem; margin: .9rem 0 .2rem; font-weight: 650; line-height: 1.3; }
.rw .why li, .rw .why td, .rw .why th { font-size: .875rem; }
.rw .why p.muted { font-size: .875rem; }
.rw .neighbourhood text { font-size: 12px; }
.rw .neighbourhood { width: 100%; max-width: 30rem; height: auto; display: block; }
.rw svg .tie { fill: none; stroke: var(--accent); opacity: .8; }
.rw svg .tie.against { stroke: var(--second); stroke-dasharray: 4 3; }
.rw svg .asked { fill: none; stroke: var(--muted); stroke-width: 1.5; stroke-dasharray: 3 3; }
.rw svg .node { fill: var(--ground); stroke: var(--accent); stroke-width: 2; }
.rw svg .end { fill: var(--ink); }
.rw summary { display: list-item; }
.rw .sentence { font-size: 1.02rem; margin-top: .8rem; }
.rw .problem { color: var(--bad); font-weight: 600; }
.rw .login { max-width: 26rem; padding-top: 3rem !important; } .rw .login button { margin-top: .8rem; }
@media (max-width: 40rem) {
  .rw .row-line { grid-template-columns: minmax(0, 1fr); }
  .rw .actions button { min-height: 2.6rem; padding: .25rem .9rem; }
}
"""

HEAD = f"<style>{COLOURS}{CONTENT}{LOOK}</style>"


def whole_page(title: str, body: Markup) -> str:
    """An HTML document of its own in the page's look."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        Markup(HEAD),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body, class_='rw'), lang='en')}\n"
