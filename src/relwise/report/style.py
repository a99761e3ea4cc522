"""The look of the report and of the web page: one set of colours for light, one for dark, by the reader's choice.

Text and lines that mean something have a contrast of 4.5 to 1 or more on both grounds (a test computes it).
"""

from __future__ import annotations

LIGHT = {
    "ground": "#ffffff", "raised": "#f4f6f8", "ink": "#1b2024", "muted": "#55606a", "rule": "#d5dbe0",
    "accent": "#1a56b8", "second": "#a8480b", "third": "#4c6b16", "warn": "#8a4b00", "bad": "#b0202b",
}  # fmt: skip
DARK = {
    "ground": "#14181c", "raised": "#1e242a", "ink": "#e7ebee", "muted": "#a3aeb8", "rule": "#39424b",
    "accent": "#8ab8ff", "second": "#f2a873", "third": "#b2d36f", "warn": "#f0b429", "bad": "#ff8a8a",
}  # fmt: skip


def _colours(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


COLOURS = f"""
:root {{ color-scheme: light dark; {_colours(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_colours(DARK)} }} }}
"""

# A shadow on the side where a table goes on: the two grounds that scroll with it cover the two shadows that do not.
CONTENT = """
.rw { color: var(--ink); line-height: 1.5; }
.rw h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .4rem; overflow-wrap: anywhere; font-weight: 650; }
.rw h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.4rem 0 .6rem; padding-top: .6rem; font-weight: 650;
  border-top: 1px solid var(--rule); }
.rw h3 { font-size: 1rem; line-height: 1.3; margin: 1.4rem 0 .4rem; font-weight: 650; }
.rw p, .rw ul { margin: .5rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.rw ul { padding-left: 1.2rem; list-style: disc; }
.rw a { color: var(--accent); }
.rw nav ul { max-width: none; list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.rw .muted { color: var(--muted); }
.rw .lead { font-size: 1.05rem; }
.rw :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.rw .scroll { overflow-x: auto; margin: .8rem 0; max-width: 100%; background:
    linear-gradient(to right, var(--ground) 40%, transparent) left / 2rem 100% no-repeat local,
    linear-gradient(to left, var(--ground) 40%, transparent) right / 2rem 100% no-repeat local,
    linear-gradient(to right, var(--rule), transparent) left / .5rem 100% no-repeat scroll,
    linear-gradient(to left, var(--rule), transparent) right / .5rem 100% no-repeat scroll; }
.rw table { border-collapse: collapse; font-size: .875rem; min-width: min(100%, 20rem); }
.rw caption { text-align: left; color: var(--muted); padding-bottom: .3rem; }
.rw caption span { display: inline-block; max-width: calc(100vw - 2rem); position: sticky; left: 0; }
.rw th, .rw td { padding: .3rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
.rw th { font-weight: 600; }
.rw tbody th { font-weight: 500; min-width: 6.5rem; max-width: 18rem; overflow-wrap: anywhere; }
.rw thead th { color: var(--muted); white-space: nowrap; }
.rw td { max-width: 32rem; overflow-wrap: anywhere; }
.rw .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.rw .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 1.5rem; }
.rw figure { margin: .6rem 0; max-width: 30rem; min-width: 0; }
.rw figcaption { font-weight: 600; font-size: .925rem; margin-bottom: .2rem; }
.rw figure > svg { width: 100%; height: auto; display: block; }
.rw svg text { fill: var(--muted); font-size: 11px; font-family: inherit;
  paint-order: stroke; stroke: var(--ground); stroke-width: 3px; stroke-linejoin: round; }
.rw svg .label { fill: var(--ink); }
.rw svg .grid { stroke: var(--rule); stroke-width: 1; }
.rw svg .axis { stroke: var(--muted); stroke-width: 1; }
.rw svg .mark { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 3; }
.rw svg .series { fill: none; stroke-width: 2; stroke-linejoin: round; }
.rw svg .s0 { stroke: var(--accent); }
.rw svg .s1 { stroke: var(--second); stroke-dasharray: 6 3; }
.rw svg .s2 { stroke: var(--third); stroke-dasharray: 2 2; }
.rw svg .dot { stroke-dasharray: none; fill: var(--ground); stroke-width: 2; }
.rw svg .bar { fill: var(--accent); stroke: none; opacity: .75; }
.rw .legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; }
.rw .legend svg { width: 24px; height: 10px; margin-right: .4rem; }
.rw details { font-size: .875rem; margin: .3rem 0; }
.rw summary { cursor: pointer; color: var(--muted); }
.rw .severity { display: inline-block; font-weight: 600; font-size: .8rem; border: 1px solid currentColor;
  border-radius: 4px; padding: 0 .4rem; }
.rw .leak { color: var(--bad); } .rw .warn { color: var(--warn); } .rw .note { color: var(--muted); }
.rw .careful { border-left: 4px solid var(--warn); padding: .1rem 0 .1rem 1rem; }
"""

PAGE = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; } footer { padding-bottom: 2rem; color: var(--muted); font-size: .875rem; }
.rw .skip { position: absolute; left: -99rem; } .rw .skip:focus { position: static; }
@media print { nav, .skip { display: none; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
"""
