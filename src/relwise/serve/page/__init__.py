"""The web page of a served run, on the process of the REST API (NiceGUI, extra `[serve]`).

| file | what |
| --- | --- |
| `mount.py` | `add_page`: the page on an application |
| `site.py`, `elements.py`, `style.py` | what all pages share: frame, HTML elements, look |
| `search.py`, `entity.py`, `marked.py`, `model.py` | the four pages |
| `lookup.py` | what is known of an entity, and what is likely |
| `explained.py`, `drawing.py` | an explanation as HTML, its neighbourhood as SVG |
| `marks.py` | right and wrong, and their CSV |
| `login.py` | the token, asked for by a form |

It loads nothing from elsewhere. The model is asked through the service's worker, as the API asks it.
"""
